"""What makes a trial the same trial."""

from dataclasses import replace
from types import ModuleType

import pytest

from benchmark.study.arms import Arm
from benchmark.study.trial import Trial
from mhpe.config import CoreConfig
from samplers import gaussian, yaw_bins
from samplers.bins import Bins
from samplers.gaussian import Gaussian
from samplers.random import Random
from samplers.support import groups
from samplers.support.source_digest import module_source

BASE = Trial(Arm("gaussian", Gaussian(sigma=30), CoreConfig()), "aflw2000", "f" * 64, 0)


def test_labels_and_ways_of_writing_do_not_matter() -> None:
    other = Arm("another label", Gaussian(bin_width=20, sigma=30.0), CoreConfig(k=8))
    assert replace(BASE, arm=other).key == BASE.key
    assert replace(BASE, train_set="renamed").key == BASE.key


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"fingerprint": "e" * 64},
        {"arm": replace(BASE.arm, sampler=Gaussian(sigma=31))},
        {"arm": replace(BASE.arm, core=CoreConfig(noise_c=0.2))},
        {"arm": replace(BASE.arm, core=CoreConfig(encoder={"m": 64}))},
    ],
)
def test_everything_a_training_depends_on_matters(change: dict) -> None:
    assert replace(BASE, **change).key != BASE.key


def test_core_version_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    before = BASE.key
    monkeypatch.setattr("benchmark.study.arms.CORE_VERSION", 99)
    assert replace(BASE, arm=replace(BASE.arm)).key != before


@pytest.mark.parametrize(
    ("module", "old", "new", "changes"),
    [
        (gaussian, '"""The Gaussian\'s exponent."""', '"""Other words."""  # and a comment', set()),
        (gaussian, "query.yaw), self.sigma", "query.yaw), 2 * self.sigma", {"gaussian"}),
        (yaw_bins, "width - 180", "width - 170", {"gaussian", "bins"}),
        (groups, "copies - count", "copies - count + 0", {"gaussian", "bins", "random"}),
    ],
)
def test_only_what_a_sampler_uses_changes_its_trials(
    module: ModuleType, old: str, new: str, changes: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def keys() -> dict[str, str]:
        arms = [Arm(sampler.name, sampler, CoreConfig()) for sampler in (Gaussian(), Bins(), Random())]
        return {arm.label: replace(BASE, arm=arm).key for arm in arms}

    before, original = keys(), module_source
    assert old in original(module)
    monkeypatch.setattr(
        "samplers.support.source_digest.module_source",
        lambda of: original(of).replace(old, new) if of is module else original(of),
    )
    after = keys()
    assert {name for name in before if before[name] != after[name]} == changes
