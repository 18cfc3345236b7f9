"""From a study to the trials it needs."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.study.arms import Arm
from benchmark.study.protocols import Protocol
from benchmark.study.study import Study
from benchmark.study.trial import Planned, Present, Trial
from mhpe.data import HeadPoseSet

DataProvider = Callable[[str, int], HeadPoseSet]  # gives a prepared data set by its name and image size


@dataclass(frozen=True)
class Plan:
    """A study's grid and the trials that fill it."""

    study: Study
    cells: tuple[Planned, ...]  # arms x protocols x seeds
    trials: dict[str, Trial]  # by key; cells with the same training share one
    tests: dict[str, tuple[HeadPoseSet, ...]]  # test sets of each trial, by the trial's key
    train_sets: dict[str, HeadPoseSet]  # prepared training sets by fingerprint

    @property
    def test_sets(self) -> dict[str, HeadPoseSet]:
        """All test sets by fingerprint."""
        return {test.fingerprint: test for tests in self.tests.values() for test in tests}


def is_present(study: Study, plan: Plan | None = None) -> Present:
    """Says whether a trial is one of a study as it is now.

    A ``plan`` may be of a part of the study, or of arms that a search found. Only of its cells the training set's
    content is known and compared. On protocols other than the study's, what a search found is present.
    """
    arms = {arm.label: (arm.identity, arm.seed_offset) for arm in study.arms}
    protocols = {protocol.name for protocol in study.protocols}
    wanted = {(protocol, arm): arms[arm] for protocol, arm in itertools.product(protocols, arms)}
    if plan is not None:
        for cell in plan.cells:
            trial = plan.trials[cell.trial]
            wanted[cell.protocol, cell.arm] = trial.identity, trial.seed - cell.seed

    def present(protocol: str, arm: str, seed: int, identity: dict[str, Any]) -> bool:
        found = wanted.get((protocol, arm)) if protocol in protocols else arms.get(arm)
        if found is None:
            return bool(study.searched) and protocol not in protocols
        parts, offset = found
        return all(identity.get(part) == value for part, value in (parts | {"seed": seed + offset}).items())

    return present


def make_plan(
    study: Study, grid: Mapping[Protocol, Sequence[Arm]], seeds: int, data: DataProvider, first_seed: int = 0
) -> Plan:
    """Write out a grid: the arms of each protocol, each with a number of paired ``seeds`` from ``first_seed`` on.

    An arm with a seed offset trains with other seeds, but its cells are still paired by number. Arms that are not the
    study's come after those that are.
    """
    cells: list[Planned] = []
    trials: dict[str, Trial] = {}
    tests: dict[str, dict[str, HeadPoseSet]] = {}
    train_sets: dict[str, HeadPoseSet] = {}
    for protocol, arms in grid.items():
        for arm in arms:
            train, test = data(protocol.train, arm.core.image_size), data(protocol.test, arm.core.image_size)
            train_sets[train.fingerprint] = train
            position, parameters = (study.arms if arm in study.arms else arms).index(arm), arm.identity["parameters"]
            for seed in range(first_seed, first_seed + seeds):
                trial = Trial(arm, train.name, train.fingerprint, seed + arm.seed_offset)
                trials.setdefault(trial.key, trial)
                tests.setdefault(trial.key, {})[test.name] = test
                place = study.name, study.preset, protocol.name, arm.label, position, parameters, seed
                cells.append(Planned(*place, trial.key, test.fingerprint))
    # Seed by seed, so that a study that is stopped early has complete seeds.
    ordered = dict(sorted(trials.items(), key=lambda item: item[1].seed - item[1].arm.seed_offset))
    return Plan(study, tuple(cells), ordered, {k: tuple(v.values()) for k, v in tests.items()}, train_sets)
