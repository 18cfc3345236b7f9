"""How long a training takes on this machine: from stored trials, or from a short probe."""

import time
from dataclasses import dataclass, replace

import numpy as np
import torch

from benchmark.run.environment import environment
from benchmark.store import Store
from mhpe.config import CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.train.loop import train
from mhpe.train.references import batches_per_epoch
from samplers.random import Random

PROBE_BATCHES = 12
PROBE_IMAGES = 640
"""The least number of batches and images that a probe trains on, if the set has as many."""


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


def probe_speed(core: CoreConfig, data: HeadPoseSet, device: str) -> Speed:
    """Train a few batches with random references on ``cpu`` or ``cuda``, and extrapolate.

    Few images repeat more often among a batch's exact references than many do, so the answer is a little low there.
    """
    epoch = core.model_copy(update={"epochs": 1})
    part = _first(data, max(PROBE_BATCHES * core.batch_size, PROBE_IMAGES))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in a run
    try:
        train(epoch, _first(data, 2 * core.batch_size), Random(), 0, torch.device(device))  # the first steps are slow
        started = time.perf_counter()
        train(epoch, part, Random(), 0, torch.device(device))
        seconds = time.perf_counter() - started
    finally:
        torch.set_num_threads(threads)
    share = batches_per_epoch(core, len(part)) / batches_per_epoch(core, len(data))
    return Speed(seconds * core.epochs / share, 0)


def _first(data: HeadPoseSet, count: int) -> HeadPoseSet:
    arrays = ("images", "rotations", "angles", "image_ids", "identities")
    return replace(data, **{name: getattr(data, name)[:count] for name in arrays})
