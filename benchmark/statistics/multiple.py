"""Adjustment of p for several comparisons."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def holm(p: ArrayLike, family: int = 0) -> Array:
    """Holm's step-down adjustment (Holm 1979): controls the chance of any false finding in a family.

    Args:
        p: (n,), NaN where a comparison has none; NaN stays NaN.
        family: number of comparisons planned, those without p included. If it is smaller than the number of p, that
            number counts.
    """
    adjusted = np.array(p, dtype=float)
    order = np.argsort(adjusted)[: np.count_nonzero(~np.isnan(adjusted))]  # NaN are sorted last
    size = max(family, len(order))
    factors = size - np.arange(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * adjusted[order]), 1)
    return adjusted


def benjamini_hochberg(p: ArrayLike) -> Array:
    """Adjusted p of Benjamini and Hochberg (1995), called q: controls the share of false findings among all findings.

    Args:
        p: (n,), NaN where a comparison has none; NaN stays NaN and does not count.
    """
    q = np.array(p, dtype=float)
    order = np.argsort(q)[: np.count_nonzero(~np.isnan(q))]
    scaled = q[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return q
