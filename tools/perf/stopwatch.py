"""How long the steps of the real training loop take."""

import time

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mhpe.config import CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.poses import Poses
from mhpe.train.loop import train
from samplers.base import Sampler
from tools.perf.timing import synchronize

SKIPPED = 2
"""First steps, which make buffers and choose algorithms, do not count."""


class _EnoughError(Exception):
    """Ends a training."""


class _Stopwatch:
    """Takes a sampler's place in a training, notes when each step begins, and ends the training after some.

    Args:
        sampler: draws.
        steps: after which the training ends.
        device: of the training.

    Attributes:
        marks: beginning of each step, seconds.
    """

    def __init__(self, sampler: Sampler, steps: int, device: torch.device) -> None:
        self._sampler, self._steps, self._device = sampler, steps, device
        self.marks: list[float] = []

    def fit(self, poses: Poses, progress: float) -> None:
        self._sampler.fit(poses, progress)

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        if len(self.marks) in (0, SKIPPED, self._steps):  # between them a card runs ahead of the host, as always
            synchronize(self._device)
        self.marks.append(time.perf_counter())
        if len(self.marks) > self._steps:
            raise _EnoughError
        return self._sampler.draw(query, k, generator)


def step_seconds(
    config: CoreConfig, data: HeadPoseSet, sampler: Sampler, device: torch.device, steps: int
) -> NDArray[np.float64]:
    """Durations of the first whole steps of a training: draws, loading, augmentation, forward, backward, update.

    Args:
        config: the core.
        data: the training set; it must have enough batches.
        sampler: draws the references.
        device: where to train.
        steps: that count.

    Returns:
        (steps,) seconds. On a graphics card only their sum means something.
    """
    watch = _Stopwatch(sampler, SKIPPED + steps, device)
    try:
        train(config, data, watch, 0, device)
    except _EnoughError:
        return np.diff(watch.marks)[SKIPPED:]
    raise ValueError(f"a training of {len(watch.marks)} steps is too short to time {SKIPPED + steps}")
