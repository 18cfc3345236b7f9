"""The row of two processes: do two trainings at a time get what two processors give?"""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier

import numpy as np
import torch

from mhpe.config import CoreConfig
from samplers.random import Random
from tools.perf.made_up import made_up_set
from tools.perf.rows import Goal, Row, Setting
from tools.perf.stopwatch import step_seconds

SECONDS = 6.0
TURNS = 3
IMAGES = 4000
SPAWN = multiprocessing.get_context("spawn")


def processes_row(_: Setting) -> Iterator[Row]:
    """Speed-up of two trainings over one, against that of two bare loops of matrix products over one."""
    speedups = np.array([[_speedup(work) for work in (_trainings, _products)] for _ in range(TURNS)])
    low, ratio, high = np.quantile(speedups[:, 0] / speedups[:, 1], (0.25, 0.5, 0.75))
    ours, theirs = np.median(speedups, axis=0)
    yield Row(
        "two trainings at once: speed-up over one",
        float(ours),
        "times",
        "two bare loops of matrix products, over one",
        float(theirs),
        float(ratio),
        float(low),
        float(high),
        Goal(">=", 0.95),
        "preset standard; each process has one thread",
    )


def _speedup(work: Callable[[], Callable[[], object]]) -> float:
    """Work done by two processes at a time over that of one."""
    return _rate(work, 2) / _rate(work, 1)


def _rate(work: Callable[[], Callable[[], object]], processes: int) -> float:
    """Units of work a second of so many processes at once, in all."""
    barrier, queue = SPAWN.Barrier(processes), SPAWN.Queue()
    running = [SPAWN.Process(target=_count, args=(work, barrier, queue), daemon=True) for _ in range(processes)]
    for process in running:
        process.start()
    total = sum(queue.get(timeout=20 * SECONDS) for _ in running)
    for process in running:
        process.join()
    return float(total)


def _count(work: Callable[[], Callable[[], object]], barrier: Barrier, queue: "multiprocessing.Queue[float]") -> None:
    torch.set_num_threads(1)
    unit = work()
    unit()
    barrier.wait()
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < SECONDS:
        unit()
        done += 1
    queue.put(done / (time.perf_counter() - started))


def _trainings() -> Callable[[], object]:
    data = made_up_set(IMAGES, CoreConfig().image_size)
    return lambda: step_seconds(CoreConfig(), data, Random(), torch.device("cpu"), 10)


def _products() -> Callable[[], object]:
    first, second = torch.randn(2, 384, 384)
    return lambda: first @ second
