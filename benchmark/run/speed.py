"""How long a training takes on this machine: from stored trials, or from a short probe."""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import PrivateAttr
from torch import Tensor

from benchmark.run.environment import environment
from benchmark.store import Store
from mhpe.config import CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.poses import Poses
from mhpe.train.loop import NotFiniteError, train
from mhpe.train.references import batches_per_epoch
from samplers.random import Random

PROBE_BATCHES = 6
PROBE_SECONDS = 5.0  # a probe ends after as many batches, or after this time and two batches
BATCH_PIXELS, SET_PIXELS = 500_000, 40_000_000  # the most pixels of a probe's inputs in a batch, and of its images


@dataclass(frozen=True)
class Speed:
    """Duration of a training."""

    seconds: float  # of one training
    trials: int  # stored trainings that it is the median of; 0 for a probe


def stored_speed(store: Store, preset: str, core: CoreConfig, train_set: str, device: str) -> Speed | None:
    """Median duration of stored trainings of one core, on this host and device; None if there is none.

    The preset fixes the size of rendered training sets; ``device`` is ``cpu`` or ``cuda``.
    """
    here, config = environment(device, core.precision), core.used()
    seconds = [
        duration
        for identity, ran_on, duration in store.durations(preset, train_set)
        if identity["core"] == config and all(ran_on.get(name) == here[name] for name in ("host", "device"))
    ]
    return Speed(float(np.median(seconds)), len(seconds)) if seconds else None


class _EnoughError(Exception):
    """A probe has measured enough."""


class _Stopwatch(Random):
    """Random references; notes when each batch begins, and ends the training after some of them."""

    _notes: list[float] = PrivateAttr(default_factory=list)

    def note(self) -> None:
        """Write down the time."""
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()
        self._notes.append(time.perf_counter())

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """Draw at random, (B, k)."""
        measured = len(self._notes) - 2  # whole batches: the first note is of the training's start
        late = time.perf_counter() - self._notes[0] > PROBE_SECONDS
        if measured == PROBE_BATCHES or (measured > 0 and late):
            raise _EnoughError
        self.note()
        return super().draw(query, k, generator)

    def batch_seconds(self, batches: int) -> float:
        """Median time of a batch but the first, which is slow, in a probe of so many batches without references."""
        durations = np.diff(self._notes)
        drawn = durations[1:] if len(durations) > 1 else durations / batches
        return float(np.median(drawn[1:] if len(drawn) > 1 else drawn))


def probe_speed(core: CoreConfig, images: int, device: str) -> Speed:
    """Train some batches with random references on grey images, and extrapolate; no data set is needed.

    Large images are trained in smaller batches, and a large training set is a smaller one, so memory is bounded.

    Args:
        core: the core's configuration.
        images: in the training set.
        device: where to train, "cpu" or "cuda".
    """
    pixels = core.image_size**2
    batch = max(1, min(core.batch_size, images, max(2, BATCH_PIXELS // pixels)))
    count = min(images, max(batch, SET_PIXELS // pixels))
    if core.k == 0:  # then nothing is drawn, and the epoch's end ends the probe
        count = min(count, 2 * batch)
    probe = core.model_copy(update={"epochs": 1, "batch_size": batch})
    stopwatch = _Stopwatch()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in a run
    try:
        stopwatch.note()
        with suppress(_EnoughError, NotFiniteError):
            train(probe, _grey(count, core.image_size), stopwatch, 0, torch.device(device))
        stopwatch.note()
    finally:
        torch.set_num_threads(threads)
    seconds = stopwatch.batch_seconds(batches_per_epoch(probe, count)) / batch
    inputs = batches_per_epoch(core, images) * min(core.batch_size, images)
    return Speed(seconds * inputs * core.epochs, 0)


def _grey(count: int, size: int) -> HeadPoseSet:
    """A set of one grey image, which takes the memory of one, in random poses."""
    images = torch.full((1, 3, size, size), 128, dtype=torch.uint8).expand(count, -1, -1, -1)
    angles = torch.randn(count, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([30.0, 15.0, 10.0])
    poses = Poses.from_angles(angles)
    numbers, names = poses.index.numpy(), tuple(map(str, range(count)))
    return HeadPoseSet(
        "grey", Path(), images.numpy(), poses.rotations.numpy(), angles.numpy(), names, numbers, "grey", {}
    )
