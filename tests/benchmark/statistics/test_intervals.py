"""Student-t intervals, interquartile mean and odd seeds against independent code."""

import numpy as np
import pytest
from scipy import stats

from benchmark.statistics import half_width, interquartile_mean
from benchmark.statistics.intervals import far_from_median


@pytest.mark.parametrize("n", [2, 5, 40])
def test_the_half_width_is_that_of_scipys_interval(n: int) -> None:
    values = np.random.default_rng(n).normal(6, 0.3, n)
    interval = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert half_width(values) == pytest.approx((interval.high - interval.low) / 2)


def test_missing_values_are_left_out() -> None:
    assert half_width([5.0, np.nan, 6.0, 7.0]) == half_width([5.0, 6.0, 7.0])


@pytest.mark.parametrize("values", [[], [5.0], [5.0, np.nan]])
def test_fewer_than_two_values_have_no_interval(values: list[float]) -> None:
    assert np.isnan(half_width(values))


def test_the_interquartile_mean_leaves_a_quarter_out_at_each_end() -> None:
    mean, low, high = interquartile_mean([1.0, 2, 3, 4, 5, 6, 7, 100])
    assert mean == np.mean([3, 4, 5, 6])
    assert low < mean < high < 60
    assert np.isnan(interquartile_mean([1.0, 2, 3])).all()


def test_its_interval_is_the_percentile_bootstraps() -> None:
    values = np.random.default_rng(1).normal(6, 0.3, 12)
    _, low, high = interquartile_mean(values, resamples=20_000)
    other = stats.bootstrap(
        (values,), lambda x, axis: stats.trim_mean(x, 0.25, axis=axis), method="percentile", n_resamples=20_000, rng=5
    ).confidence_interval
    assert (low, high) == pytest.approx(tuple(other), abs=0.01)


def test_odd_values_are_those_beyond_three_scaled_deviations() -> None:
    values = np.array([1.9, 2.2, 2.4, 2.6, 3.2, 5.5])
    expected = np.abs(values - np.median(values)) > 3 * stats.median_abs_deviation(values, scale="normal")
    assert far_from_median(values).tolist() == expected.tolist() == [False] * 5 + [True]
    assert not far_from_median(np.array([0.0, 0.0, 9.0])).any()
    assert not far_from_median(np.ones(5)).any()
