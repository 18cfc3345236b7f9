"""Synthetic results of a study: predictions whose errors are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import roma
import torch

from benchmark.store import Store
from benchmark.store.outcome import Evaluation, Outcome
from benchmark.study.arms import Arm
from benchmark.study.presets import PRESETS
from benchmark.study.protocols import protocol
from benchmark.study.trial import Planned, Trial
from mhpe.config import CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.model.mhpe import PARTS
from mhpe.rotations import from_euler
from mhpe.train import Epoch
from mhpe.train.metrics import errors, summary
from samplers.base import Sampler

DEGREES = 6.0
"""Standard deviation of a prediction's rotation vector, each component."""


@dataclass
class SyntheticStudy:
    """A study and its results.

    Attributes:
        name: of the study.
        arms: samplers by label; the first arm is the baseline.
        seeds: number of paired seeds.
        protocols: names.
        preset: name of the preset.
        core: of all arms.
        images: number of images of a test set, three of a person.
    """

    name: str
    arms: Mapping[str, Sampler]
    seeds: int
    protocols: Sequence[str] = ("synth_1", "synth_2")
    preset: str = "paper"
    core: CoreConfig = field(default_factory=lambda: CoreConfig.model_validate(PRESETS["paper"].core))
    images: int = 60

    @property
    def definition(self) -> dict[str, Any]:
        """As :attr:`benchmark.study.study.Study.definition`."""
        baseline = next(iter(self.arms))
        baselines = dict.fromkeys(self.arms, baseline)
        return {"title": self.name, "question": "Is it right?", "baseline": baseline, "baselines": baselines}

    @cached_property
    def test_sets(self) -> dict[str, HeadPoseSet]:
        """The test sets by protocol."""
        return {name: _test_set(protocol(name).test, self.images) for name in self.protocols}

    @cached_property
    def cells(self) -> list[Planned]:
        """The cells of the study's table."""
        return [
            Planned(
                self.name, self.preset, name, label, position, sampler.model_dump(mode="json"), seed,
                self._trial(name, label, seed).key, self.test_sets[name].fingerprint,
            )
            for name in self.protocols
            for position, (label, sampler) in enumerate(self.arms.items())
            for seed in range(self.seeds)
        ]  # fmt: skip

    @cached_property
    def trials(self) -> list[Trial]:
        """The trials, which protocols with the same training set share."""
        trials = (self._trial(cell.protocol, cell.arm, cell.seed) for cell in self.cells)
        return list({trial.key: trial for trial in trials}.values())

    def _trial(self, name: str, label: str, seed: int) -> Trial:
        train_set = protocol(name).train
        return Trial(Arm(label, self.arms[label], self.core), train_set, f"{train_set} content", seed)

    def outcome(self, trial: Trial) -> Outcome:
        """The result of a trial."""
        label, seed = trial.arm.label, trial.seed
        ran_on = {"host": "a-host", "commit": "abcdef123456", "packages": {"torch": "2.11"}, "device": "a processor"}
        evaluations = {
            test_set.name: evaluation(test_set, DEGREES, label, seed)
            for name, test_set in self.test_sets.items()
            if protocol(name).train == trial.train_set
        }
        epochs = [
            Epoch(number, dict.fromkeys(("total", *PARTS), 2 / (1 + number)), 0.01, 3.0)
            for number in range(trial.arm.core.epochs)
        ]
        diagnostics = {"distance": {"width": 5.0, "mean": 90.0, "shares": [1 / 36] * 36}}
        return Outcome(trial.key, evaluations, epochs, b"", 50.0 + seed, 352_281, ran_on, diagnostics=diagnostics)


def fill(store: Store, study: SyntheticStudy) -> None:
    """Put a study and its results into a store."""
    for test_set in study.test_sets.values():
        store.add_test_set(test_set)
    store.plan(study.name, study.definition, study.cells, study.trials)
    for trial in study.trials:
        store.finish(study.outcome(trial))


def _test_set(name: str, images: int) -> HeadPoseSet:
    angles = np.random.default_rng(len(name)).normal(0, (35, 15, 10), (images, 3)).clip(-88, 88).astype(np.float32)
    rotations = from_euler(torch.from_numpy(angles)).numpy()
    meta = {"name": name, "crop_rule": "a synthetic crop", "size": 64, "found": images + 2, "beyond_max_angle": 2}
    ids = tuple(f"{name}{i}" for i in range(images))
    pixels = np.zeros((images, 3, 1, 1), np.uint8)
    return HeadPoseSet(name, Path(), pixels, rotations, angles, ids, np.arange(images) // 3, f"{name:0<64}", meta)


def evaluation(test_set: HeadPoseSet, degrees: float, label: str, seed: int) -> Evaluation:
    """Predictions turned away from the label by rotation vectors with this standard deviation in each component."""
    rng = np.random.default_rng(sum(map(ord, label)) * 1000 + seed)  # the same in every process
    turn = torch.from_numpy(np.radians(rng.normal(0, degrees, (len(test_set), 3))))
    labels = torch.from_numpy(test_set.rotations).double()
    predicted = labels @ roma.rotvec_to_rotmat(turn)
    found = summary(errors(predicted, labels, torch.from_numpy(test_set.angles)))
    strengths = np.full((len(test_set), 3), 0.5 / np.radians(degrees) ** 2, np.float32)
    return Evaluation(test_set.fingerprint, found, predicted.float().numpy(), strengths)
