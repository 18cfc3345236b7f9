"""What makes a trial the same trial."""

from dataclasses import replace

import pytest

from benchmark.study import Arm
from benchmark.trial import Trial
from mhpe.config import CoreConfig
from samplers.gaussian import Gaussian

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
    monkeypatch.setattr("benchmark.trial.CORE_VERSION", 2)
    assert replace(BASE).key != before
