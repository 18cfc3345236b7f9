"""The contract: what comes with the suite keeps it, and every way to break it is found."""

import doctest
import random
import re
import sys
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from mhpe.errors import InputError
from mhpe.poses import Poses
from samplers import Sampler
from samplers.contract import CHECKS, check_sampler, checks, verdict
from samplers.contract.tools import global_random_state
from samplers.gaussian import Gaussian
from samplers.random import Random
from samplers.support.registry import Registry
from samplers.yaw_bins import YawBins


@pytest.mark.slow
@pytest.mark.parametrize("name", Registry().classes)
def test_built_in_samplers_keep_the_contract(name: str) -> None:
    verdicts = list(check_sampler(Registry().build(name, {}, "test")))
    assert [found for found in verdicts if not found.kept] == []
    assert len(verdicts) == len(CHECKS)


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
def test_checks_can_be_a_test_of_ones_own(check: checks.Check) -> None:
    check(Gaussian(bin_width=60, sigma=5, empty_bin="populated_only"))


@pytest.mark.slow
def test_example_of_the_base_class_keeps_the_contract() -> None:
    scope = {"Sampler": Sampler, "torch": torch, "__name__": __name__}
    for example in doctest.DocTestParser().get_examples(Sampler.__doc__ or ""):
        exec(example.source, scope)
    quick = [check for check in CHECKS if check is not checks.copes_with_a_huge_set]  # which takes it seconds
    found = [verdict(check, scope["Nearest"]()) for check in quick]
    assert [each for each in found if not each.kept] == []


class OneTooMany(Random):
    name = "one_too_many"

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        return super().draw(query, k + 1, generator)


class Int32(Random):
    name = "int32"

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        return super().draw(query, k, generator).int()


class ImageNumbers(Random):
    """Numbers in the training set instead of positions in the candidates; the same without a pool."""

    name = "image_numbers"

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        return self.candidates.index[super().draw(query, k, generator)]


class OffByOne(Random):
    name = "off_by_one"

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        return super().draw(query, k, generator) + 1


class WithItself(Sampler):
    name = "with_itself"

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        return torch.randint(len(self.candidates), (len(query), k), generator=generator)


class OwnGenerator(Random):
    name = "own_generator"
    _own: torch.Generator = torch.Generator()

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        self._own.seed()
        return super().draw(query, k, self._own)


class TakesButIgnores(Random):
    name = "takes_but_ignores"

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        torch.rand(1, generator=generator)
        return super().draw(query, k, torch.Generator().manual_seed(0))


class GlobalTorch(Random):
    name = "global_torch"

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        return super().draw(query, k, generator.manual_seed(int(torch.randint(1000, ()))))


class GlobalNumpy(Random):
    name = "global_numpy"

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        return super().draw(query, k, generator.manual_seed(int(np.random.randint(1000))))  # noqa: NPY002


class GlobalPython(Random):
    name = "global_python"

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        return super().draw(query, k, generator.manual_seed(random.randrange(1000)))


class GlobalSeed(Random):
    """Reads the global state without changing it."""

    name = "global_seed"

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        return super().draw(query, k, generator.manual_seed(torch.initial_seed()))


class TurnsCandidates(Random):
    name = "turns_candidates"

    def fit(self, poses: Poses, progress: float) -> None:
        super().fit(poses, progress)
        poses.angles.abs_()


class TurnsInputs(Random):
    name = "turns_inputs"

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        query.rotations.neg_()
        return super().draw(query, k, generator)


class NeedsCandidatesNearby(Random):
    name = "needs_candidates_nearby"

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        near = (query.yaw[:, None] - self.candidates.yaw).abs() < 90
        return torch.multinomial(near.float(), k, replacement=True, generator=generator)


class NeedsKImages(Sampler):
    name = "needs_k_images"

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        way = (query.yaw[:, None] - self.candidates.yaw).abs()
        way[query.index[:, None] == self.candidates.index] = torch.inf
        return way.topk(k, largest=False).indices


class NeedsAnother(Random):
    name = "needs_another"

    def fit(self, poses: Poses, progress: float) -> None:
        super().fit(poses, progress)
        torch.empty(0).max() if len(poses) == 1 else None


class FitsOnce(Random):
    name = "fits_once"

    def fit(self, poses: Poses, progress: float) -> None:
        if self._candidates is None:
            super().fit(poses, progress)


class Forgets(Random):
    """Learns something that is not in its state."""

    name = "forgets"
    _turn: int = 0

    def observe(self, *step: object) -> None:
        self._turn += 1

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        return super().draw(query, k, generator).roll(self._turn, 1)


class DividesByRest(Random):
    name = "divides_by_rest"

    def fit(self, poses: Poses, progress: float) -> None:
        super().fit(poses, progress)
        assert 1 / (0.75 - progress)


class OneBinShort(Gaussian):
    """Weights for all bins but one, which largest remainders accept."""

    name = "one_bin_short"

    def log_weights(self, query: Poses, bins: YawBins) -> Tensor:
        return super().log_weights(query, bins)[:, 1:]


class NotJson(Random):
    name = "not_json"
    weights: Tensor = torch.ones(3)


class AllPairs(Random):
    name = "all_pairs"
    _way: Tensor | None = None

    def fit(self, poses: Poses, progress: float) -> None:
        super().fit(poses, progress)
        self._way = (poses.yaw[:, None] - poses.yaw).abs()


BROKEN: dict[type[Sampler], tuple[str, str]] = {
    OneTooMany: ("draws_exactly_k", r"shape \(1, 2\), not \(1, 1\)"),
    Int32: ("draws_int64", "torch.int32"),
    OffByOne: ("draws_candidates", "positions 1 to 300; its candidates are 0 to 299"),
    ImageNumbers: ("draws_from_a_pool", "candidates are 0 to 33"),
    WithItself: ("never_draws_the_input", "inputs as their own reference"),
    OwnGenerator: ("repeats_its_draws", "the second draw differs"),
    TakesButIgnores: ("draws_differ", "draws the same whatever they are"),
    GlobalTorch: ("leaves_global_randomness", "global state of torch"),
    GlobalNumpy: ("leaves_global_randomness", "global state of numpy"),
    GlobalPython: ("leaves_global_randomness", "global state of random"),
    GlobalSeed: ("leaves_global_randomness", "depend on the global random state"),
    TurnsCandidates: ("leaves_its_inputs", "changes the angles of the candidates"),
    TurnsInputs: ("leaves_its_inputs", "changes the rotations of the inputs"),
    NeedsCandidatesNearby: ("copes_with_empty_bins", "it raised RuntimeError"),
    NeedsKImages: ("copes_with_few_images", "it raised RuntimeError"),
    NeedsAnother: ("copes_with_one_or_two_images", "it raised RuntimeError"),
    FitsOnce: ("follows_the_training", "fitted before draws otherwise"),
    DividesByRest: ("follows_the_training", "it raised ZeroDivisionError"),
    Forgets: ("keeps_what_it_learns", "another object draws otherwise"),
    OneBinShort: ("weighs_all_bins", r"log_weights returns a tensor of shape \(300, 17\), not \(300, 18\)"),
    NotJson: ("has_an_identity", "it raised"),
    AllPairs: ("copes_with_a_huge_set", "more than 4 GiB of memory"),
}


@pytest.mark.parametrize("cls", BROKEN, ids=lambda cls: cls.name)
def test_a_broken_rule_is_found_and_explained(cls: type[Sampler]) -> None:
    name, reason = BROKEN[cls]
    if cls is AllPairs and sys.platform != "linux":
        pytest.skip("memory is limited on Linux only")
    before = global_random_state()
    found = verdict(getattr(checks, name), cls())
    assert not found.kept
    assert re.search(reason, found.remark)
    assert global_random_state() == before


def test_every_check_can_fail() -> None:
    assert {check for check, _ in BROKEN.values()} == {check.__name__ for check in CHECKS}


@pytest.mark.parametrize("limit", ["FIT_SECONDS", "DRAW_SECONDS"])
def test_time_has_a_limit(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, limit, 0.0)
    with pytest.raises(AssertionError, match="limit 0 s"):
        checks.copes_with_a_huge_set(Random())


def test_a_sampler_without_randomness_is_fine() -> None:
    class Turn(Sampler):
        name = "turn"

        def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
            return torch.arange(k).expand(len(query), k) % len(self.candidates)

    assert checks.draws_differ(Turn()) == "it takes no random number from the generator"


def test_parameters_count() -> None:
    class Rude(Random):
        name = "rude"
        extra: int = 0
        kinds: ClassVar[tuple[str, ...]] = ()

        def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
            return super().draw(query, k + self.extra, generator)

    checks.draws_exactly_k(Rude())
    with pytest.raises(AssertionError):
        checks.draws_exactly_k(Rude(extra=1))


OWN = """
import sys
import time
from samplers import Sampler

class Own(Sampler):
    name = "own"

    def draw(self, query, k, generator):
        {line}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "remark"),
    [
        ("return {'a': 1}['missing']", "it raised KeyError: 'missing' (own.py, line 10)"),
        ("sys.exit('no weights')", "it raised SystemExit: no weights (own.py, line 10)"),
        ("raise KeyboardInterrupt", "it raised KeyboardInterrupt (own.py, line 10)"),
        (
            "super().fit(query)",
            "it raised TypeError: Sampler.fit() missing 1 required positional argument: 'progress'; "
            "call super().fit(poses, progress) (own.py, line 10)",
        ),
    ],
)
def test_whatever_a_sampler_raises_is_a_verdict_with_its_line(tmp_path: Path, line: str, remark: str) -> None:
    file = tmp_path / "own.py"
    file.write_text(OWN.format(line=line))
    found = list(check_sampler(Registry([file]).build("own", {}, "test")))
    assert len(found) == len(CHECKS)
    assert found[0].remark == remark


@pytest.mark.parametrize(
    ("method", "result", "remark"),
    [
        (
            "log_weights",
            "bins.offsets(query.yaw).mean(1)",
            "log_weights returns a tensor of shape (300,), not (300, 18)",
        ),
        ("log_weights", "None", "log_weights returns NoneType, not a tensor of shape (300, 18)"),
        ("log_weights", "bins.offsets(query.yaw).abs().neg().log()", "log_weights returns NaN"),
        ("log_weights", "bins.offsets(query.yaw).long()", "log_weights returns torch.int64"),
        ("log_weights", "bins.offset(query.yaw)", "'YawBins' object has no attribute 'offset' (own.py, line 9)"),
        ("draw", "[0] * k", "draw returns list, not a tensor of shape (300, 10)"),
    ],
)
def test_a_wrong_result_is_named_with_its_method(tmp_path: Path, method: str, result: str, remark: str) -> None:
    """It is the suite's own code that fails, in no line of the user's file."""
    arguments, base = (
        ("query, bins", "yaw_bins.YawBinSampler") if method == "log_weights" else ("query, k, generator", "Sampler")
    )
    file = tmp_path / "own.py"
    file.write_text(
        f"from samplers import Sampler, yaw_bins\n\n\nclass Own({base}):\n    name = 'own'\n\n"
        f"    def {method}(self, {arguments}):\n\n        return {result}\n"
    )
    found = verdict(checks.draws_exactly_k, Registry([file]).build("own", {}, "test"))
    assert not found.kept
    assert remark in found.remark


def test_a_sampler_that_never_returns_is_the_end_of_the_checks(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(OWN.format(line="time.sleep(3600)"))
    (found,) = check_sampler(Registry([file]).build("own", {}, "test"), seconds=0.1)
    assert (found.kept, found.remark) == (False, "it did not return within 0.1 s")


@pytest.mark.parametrize(
    "method", ["fit(self, candidates)", "draw(self, query, k)", "observe(self, query, drawn)", "state(self, device)"]
)
def test_a_method_that_cannot_be_called_is_named_when_the_file_is_read(tmp_path: Path, method: str) -> None:
    file = tmp_path / "own.py"
    file.write_text(OWN.format(line="return None") + f"\n    def {method}:\n        return None\n")
    with pytest.raises(InputError, match=rf"own.py: class \w+: {method.partition('(')[0]} must take"):
        Registry([file])
