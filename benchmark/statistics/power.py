"""How many seeds a difference needs, what a number of seeds can show, and what a pilot says of both."""

import itertools
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import scipy  # which loads its parts when they are used, and takes long to load all

from benchmark.statistics.intervals import LEVEL
from benchmark.statistics.p_values import attainable_level, smallest_p
from benchmark.statistics.verdicts import paired_differences, seed_table

POWER = 0.8  # share of true differences that are to be found


def seeds_needed(sd: float, difference: float, comparisons: int = 1) -> int:
    """Paired seeds that find a true ``difference`` > 0 with 80 % power, where differences scatter by ``sd``; degrees.

    The power is that of the two-sided paired t test at the level that the exact sign-flip test attains with that number
    of seeds. With several comparisons alpha is divided by their number (Bonferroni), which Holm's adjustment never
    exceeds. The verdict itself has a little less power: in simulations, 0.66 to 0.73 instead of 0.8 with the fewest
    seeds that can be significant at all, and 0.74 to 0.81 with more.
    """
    alpha, effect = (1 - LEVEL) / comparisons, difference / sd if sd else math.inf
    by_z_test = int((scipy.special.ndtri([1 - alpha / 2, POWER]).sum() / effect) ** 2)  # which needs fewer
    counts = itertools.count(max(fewest_pairs(comparisons), by_z_test))
    return next(n for n in counts if t_test_power(effect, n, attainable_level(n, alpha)) >= POWER)


def smallest_detectable(sd: float, n: int, comparisons: int = 1) -> float:
    """The smallest true difference in degrees that ``n`` paired seeds find with 80 % power.

    The inverse of :func:`seeds_needed`; infinite where the exact sign-flip test cannot reach significance at ``n``.
    """
    alpha = attainable_level(n, (1 - LEVEL) / comparisons)
    if alpha == 0:
        return math.inf
    highest = 2 * (scipy.special.stdtrit(n - 1, 1 - alpha / 2) + scipy.special.ndtri(POWER) + 5) / math.sqrt(n)
    return sd * float(scipy.optimize.brentq(lambda effect: t_test_power(effect, n, alpha) - POWER, 0, highest))


def t_test_power(effect: float, n: int, alpha: float) -> float:
    """Power of the two-sided paired t test with ``n`` > 1 pairs at level ``alpha``, from the noncentral t distribution.

    ``effect`` is the true difference over the standard deviation of the differences.
    """
    critical, shift = scipy.special.stdtrit(n - 1, 1 - alpha / 2), effect * math.sqrt(n)
    ends = scipy.special.nctdtr(n - 1, shift, [critical, -critical])
    between, below = np.nan_to_num(ends)  # NaN stands for less than 1e-20
    return float(1 - between + below)


def fewest_pairs(comparisons: int = 1) -> int:
    """The fewest paired seeds with which the exact sign-flip test can be significant."""
    return next(n for n in itertools.count(2) if smallest_p(n) < (1 - LEVEL) / comparisons)


def spreads(cells: pd.DataFrame, baselines: Mapping[str, str]) -> pd.DataFrame:
    """Of the cells of one preset on one protocol, by arm: its ``pairs`` of seeds, and the ``sd`` of their differences.

    Degrees of MAE; arms with two pairs or more. ``baselines`` are given by arm.
    """
    differences = paired_differences(seed_table(cells), baselines)
    found = pd.DataFrame({"pairs": differences.count(), "sd": differences.std()})
    return found[found["pairs"] > 1]


def pooled(found: pd.DataFrame) -> tuple[float, float, float]:
    """The standard deviation that :func:`spreads` have in common, and the ends of its 95 % interval (chi-squared).

    The arms share the baseline's seeds, so the interval is a little too narrow.
    """
    freedom = int((found["pairs"] - 1).sum())
    squares = float(((found["pairs"] - 1) * found["sd"] ** 2).sum())
    tails = (1 + LEVEL) / 2, (1 - LEVEL) / 2
    low, high = (math.sqrt(squares / float(scipy.special.chdtri(freedom, 1 - tail))) for tail in tails)
    return math.sqrt(squares / freedom), low, high
