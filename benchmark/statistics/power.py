"""How many seeds a difference needs, and what a number of seeds can show."""

import itertools
import math
from bisect import bisect_left

import numpy as np
from scipy.special import nctdtr, ndtri, stdtrit

from benchmark.statistics.sign_flip import attainable_level, smallest_p
from mhpe.errors import InputError


def seeds_needed(sd: float, difference: float, power: float = 0.8, level: float = 0.95, comparisons: int = 1) -> int:
    """Paired seeds with which a true difference is found with the wanted power.

    The power is that of the two-sided paired t test at the level that the exact sign-flip test attains with that number
    of seeds. With several comparisons alpha is divided by their number (Bonferroni), which Holm's adjustment never
    exceeds. The verdict itself has a little less power: in simulations, 0.66 to 0.73 instead of 0.8 with the fewest
    seeds that can be significant at all, and 0.74 to 0.81 with more.

    Args:
        sd: standard deviation of the paired differences in degrees, at least 0.
        difference: the true difference in degrees, above 0.
        power: wanted, in (1 - ``level``, 1).
        level: of the verdict, in (0, 1).
        comparisons: arms compared with the baseline.

    Raises:
        InputError: if an argument is out of range.
    """
    _check(sd, power, level, comparisons)
    if not 0 < difference < math.inf:
        raise InputError(f"the difference to detect must be above 0 degrees, not {difference}")
    alpha = (1 - level) / comparisons
    fewest = fewest_pairs(comparisons, level)
    if difference >= smallest_detectable(sd, fewest, power, level, comparisons):
        return fewest
    effect = difference / sd
    most = 2 * math.ceil(((ndtri(1 - alpha / 2) + ndtri(power)) / effect) ** 2) + 50  # far more than the t test needs
    first = bisect_left(range(most), True, lo=fewest, key=lambda n: t_test_power(effect, n, alpha) >= power)
    attained = (t_test_power(effect, n, attainable_level(n, alpha)) for n in itertools.count(first))
    return next(n for n, reached in enumerate(attained, first) if reached >= power)


def smallest_detectable(sd: float, n: int, power: float = 0.8, level: float = 0.95, comparisons: int = 1) -> float:
    """The smallest true difference in degrees that ``n`` paired seeds find with the wanted power.

    Infinite where the exact sign-flip test cannot reach significance at ``n``. Arguments and errors are those of
    :func:`seeds_needed`, of which this is the inverse.
    """
    from scipy.optimize import brentq  # takes a second to import, and reports need none of it

    _check(sd, power, level, comparisons)
    alpha = attainable_level(n, (1 - level) / comparisons)
    if alpha == 0:
        return math.inf
    highest = 2 * (stdtrit(n - 1, 1 - alpha / 2) + ndtri(power) + 5) / math.sqrt(n)
    return sd * float(brentq(lambda effect: t_test_power(effect, n, alpha) - power, 0, highest))


def t_test_power(effect: float, n: int, alpha: float) -> float:
    """Power of the two-sided paired t test, from the noncentral t distribution.

    Args:
        effect: the true difference over the standard deviation of the differences.
        n: number of pairs, 2 or more.
        alpha: level of the test, in (0, 1).
    """
    critical, shift = stdtrit(n - 1, 1 - alpha / 2), effect * math.sqrt(n)
    between, below = np.nan_to_num(nctdtr(n - 1, shift, [critical, -critical]))  # NaN stands for less than 1e-20
    return float(1 - between + below)


def fewest_pairs(comparisons: int = 1, level: float = 0.95) -> int:
    """The fewest paired seeds with which the exact sign-flip test can be significant."""
    return next(n for n in itertools.count(2) if smallest_p(n) < (1 - level) / comparisons)


def _check(sd: float, power: float, level: float, comparisons: int) -> None:
    if not 0 <= sd < math.inf:
        raise InputError(f"the standard deviation must be at least 0 degrees, not {sd}")
    if not 0 < level < 1:
        raise InputError(f"the level must be between 0 and 1, not {level}")
    if not 1 - level < power < 1:
        raise InputError(f"the power must be between {1 - level:g} and 1, not {power}")
    if comparisons < 1:
        raise InputError(f"there must be at least one comparison, not {comparisons}")
