"""A store of made-up results with what real ones have: failures, gaps, bad arms, several hosts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.store import Store
from benchmark.store.outcome import Outcome
from benchmark.study.trial import Trial
from mhpe.config import CoreConfig
from samplers.base import Sampler
from samplers.gaussian import Gaussian
from samplers.random import Random
from tests.benchmark.synthetic_results import DEGREES, SyntheticStudy, evaluation

PRESET = "tiny"
ARMS: dict[str, Sampler] = {
    "random": Random(),
    "gaussian 15": Gaussian(sigma=15),
    "gaussian 30": Gaussian(sigma=30),
}


@dataclass
class MadeUp(SyntheticStudy):
    """What the made-up study is like.

    Attributes:
        title: of the study.
        question: of the study.
        baselines: arms with a baseline of their own.
        noise: error of each arm in degrees, where it is another one.
        failed: arm and seed to type and message of the error.
        absent: arm and seed of trials that never ran.
        predictions: whether predictions, training history and diagnostics are there.
        host: of all trials.
        reverse: put everything in in the opposite order.
    """

    name: str = "made_up"
    arms: Mapping[str, Sampler] = field(default_factory=lambda: dict(ARMS))
    seeds: int = 4
    preset: str = PRESET
    core: CoreConfig = field(default_factory=CoreConfig)
    title: str = "A made-up study"
    question: str = "Is it right?"
    baselines: dict[str, str] = field(default_factory=dict)
    noise: dict[str, float] = field(default_factory=dict)
    failed: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    absent: set[tuple[str, int]] = field(default_factory=set)
    predictions: bool = True
    host: str = "a-host"
    reverse: bool = False

    @property
    def definition(self) -> dict[str, Any]:
        plain = super().definition
        baselines = plain["baselines"] | self.baselines
        return plain | {"title": self.title, "question": self.question, "baselines": baselines}

    def outcome(self, trial: Trial) -> Outcome:
        label, seed = trial.arm.label, trial.seed
        outcome = super().outcome(trial)
        outcome.environment["host"] = self.host
        if (label, seed) in self.failed:
            error = self.failed[label, seed]
            traceback = f"Traceback ...\n{': '.join(error)}"
            return Outcome(trial.key, environment=outcome.environment, error=error, traceback=traceback)
        for test_set in self.test_sets.values():
            if test_set.name in outcome.evaluations:
                found = evaluation(test_set, self.noise.get(label, DEGREES), label, seed)
                if not self.predictions:
                    found = replace(found, rotations=np.zeros((0, 3, 3), np.float32), strengths=found.strengths[:0])
                outcome.evaluations[test_set.name] = found
        if not self.predictions:
            outcome.epochs, outcome.diagnostics = [], {}
        return outcome


def fill(store: Store, study: MadeUp) -> Store:
    """Put a study's results into a store."""

    def ordered(items: Iterable[Any]) -> Sequence[Any]:
        return list(items)[:: -1 if study.reverse else 1]

    for test_set in ordered(study.test_sets.values()):
        store.add_test_set(test_set)
    store.plan(study.name, study.definition, ordered(study.cells), ordered(study.trials))
    for trial in ordered(study.trials):
        if (trial.arm.label, trial.seed) not in study.absent:
            store.finish(study.outcome(trial))
    return store


def filled_store(folder: Path, study: MadeUp) -> Store:
    """A new store with a study's results."""
    return fill(Store(f"sqlite:///{folder}/{study.name}{'-reverse' * study.reverse}.sqlite"), study)
