"""The p of paired differences, and its adjustment for several comparisons."""

from functools import lru_cache
from itertools import count

import numpy as np
from numpy.typing import ArrayLike, NDArray

EXACT_UP_TO = 30  # most pairs whose sign patterns are all counted
RESAMPLES = 99_999  # random sign patterns where there are more pairs
PART = 12  # pairs whose signs are drawn together

Array = NDArray[np.float64]


def sign_flip_p(differences: Array) -> float:
    """Two-sided p of (n,) differences of pairs: the share of sign patterns with a sum at least as far from 0 as theirs.

    This is R. A. Fisher's exact test (The Design of Experiments, 1935, section 21). If arm and baseline are
    exchangeable within a pair, then each difference is as likely to have the other sign, whatever its distribution. All
    2^n patterns are counted up to n = 30; beyond, 99,999 are drawn with a fixed seed, and the observed pattern is one
    more.

    The same as scipy's permutation_test, which takes seconds from n = 20 on where this takes milliseconds: a report
    tests hundreds of arms.
    """
    rounding = 1e-12 * np.abs(differences).sum()
    observed = abs(differences.sum()) - rounding
    if len(differences) > EXACT_UP_TO:
        return (1 + np.count_nonzero(np.abs(_drawn_sums(differences)) >= observed)) / (1 + RESAMPLES)
    # Every pattern is one of the first half and one of the second: their sums add up to `observed` or more for all
    # patterns of the second half from a place on in order. The negative patterns are as many.
    middle = len(differences) // 2
    first, second = _sums(differences[:middle]), np.sort(_sums(differences[middle:]))
    if observed <= 0:
        return 1.0
    reaching = len(second) - np.searchsorted(second, observed - first)
    return float(2 * reaching.sum() / 2 ** len(differences))


def _sums(differences: Array) -> Array:
    """Sums of all sign patterns, (2^n,)."""
    sums = np.zeros(1)
    for difference in differences:
        sums = np.concatenate((sums + difference, sums - difference))
    return sums


def _drawn_sums(differences: Array) -> Array:
    """Sums of random sign patterns, (RESAMPLES,)."""
    total = np.zeros(RESAMPLES)
    for start, places in zip(count(0, PART), _places(len(differences), RESAMPLES), strict=False):
        total += _sums(differences[start : start + PART])[places]
    return total


@lru_cache(maxsize=2)  # most arms of a study have as many pairs
def _places(pairs: int, resamples: int) -> list[NDArray[np.int64]]:
    """Which sums of each part's patterns are drawn."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 2 ** min(PART, pairs - start), resamples) for start in range(0, pairs, PART)]


def smallest_p(n: int) -> float:
    """The smallest p that the test can give with n pairs: 2 of 2^n sign patterns."""
    return float(2.0 ** (1 - n))


def attainable_level(n: int, alpha: float) -> float:
    """The largest p below ``alpha`` that the test can give with n pairs; 0 where all are larger.

    Its p are multiples of :func:`smallest_p`, so with few pairs the test is stricter than ``alpha``.
    """
    step = smallest_p(n)
    return alpha if n > EXACT_UP_TO else float((np.ceil(alpha / step - 1e-9) - 1) * step)


def holm(p: ArrayLike, family: int = 0) -> Array:
    """Holm's step-down adjustment (Holm 1979) of (n,) p: controls the chance of any false finding in a family.

    NaN stands for a comparison without p, and stays NaN. ``family`` is the number of comparisons planned, those without
    p included; if it is smaller than the number of p, that number counts.
    """
    adjusted = np.array(p, dtype=float)
    order = np.argsort(adjusted)[: np.count_nonzero(~np.isnan(adjusted))]  # NaN are sorted last
    size = max(family, len(order))
    factors = size - np.arange(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * adjusted[order]), 1)
    return adjusted


def benjamini_hochberg(p: ArrayLike) -> Array:
    """Adjusted (n,) p of Benjamini and Hochberg (1995), called q: controls the share of false findings among findings.

    NaN stands for a comparison without p, stays NaN and does not count.
    """
    q = np.array(p, dtype=float)
    order = np.argsort(q)[: np.count_nonzero(~np.isnan(q))]
    scaled = q[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return q
