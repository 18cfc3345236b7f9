"""What a worker process does: train one trial and evaluate it."""

import json
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from benchmark.run.environment import environment
from benchmark.store.outcome import Evaluation, Outcome
from benchmark.study.grid import Plan
from mhpe.config import CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.errors import DataSetError, InputError
from mhpe.model.heads import build
from mhpe.model.network import Network
from mhpe.paths import cache_folder
from mhpe.train.checkpoints import Checkpoint
from mhpe.train.loop import NotFiniteError, train
from mhpe.train.metrics import errors, summary
from samplers.base import Sampler
from samplers.support.recorder import Recorder, SamplerError
from samplers.support.registry import Registry, load_source, sampler_classes
from samplers.support.source_digest import module_source


@dataclass(frozen=True)
class Task:
    """A trial as plain data, ready for another process or machine."""

    key: str
    sampler: str
    parameters: Mapping[str, Any]  # of the sampler
    sampler_source: tuple[Path, str] | None  # path and text of the user's file that defines it, if any
    core: CoreConfig
    seed: int  # of all randomness
    train_folder: Path  # prepared training set
    test_folders: Mapping[str, Path]  # prepared test sets by name
    weights: bytes | None = None  # trained weights, when only an evaluation is missing
    device: str = "auto"  # where to train; auto is a graphics card where there is one

    @classmethod
    def of(cls, plan: Plan, key: str, weights: bytes | None = None) -> "Task":
        """The task of a plan's trial."""
        trial = plan.trials[key]
        sampler, file = trial.arm.sampler, trial.arm.sampler_file
        source = (file, module_source(sys.modules[type(sampler).__module__])) if file else None
        arm = (sampler.name, sampler.model_dump(), source, trial.arm.core)
        train_folder = plan.train_sets[trial.fingerprint].folder
        tests = {test.name: test.folder for test in plan.tests[key]}
        return cls(key, *arm, trial.seed, train_folder, tests, weights)

    def build_sampler(self) -> Sampler:
        """The sampler, from the user's source if there is one."""
        if self.sampler_source is None:
            return Registry().build(self.sampler, self.parameters, self.key)
        path, text = self.sampler_source
        classes = {cls.name: cls for cls in sampler_classes(load_source(text, path))}
        return classes[self.sampler](**self.parameters)


def execute(task: Task, watch: Callable[[int, Network], None] = lambda *_: None) -> Outcome:
    """Outcome of a task. An error is part of it, so that a study goes on.

    ``watch`` is called by :func:`mhpe.train.loop.train`, and may raise to stop the training.

    Raises:
        DataSetError: if a prepared data set is missing or damaged, which is no failure of the trial.
    """
    torch.set_num_threads(1)  # several processes beat several threads for networks this small
    outcome = Outcome(task.key)
    try:
        task = replace(task, device=usable_device(task.device))
        if task.device.startswith("cuda:"):
            torch.cuda.set_device(task.device)
        outcome.environment = environment(task.device, task.core.precision)
        if task.weights:
            model = build(task.core, task.seed).to(task.device)
            model.load_state_dict(safetensors.torch.load(task.weights))
        else:
            model = _train(task, outcome, watch)
        outcome.parameters = sum(parameter.numel() for parameter in model.parameters())
        for name, folder in task.test_folders.items():
            outcome.evaluations[name] = evaluate(model, HeadPoseSet.load(folder))
    except DataSetError:
        raise
    except Exception as error:  # a failed trial is a row in the store
        kind = error.kind if isinstance(error, SamplerError) else type(error).__name__
        outcome.error = (kind, _storable(str(error)) or "no message")
        outcome.traceback = _storable(traceback.format_exc())
    return outcome


def usable_device(wanted: str) -> str:
    """``cuda`` or ``cpu`` for ``auto``, any other name as it is; an InputError if this machine does not have it."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: PyTorch finds no CUDA device here; cpu would work")
    return "cuda" if wanted == "auto" and torch.cuda.is_available() else wanted.replace("auto", "cpu")


def forget(key: str) -> None:
    """Delete what this machine keeps of a trial until it is stored: its checkpoint."""
    Checkpoint(_checkpoint_path(key), "").remove()


def evaluate(model: Network, data: HeadPoseSet) -> Evaluation:
    """Predict a test set and measure the errors."""
    prediction = model.predict(torch.from_numpy(data.images))
    needed = (prediction.rotations, prediction.strengths) if model.has_concentration else (prediction.rotations,)
    if not all(values.isfinite().all() for values in needed):
        raise NotFiniteError(f"predictions on {data.name} are not finite")
    found = errors(prediction.rotations, torch.from_numpy(data.rotations), torch.from_numpy(data.angles))
    return Evaluation(data.fingerprint, summary(found), prediction.rotations.numpy(), prediction.strengths.numpy())


def _train(task: Task, outcome: Outcome, watch: Callable[[int, Network], None]) -> Network:
    # Epochs are only continued by the program, the versions and the device that began this very training.
    context = {"trial": task.key} | {
        name: outcome.environment[name] for name in ("core_source", "packages", "device", "precision")
    }
    checkpoint = Checkpoint(_checkpoint_path(task.key), json.dumps(context))
    data = HeadPoseSet.load(task.train_folder)
    outcome.environment["train_images"] = len(data)
    device = torch.device(task.device)
    sampler = Recorder(task.build_sampler(), len(data))
    model = train(task.core, data, sampler, task.seed, device, outcome.epochs.append, checkpoint, watch)
    outcome.seconds, outcome.notes = checkpoint.seconds, checkpoint.notes
    outcome.diagnostics = sampler.statistics.summary() if task.core.k else {}
    state = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
    outcome.weights = safetensors.torch.save(state)
    return model


def _checkpoint_path(key: str) -> Path:
    return cache_folder() / "checkpoints" / f"{key}.pt"


def _storable(text: str) -> str:
    """Text as every database and CSV file takes it: without NUL, lone surrogates and carriage returns."""
    text = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    return text.encode("utf-8", "replace").decode("utf-8")
