"""How long a training takes on this machine: from stored trials, or from a short probe."""

import time
from contextlib import suppress

import numpy as np
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from benchmark.run.environment import environment
from benchmark.run.study_data import grey_set
from benchmark.store import Store
from mhpe.config import CoreConfig
from mhpe.train.loop import NotFiniteError, train
from mhpe.train.references import batches_per_epoch
from samplers.random import Random

PROBE_BATCHES = 6
PROBE_SECONDS = 5.0  # a probe ends after one batch and this number of them, or after this time and two batches
BATCH_PIXELS, SET_PIXELS = 500_000, 40_000_000  # the most pixels of a probe's inputs in a batch, and of its images


def stored_speed(store: Store, preset: str, core: CoreConfig, train_set: str, device: str) -> tuple[float, int] | None:
    """Median seconds of stored trainings of one core on this host and device, and their number; None without any.

    The preset fixes the size of rendered training sets; ``device`` is ``cpu`` or ``cuda``.
    """
    here, config = environment(device, core.precision), core.used()
    seconds = [
        duration
        for identity, ran_on, duration in store.durations(preset, train_set)
        if identity["core"] == config and all(ran_on.get(name) == here[name] for name in ("host", "device"))
    ]
    return (float(np.median(seconds)), len(seconds)) if seconds else None


class _EnoughError(Exception):
    """A probe has measured enough."""


def probe_speed(core: CoreConfig, images: int, device: str) -> float:
    """Seconds of a training on ``images`` images, from some batches with random references on grey ones.

    Large images are trained in smaller batches, and a large training set is a smaller one, so memory is bounded.
    """
    pixels = core.image_size**2
    batch = max(1, min(core.batch_size, images, max(2, BATCH_PIXELS // pixels)))
    data = grey_set("grey", core.image_size, "grey", min(images, max(batch, SET_PIXELS // pixels)))
    probe = core.model_copy(update={"epochs": PROBE_BATCHES, "batch_size": batch})
    times = [time.perf_counter()]

    def after_step(*_: object) -> None:
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()
        times.append(time.perf_counter())
        late = len(times) > 2 and times[-1] - times[0] > PROBE_SECONDS
        if late or len(times) > PROBE_BATCHES + 1:
            raise _EnoughError

    hook, threads = register_optimizer_step_post_hook(after_step), torch.get_num_threads()
    torch.set_num_threads(1)  # as in a run
    try:
        with suppress(_EnoughError, NotFiniteError):
            train(probe, data, Random(), 0, torch.device(device))
    finally:
        hook.remove()
        torch.set_num_threads(threads)
    durations = np.diff(times)
    seconds = float(np.median(durations[1:] if len(durations) > 1 else durations)) / batch  # the first is slow
    return seconds * batches_per_epoch(core, images) * min(core.batch_size, images) * core.epochs
