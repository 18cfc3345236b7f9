"""Runs the checks of the contract one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass

from samplers.base import Sampler
from samplers.contract.checks import CHECKS, Check
from samplers.contract.limits import restored_random_state


@dataclass(frozen=True)
class Verdict:
    """Result of one check.

    Attributes:
        rule: what is demanded.
        kept: whether the sampler does it.
        remark: the reason why not, or something to know.
    """

    rule: str
    kept: bool
    remark: str


def check_sampler(sampler: Sampler) -> Iterator[Verdict]:
    """Check a sampler with its parameters; an earlier fit does not count."""
    return (verdict(check, sampler) for check in CHECKS)


def verdict(check: Check, sampler: Sampler) -> Verdict:
    """Result of one check; whatever the sampler raises breaks the rule."""
    rule = (check.__doc__ or "").rstrip(".")
    with restored_random_state():
        try:
            return Verdict(rule, True, check(sampler))
        except AssertionError as broken:
            return Verdict(rule, False, " ".join(str(broken).split()))
        except Exception as error:
            return Verdict(rule, False, f"it raised {type(error).__name__}: {' '.join(str(error).split())}")
