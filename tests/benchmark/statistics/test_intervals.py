"""Student-t intervals."""

import numpy as np
import pytest
from scipy import stats

from benchmark.statistics import half_width


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
@pytest.mark.parametrize("n", [2, 5, 40])
def test_the_half_width_is_that_of_scipys_interval(n: int, level: float) -> None:
    values = np.random.default_rng(n).normal(6, 0.3, n)
    interval = stats.ttest_1samp(values, 0).confidence_interval(level)
    assert half_width(values, level) == pytest.approx((interval.high - interval.low) / 2)


def test_missing_values_are_left_out() -> None:
    assert half_width([5.0, np.nan, 6.0, 7.0]) == half_width([5.0, 6.0, 7.0])


@pytest.mark.parametrize("values", [[], [5.0], [5.0, np.nan]])
def test_fewer_than_two_values_have_no_interval(values: list[float]) -> None:
    assert np.isnan(half_width(values))
