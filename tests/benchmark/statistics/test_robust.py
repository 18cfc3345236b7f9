"""Interquartile mean and odd seeds against independent code."""

import numpy as np
import pytest
from scipy import stats

from benchmark.statistics.robust import far_from_median, interquartile_mean


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


def test_tasks_are_strata() -> None:
    """Two tasks far apart: each resample holds as many values of either, so the middle half stays between them."""
    easy, hard = np.full(8, 1.0), np.full(8, 9.0)
    assert interquartile_mean(np.column_stack([easy, hard])) == (5.0, 5.0, 5.0)


def test_odd_values_are_those_beyond_three_scaled_deviations() -> None:
    values = np.array([1.9, 2.2, 2.4, 2.6, 3.2, 5.5])
    expected = np.abs(values - np.median(values)) > 3 * stats.median_abs_deviation(values, scale="normal")
    assert far_from_median(values).tolist() == expected.tolist() == [False] * 5 + [True]
    assert not far_from_median(np.array([0.0, 0.0, 9.0])).any()
    assert not far_from_median(np.ones(5)).any()
