"""Seeds that a difference needs."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from benchmark.statistics import seeds_needed, smallest_detectable, smallest_p
from benchmark.statistics.power import t_test_power
from tests.benchmark.statistics.simulations import simulate


def power_of_the_t_test(effect: float, n: int, alpha: float) -> float:
    """From the noncentral t distribution, at the largest p below alpha that sign flips of up to 30 pairs can give."""
    if n <= 30:
        alpha = max((p for p in 2 * np.arange(1, 2**n // 8) / 2**n if p < alpha), default=0.0)
    critical = stats.t.ppf(1 - alpha / 2, n - 1)
    shifted = stats.nct(n - 1, effect * math.sqrt(n))
    return float(shifted.sf(critical) + shifted.cdf(-critical))


def test_worked_examples() -> None:
    assert seeds_needed(sd=0.1, difference=0.1) == 11
    assert seeds_needed(sd=0.2, difference=0.1) == 34
    assert seeds_needed(sd=0.2, difference=0.2) == 11


@pytest.mark.parametrize("effect", [0.0, 0.5, 5.0, 30.0])
@pytest.mark.parametrize(("n", "alpha"), [(6, 1 / 32), (34, 0.05 / 7), (200, 0.05)])
def test_power_is_that_of_statsmodels(effect: float, n: int, alpha: float) -> None:
    with np.errstate(all="ignore"):
        expected = np.nan_to_num(TTestPower().power(effect, n, alpha), nan=1.0)  # statsmodels has NaN for large effects
    assert t_test_power(effect, n, alpha) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("comparisons", [1, 5])
@pytest.mark.parametrize("effect", [0.3, 0.5, 0.9])
def test_it_is_the_first_number_with_the_power(effect: float, comparisons: int) -> None:
    n = seeds_needed(0.4, effect * 0.4, comparisons)
    alpha = 0.05 / comparisons
    assert power_of_the_t_test(effect, n - 1, alpha) < 0.8 <= power_of_the_t_test(effect, n, alpha)


@pytest.mark.parametrize("comparisons", [1, 5])
def test_no_fewer_than_the_exact_test_needs(comparisons: int) -> None:
    for sd in (0.0, 1e-9, 0.01):
        n = seeds_needed(sd, 0.5, comparisons=comparisons)
        assert smallest_p(n) * comparisons < 0.05 <= smallest_p(n - 1) * comparisons
        assert smallest_detectable(0.2, n - 1, comparisons=comparisons) == math.inf
        assert smallest_detectable(0.2, n, comparisons=comparisons) < math.inf


@pytest.mark.parametrize("n", [6, 10, 34, 200])
def test_the_smallest_difference_is_found_with_the_power(n: int) -> None:
    difference = smallest_detectable(0.2, n)
    assert power_of_the_t_test(difference / 0.2, n, 0.05) == pytest.approx(0.8, abs=1e-4)
    assert seeds_needed(0.2, difference * 1.001) <= n
    assert seeds_needed(0.2, difference * 0.99) > n - (n > 6)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "fewest", "most"), [(6, 0.65, 0.80), (9, 0.72, 0.85), (16, 0.73, 0.86)])
def test_the_verdict_finds_it_about_as_often(n: int, fewest: float, most: float) -> None:
    """The bounds are 0.71, 0.79 and 0.80, found with 10,000 samples, give or take three standard errors and more."""
    results = simulate(n, [-smallest_detectable(0.2, n)], studies=600)
    assert fewest < (results["verdict"] == "better").mean() < most


def test_more_noise_and_more_arms_need_more() -> None:
    assert np.all(np.diff([seeds_needed(sd, 0.1) for sd in (0.05, 0.1, 0.2, 0.4)]) > 0)
    assert np.all(np.diff([seeds_needed(0.2, 0.1, comparisons=m) for m in (1, 2, 5, 20)]) > 0)
    assert smallest_detectable(0.4, 10) == pytest.approx(2 * smallest_detectable(0.2, 10))
