"""Runs the checks of the contract one after the other."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from samplers.base import Sampler
from samplers.contract.checks import CHECKS, Check, copes_with_a_huge_set
from samplers.contract.tools import restored_random_state, wrong_result
from samplers.support.registry import in_one_line, source_file

CHECK_SECONDS, HUGE_SECONDS = 30.0, 120.0
"""Longest time of a check, and of the one with a huge set; a slower sampler is taken to hang."""


@dataclass(frozen=True)
class Verdict:
    """Result of one check."""

    rule: str
    kept: bool  # whether the sampler keeps to the rule
    remark: str  # the reason why not, or a note
    ended: bool = True  # whether the check came to an end


def check_sampler(sampler: Sampler, seconds: float | None = None) -> Iterator[Verdict]:
    """Check a sampler with its parameters; an earlier fit does not count.

    A check that does not end within ``seconds``, by default :data:`CHECK_SECONDS` or :data:`HUGE_SECONDS`, is the last
    one: its sampler still runs and would disturb the others.
    """
    for check in CHECKS:
        found = verdict(check, sampler, seconds)
        yield found
        if not found.ended:
            return


def verdict(check: Check, sampler: Sampler, seconds: float | None = None) -> Verdict:
    """Result of one check; whatever the sampler raises breaks the rule, and so does a sampler that does not return."""
    limit = seconds or (HUGE_SECONDS if check is copes_with_a_huge_set else CHECK_SECONDS)
    rule = (check.__doc__ or "").rstrip(".")
    found: list[Verdict] = []

    def work() -> None:
        with restored_random_state():
            try:
                found.append(Verdict(rule, True, check(sampler) or ""))
            except AssertionError as broken:
                found.append(Verdict(rule, False, " ".join(str(broken).split())))
            except BaseException as error:  # a sampler may exit, too
                found.append(Verdict(rule, False, _reason(error, sampler)))

    # A thread, as one that waits forever can be left behind: it ends with the process.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(limit)
    return found[0] if found else Verdict(rule, False, f"it did not return within {limit:g} s", ended=False)


def _reason(error: BaseException, sampler: Sampler) -> str:
    """What a sampler's method returned, if that is wrong; otherwise the error, and the line of the sampler's file."""
    with suppress(BaseException):  # a sampler may exit, too
        if wrong := wrong_result(sampler):
            return wrong
    return f"it raised {in_one_line(error, source_file(type(sampler)))}"
