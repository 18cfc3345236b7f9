"""A store filled with made-up results: no training, but predictions whose errors are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import roma
import torch

from benchmark.arms import Arm
from benchmark.outcome import Evaluation, Outcome
from benchmark.store import Store
from benchmark.store.plans import Planned
from benchmark.trial import Trial
from mhpe.config import CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.epoch import Epoch
from mhpe.metrics import errors, summary
from mhpe.rotations import from_euler
from samplers.base import Sampler
from samplers.gaussian import Gaussian
from samplers.random import Random

PRESET = "quick"
TEST_SETS = {"synth_1": "synth_lab", "synth_2": "synth_wild", "protocol_1": "biwi", "protocol_2": "aflw2000"}
TRAIN_SETS = {"synth_1": "synth_train", "synth_2": "synth_train", "protocol_1": "300w_lp", "protocol_2": "300w_lp"}
ARMS: dict[str, Sampler] = {
    "random": Random(),
    "gaussian 15": Gaussian(sigma=15),
    "gaussian 30": Gaussian(sigma=30),
}


@dataclass
class MadeUp:
    """What the made-up study is like.

    Attributes:
        name: of the study.
        title: of the study.
        question: of the study.
        arms: samplers by label; the first arm is the baseline.
        baselines: arms with a baseline of their own.
        protocols: names.
        seeds: number of paired seeds.
        images: number of test images, three of a person.
        noise: error of each arm in degrees; 6 where nothing is said.
        failed: arm and seed to type and message of the error.
        absent: arm and seed of trials that never ran.
        predictions: whether predictions, training history and diagnostics are there.
        host: of all trials.
        core: of all arms.
        reverse: put everything in in the opposite order.
    """

    name: str = "made_up"
    title: str = "A made-up study"
    question: str = "Is it right?"
    arms: Mapping[str, Sampler] = field(default_factory=lambda: dict(ARMS))
    baselines: dict[str, str] = field(default_factory=dict)
    protocols: Sequence[str] = ("synth_1", "synth_2")
    seeds: int = 4
    images: int = 60
    noise: dict[str, float] = field(default_factory=dict)
    failed: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    absent: set[tuple[str, int]] = field(default_factory=set)
    predictions: bool = True
    host: str = "a-host"
    core: CoreConfig = field(default_factory=CoreConfig)
    reverse: bool = False


def fill(store: Store, study: MadeUp) -> Store:
    """Put a study's results into a store."""
    sets = {protocol: _test_set(TEST_SETS[protocol], study.images) for protocol in study.protocols}
    cells, trials = [], {}
    for protocol in study.protocols:
        for position, (label, sampler) in enumerate(study.arms.items()):
            for seed in range(study.seeds):
                train_set = TRAIN_SETS[protocol]
                trial = Trial(Arm(label, sampler, study.core), train_set, f"{train_set} content", seed)
                trials[trial.key] = trial
                cells.append(
                    Planned(
                        study.name, PRESET, protocol, label, position, sampler.model_dump(mode="json"), seed, trial.key,
                        sets[protocol].fingerprint,
                    )
                )  # fmt: skip
    for test_set in _ordered(list(sets.values()), study):
        store.add_test_set(test_set)
    baseline = next(iter(study.arms))
    definition = {
        "title": study.title,
        "question": study.question,
        "baseline": baseline,
        "baselines": dict.fromkeys(study.arms, baseline) | study.baselines,
    }
    store.plan(study.name, definition, _ordered(cells, study), _ordered(list(trials.values()), study))
    for trial in _ordered(list(trials.values()), study):
        if (trial.arm.label, trial.seed) not in study.absent:
            store.finish(_outcome(trial, sets, study))
    return store


def filled_store(folder: Path, study: MadeUp) -> Store:
    """A new store with a study's results."""
    return fill(Store(f"sqlite:///{folder}/{study.name}{'-reverse' * study.reverse}.sqlite"), study)


def _ordered(items: list[Any], study: MadeUp) -> list[Any]:
    return items[::-1] if study.reverse else items


def _test_set(name: str, images: int) -> HeadPoseSet:
    angles = np.random.default_rng(len(name)).normal(0, (35, 15, 10), (images, 3)).clip(-88, 88).astype(np.float32)
    rotations = from_euler(torch.from_numpy(angles)).numpy()
    meta = {"name": name, "crop_rule": "a made-up crop", "size": 64, "found": images + 2, "beyond_max_angle": 2}
    ids = tuple(f"{name}{i}" for i in range(images))
    pixels = np.zeros((images, 3, 1, 1), np.uint8)
    return HeadPoseSet(name, Path(), pixels, rotations, angles, ids, np.arange(images) // 3, f"{name:0<64}", meta)


def _outcome(trial: Trial, sets: dict[str, HeadPoseSet], study: MadeUp) -> Outcome:
    label, seed = trial.arm.label, trial.seed
    environment = {"host": study.host, "commit": "abcdef123456", "packages": {"torch": "2.11"}, "device": "a processor"}
    if (label, seed) in study.failed:
        return Outcome(trial.key, environment=environment, error=study.failed[label, seed], traceback="Traceback ...")
    evaluations = {
        test_set.name: _evaluation(test_set, study.noise.get(label, 6.0), hash_of(label, seed), study.predictions)
        for protocol, test_set in sets.items()
        if TRAIN_SETS[protocol] == trial.train_set
    }
    epochs = [Epoch(i, {"total": 2.0 - i}, 0.01, 3.0) for i in range(3)] if study.predictions else []
    shares = np.full(36, 1 / 36).tolist()
    diagnostics = {"distance": {"width": 5.0, "mean": 90.0, "shares": shares}} if study.predictions else {}
    return Outcome(
        trial.key, evaluations, epochs, b"", 50.0 + seed, 352_281, environment, None, None, diagnostics
    )  # fmt: skip


def hash_of(label: str, seed: int) -> int:
    """A seed for random numbers, the same in every process."""
    return sum(map(ord, label)) * 1000 + seed


def _evaluation(test_set: HeadPoseSet, degrees: float, seed: int, predictions: bool) -> Evaluation:
    """Predictions turned away from the label by rotation vectors with this standard deviation in each component."""
    rng = np.random.default_rng(seed)
    turn = torch.from_numpy(np.radians(rng.normal(0, degrees, (len(test_set), 3))))
    labels = torch.from_numpy(test_set.rotations).double()
    predicted = labels @ roma.rotvec_to_rotmat(turn)
    found = summary(errors(predicted, labels, torch.from_numpy(test_set.angles)))
    strengths = np.full((len(test_set), 3), 0.5 / np.radians(degrees) ** 2, np.float32)
    rotations = predicted.float().numpy() if predictions else np.zeros((0, 3, 3), np.float32)
    return Evaluation(test_set.fingerprint, found, rotations, strengths if predictions else strengths[:0])
