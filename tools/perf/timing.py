"""Two ways to do one thing, timed in turn: a machine's speed changes by the minute, its ratio much less."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

Measurement = Callable[[], float]
"""Does some work; gives the seconds that a unit of it took."""


@dataclass(frozen=True)
class Paired:
    """What came of timing two measurements in turn.

    Attributes:
        ours: median of the first one's seconds.
        theirs: median of the second one's seconds.
        ratio: median over the turns of theirs / ours: how many times faster the first one is.
        low: first quartile of it.
        high: third quartile of it.
    """

    ours: float
    theirs: float
    ratio: float
    low: float
    high: float


def paired(ours: Measurement, theirs: Measurement, turns: int = 7, units: int = 1) -> Paired:
    """Time two measurements in turn, each once before it counts.

    Args:
        ours: the first one.
        theirs: the second one.
        turns: that count.
        units: of work that a measurement's seconds are of.
    """
    ours(), theirs()
    seconds = np.array([(ours(), theirs()) for _ in range(turns)]) / units
    ratios = seconds[:, 1] / seconds[:, 0]
    low, ratio, high = np.quantile(ratios, (0.25, 0.5, 0.75))
    mine, other = np.median(seconds, axis=0)
    return Paired(float(mine), float(other), float(ratio), float(low), float(high))


def timed(work: Callable[[], object], device: torch.device, times: int = 1) -> Measurement:
    """The seconds that one call takes, of so many calls at a time."""

    def measure() -> float:
        synchronize(device)
        started = time.perf_counter()
        for _ in range(times):
            work()
        synchronize(device)
        return (time.perf_counter() - started) / times

    return measure


def synchronize(device: torch.device) -> None:
    """Wait until a graphics card has done what it was given; a processor always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
