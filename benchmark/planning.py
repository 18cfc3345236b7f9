"""From a study to the trials it needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.protocols import Protocol
from benchmark.store.store import Planned
from benchmark.study import Arm, Study
from benchmark.trial import Trial
from mhpe.data import HeadPoseSet

DataProvider = Callable[[str, int], HeadPoseSet]
"""Gives a prepared data set by its name and image size."""


@dataclass(frozen=True)
class Plan:
    """A study's grid and the trials that fill it.

    Attributes:
        study: the study.
        preset: name of the core's preset.
        cells: arms x protocols x seeds.
        trials: by key; cells with the same training share one.
        tests: test sets of each trial, by the trial's key.
        train_sets: prepared training sets by fingerprint.
    """

    study: Study
    preset: str
    cells: tuple[Planned, ...]
    trials: dict[str, Trial]
    tests: dict[str, tuple[HeadPoseSet, ...]]
    train_sets: dict[str, HeadPoseSet]

    @property
    def test_sets(self) -> dict[str, HeadPoseSet]:
        """All test sets by fingerprint."""
        return {test.fingerprint: test for tests in self.tests.values() for test in tests}

    def folders(self, key: str) -> tuple[Path, dict[str, Path]]:
        """Prepared folders of a trial's training set and, by name, of its test sets."""
        train = self.train_sets[self.trials[key].fingerprint]
        return train.folder, {test.name: test.folder for test in self.tests[key]}


def make_plan(
    study: Study, arms: Sequence[Arm], protocols: Sequence[Protocol], seeds: int, preset: str, data: DataProvider
) -> Plan:
    """Write out a study's grid.

    Args:
        study: the study.
        arms: those of its arms to run.
        protocols: what to train and test on.
        seeds: paired seeds per arm, 0 to seeds - 1.
        preset: name of the core's preset.
        data: gives prepared data sets.
    """
    cells: list[Planned] = []
    trials: dict[str, Trial] = {}
    tests: dict[str, dict[str, HeadPoseSet]] = {}
    train_sets: dict[str, HeadPoseSet] = {}
    for protocol in protocols:
        for arm in arms:
            train, test = data(protocol.train, arm.core.image_size), data(protocol.test, arm.core.image_size)
            train_sets[train.fingerprint] = train
            for seed in range(seeds):
                trial = Trial(arm, train.name, train.fingerprint, seed)
                trials.setdefault(trial.key, trial)
                tests.setdefault(trial.key, {})[test.name] = test
                cells.append(
                    Planned(
                        study=study.name,
                        preset=preset,
                        protocol=protocol.name,
                        arm=arm.label,
                        position=study.arms.index(arm),
                        parameters=arm.sampler.model_dump(mode="json"),
                        seed=seed,
                        trial=trial.key,
                        test_set=test.fingerprint,
                    )
                )
    # Seed by seed, so that a study that is stopped early has complete seeds.
    ordered = dict(sorted(trials.items(), key=lambda item: item[1].seed))
    return Plan(study, preset, tuple(cells), ordered, {k: tuple(v.values()) for k, v in tests.items()}, train_sets)
