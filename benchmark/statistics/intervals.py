"""Student-t intervals."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit


def half_width(values: ArrayLike, level: float = 0.95) -> float:
    """Half the Student-t interval of the mean.

    Args:
        values: (n,), missing ones are NaN and left out.
        level: of the interval, in (0, 1).

    Returns:
        The half-width in the values' unit; NaN for fewer than two values.
    """
    present = np.asarray(values, dtype=float)
    present = present[~np.isnan(present)]
    n = len(present)
    if n < 2:
        return math.nan
    return float(student_quantile(n - 1, level) * present.std(ddof=1) / math.sqrt(n))


def student_quantile(freedom: float, level: float) -> float:
    """How many standard errors a two-sided Student-t interval reaches to each side."""
    return float(stdtrit(freedom, (1 + level) / 2))
