"""What a worker process does: train one trial and evaluate it."""

import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray

from benchmark.environment import environment
from benchmark.trial import Trial
from mhpe.config import CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.metrics import errors, summary
from mhpe.model import MHPE
from mhpe.training import Epoch, train
from samplers.base import Sampler
from samplers.registry import Registry, load_source, sampler_classes


@dataclass(frozen=True)
class Task:
    """A trial as plain data, ready for another process or machine.

    Attributes:
        key: the trial's key.
        sampler: the sampler's name.
        parameters: of the sampler.
        sampler_source: path and text of the user's file that defines it, if any.
        core: the core's configuration.
        seed: of all randomness.
        train_folder: prepared training set.
        test_folders: prepared test sets by name.
        device: where to train.
        weights: trained weights, when only an evaluation is missing.
    """

    key: str
    sampler: str
    parameters: Mapping[str, Any]
    sampler_source: tuple[Path, str] | None
    core: CoreConfig
    seed: int
    train_folder: Path
    test_folders: Mapping[str, Path]
    device: str
    weights: bytes | None = None

    @classmethod
    def of(
        cls, trial: Trial, train_folder: Path, test_folders: Mapping[str, Path], device: str, weights: bytes | None
    ) -> "Task":
        """The task of a trial."""
        sampler, file = trial.arm.sampler, trial.arm.sampler_file
        source = (file, file.read_text(encoding="utf-8")) if file else None
        return cls(
            trial.key,
            sampler.name,
            sampler.model_dump(),
            source,
            trial.arm.core,
            trial.seed,
            train_folder,
            test_folders,
            device,
            weights,
        )

    def build_sampler(self) -> Sampler:
        """The sampler, from the user's source if there is one."""
        if self.sampler_source is None:
            return Registry().build(self.sampler, self.parameters, self.key)
        path, text = self.sampler_source
        classes = {cls.name: cls for cls in sampler_classes(load_source(text, path))}
        return classes[self.sampler](**self.parameters)


@dataclass(frozen=True)
class Evaluation:
    """A trial's result on one test set.

    Attributes:
        fingerprint: of the test set's content.
        metrics: as :func:`mhpe.metrics.summary` names them, degrees.
        rotations: (N, 3, 3) predictions.
        strengths: (N, 3) predicted concentrations.
    """

    fingerprint: str
    metrics: dict[str, float]
    rotations: NDArray[np.float32]
    strengths: NDArray[np.float32]


@dataclass
class Outcome:
    """What came of a task.

    Attributes:
        key: the trial's key.
        evaluations: by name of the test set.
        epochs: the training's history; empty if only an evaluation was missing.
        weights: the trained weights in safetensors format.
        seconds: duration of the training.
        parameters: number of the network's weights.
        environment: what it ran on.
        error: type and message of what ended the trial, or None.
        traceback: of the error.
    """

    key: str
    evaluations: dict[str, Evaluation] = field(default_factory=dict)
    epochs: list[Epoch] = field(default_factory=list)
    weights: bytes | None = None
    seconds: float = 0.0
    parameters: int = 0
    environment: dict[str, Any] = field(default_factory=dict)
    error: tuple[str, str] | None = None
    traceback: str | None = None


def execute(task: Task) -> Outcome:
    """Do a task. Whatever goes wrong is part of the outcome: a study goes on without it."""
    torch.set_num_threads(1)  # several processes beat several threads for networks this small
    outcome = Outcome(task.key)
    try:
        outcome.environment = environment(task.device, task.core.precision)
        model = _restore(task) if task.weights else _train(task, outcome)
        outcome.parameters = sum(parameter.numel() for parameter in model.parameters())
        for name, folder in task.test_folders.items():
            outcome.evaluations[name] = evaluate(model, HeadPoseSet.load(folder))
    except Exception as error:  # a failed trial is a row in the store
        outcome.error = (type(error).__name__, str(error))
        outcome.traceback = traceback.format_exc()
    return outcome


def evaluate(model: MHPE, data: HeadPoseSet) -> Evaluation:
    """Predict a test set and measure the errors."""
    prediction = model.predict(torch.from_numpy(data.images))
    found = errors(prediction.rotations, torch.from_numpy(data.rotations), torch.from_numpy(data.angles))
    return Evaluation(data.fingerprint, summary(found), prediction.rotations.numpy(), prediction.strengths.numpy())


def _train(task: Task, outcome: Outcome) -> MHPE:
    started = time.perf_counter()
    data = HeadPoseSet.load(task.train_folder)
    model = train(task.core, data, task.build_sampler(), task.seed, torch.device(task.device), outcome.epochs.append)
    outcome.seconds = time.perf_counter() - started
    state = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
    outcome.weights = safetensors.torch.save(state)
    return model


def _restore(task: Task) -> MHPE:
    model = MHPE(task.core, task.seed)
    model.load_state_dict(safetensors.torch.load(task.weights or b""))
    return model.to(task.device)
