"""Means with their intervals, and odd values."""

import math

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95  # of all intervals; verdicts and plans test at 1 - LEVEL
FAR = 3.0
"""Median absolute deviations, scaled to a normal distribution's standard deviation, beyond which a seed is marked."""
NORMAL = 1.4826  # standard deviation of a normal distribution, in median absolute deviations
FEWEST = 4  # values from which the middle half and the spread of the others mean anything

Array = NDArray[np.float64]


def half_width(values: ArrayLike) -> float:
    """Half the Student-t interval of the mean of (n,) values without the NaN; NaN for fewer than two values."""
    present = np.asarray(values, dtype=float)
    present = present[~np.isnan(present)]
    n = len(present)
    return student_quantile(n - 1) * float(present.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan


def mean_interval(values: Array) -> tuple[float, float, float]:
    """Mean of (n,) finite values, and both ends of its Student-t interval; NaN where there are too few."""
    mean, reach = float(np.mean(values)) if len(values) else math.nan, half_width(values)
    return mean, mean - reach, mean + reach


def student_quantile(freedom: float) -> float:
    """How many standard errors a two-sided Student-t interval reaches to each side."""
    return float(scipy.special.stdtrit(freedom, (1 + LEVEL) / 2))


def interquartile_mean(values: ArrayLike, resamples: int = 2000) -> tuple[float, float, float]:
    """Mean of the middle half of (n,) finite values, and both ends of its percentile bootstrap interval.

    As rliable has it (Agarwal et al., Deep reinforcement learning at the edge of the statistical precipice, NeurIPS
    2021). All NaN for fewer than four values.
    """
    runs = np.asarray(values, float)
    if len(runs) < FEWEST:
        return np.nan, np.nan, np.nan
    draws = np.random.default_rng(0).integers(0, len(runs), (resamples, len(runs)))
    low, high = np.quantile(_middle_half(runs[draws]), ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(_middle_half(runs[None])[0]), float(low), float(high)


def _middle_half(values: Array) -> Array:
    """Mean of each row of (m, n) without its smallest and largest quarter; scipy.stats takes seconds to import."""
    cut = values.shape[1] // 4
    return np.asarray(np.sort(values, axis=1)[:, cut : values.shape[1] - cut].mean(1))


def far_from_median(values: Array) -> NDArray[np.bool_]:
    """Which of (n,) finite values lie beyond ``FAR`` scaled median absolute deviations; none of fewer than four."""
    distance = np.abs(values - np.median(values)) if len(values) else values
    if len(values) < FEWEST or not (spread := NORMAL * float(np.median(distance))):
        return np.zeros(len(values), bool)
    return distance > FAR * spread
