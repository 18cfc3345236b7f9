"""How many seeds a difference needs, and what a number of seeds can show."""

import itertools
import math

from statsmodels.stats.power import TTestPower

from benchmark.statistics.sign_flip import attainable_level, smallest_p
from mhpe.errors import InputError


def seeds_needed(sd: float, difference: float, power: float = 0.8, level: float = 0.95, comparisons: int = 1) -> int:
    """Paired seeds with which a true difference is found with the wanted power.

    That of the two-sided paired t test at the level that the exact sign-flip test attains with so many seeds. With
    several comparisons alpha is divided by their number (Bonferroni), which Holm's adjustment never exceeds. The
    verdict itself has a little less power: in simulations, 0.66 to 0.73 instead of 0.8 with the fewest seeds that can
    be significant at all, and 0.74 to 0.81 with more.

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
    test, effect = TTestPower(), difference / sd
    first = math.ceil(float(test.solve_power(effect_size=effect, alpha=alpha, power=power)))
    return next(
        n for n in itertools.count(max(first, fewest)) if test.power(effect, n, attainable_level(n, alpha)) >= power
    )


def smallest_detectable(sd: float, n: int, power: float = 0.8, level: float = 0.95, comparisons: int = 1) -> float:
    """The smallest true difference in degrees that ``n`` paired seeds find with the wanted power.

    Infinite where the exact sign-flip test cannot reach significance at ``n``. Arguments and errors are those of
    :func:`seeds_needed`, of which this is the inverse.
    """
    _check(sd, power, level, comparisons)
    alpha = attainable_level(n, (1 - level) / comparisons)
    if alpha == 0:
        return math.inf
    return sd * float(TTestPower().solve_power(nobs=n, alpha=alpha, power=power))


def fewest_pairs(comparisons: int = 1, level: float = 0.95) -> int:
    """The fewest paired seeds with which the exact sign-flip test can be significant, with so many comparisons."""
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
