"""The bootstrap over seeds and images."""

import numpy as np
import pytest

from benchmark.statistics import bootstrap_difference
from tests.benchmark.statistics.simulations import BALANCES, bootstrap_coverage

RNG = np.random.default_rng(0)
PERSONS = np.repeat(["ann", "bob", "eve", "dan", "kim"], [3, 30, 12, 7, 8])
ARM = RNG.gamma(2, 3, (4, 60))
BASELINE = RNG.gamma(2, 3.3, (4, 60))


def test_estimates_are_plain_means() -> None:
    result = bootstrap_difference(ARM, BASELINE, PERSONS)
    assert result["difference"] == pytest.approx(ARM.mean() - BASELINE.mean())
    assert result["probability_of_improvement"] == pytest.approx((ARM < BASELINE).mean())
    assert result["low"] < result["difference"] < result["high"]
    assert 0 <= result["probability_low"] < result["probability_of_improvement"] < result["probability_high"] <= 1


def test_swapping_arm_and_baseline_turns_the_result_around() -> None:
    there = bootstrap_difference(ARM, BASELINE, PERSONS)
    back = bootstrap_difference(BASELINE, ARM, PERSONS)
    mirrored = -there["difference"], -there["high"], -there["low"]
    assert (back["difference"], back["low"], back["high"]) == pytest.approx(mirrored)
    assert back["probability_of_improvement"] == pytest.approx(1 - there["probability_of_improvement"])
    assert back["probability_low"] == pytest.approx(1 - there["probability_high"])


def test_ties_count_half() -> None:
    result = bootstrap_difference(ARM, ARM, PERSONS)
    assert (result["difference"], result["low"], result["high"]) == (0, 0, 0)
    assert result["probability_of_improvement"] == result["probability_low"] == result["probability_high"] == 0.5


def test_the_same_seed_gives_the_same_interval_whatever_the_labels_and_order() -> None:
    result = bootstrap_difference(ARM, BASELINE, PERSONS, seed=3)
    assert bootstrap_difference(ARM, BASELINE, PERSONS, seed=3) == result
    assert bootstrap_difference(ARM, BASELINE, PERSONS, seed=4)["low"] != result["low"]
    order = RNG.permutation(60)
    other = bootstrap_difference(
        ARM[:, order], BASELINE[:, order], np.unique(PERSONS, return_inverse=True)[1][order], seed=3
    )
    assert (other["low"], other["high"]) == pytest.approx((result["low"], result["high"]))


def test_the_interval_of_pure_seed_effects_is_known() -> None:
    of_seed = np.array([0.1, 0.5, -0.3, 0.2, 0.4])
    result = bootstrap_difference(of_seed[:, None] + BASELINE[:1], np.repeat(BASELINE[:1], 5, 0), PERSONS, 20_000)
    standard_error = of_seed.std() / np.sqrt(5)
    assert (result["high"] - result["low"]) / 2 == pytest.approx(2.776 * standard_error, rel=0.03)


def test_the_interval_of_pure_person_effects_is_known() -> None:
    of_person = RNG.normal(0, 0.5, 40)
    errors = np.tile(np.repeat(of_person, 3), (41, 1))
    result = bootstrap_difference(errors, np.zeros_like(errors), np.repeat(np.arange(40), 3), 20_000)
    standard_error = of_person.std() / np.sqrt(40)
    assert (result["high"] - result["low"]) / 2 == pytest.approx(2.023 * standard_error, rel=0.03)


def test_images_of_one_person_are_no_replicates() -> None:
    of_person = RNG.normal(0, 1, 10)
    errors = np.tile(np.repeat(of_person, 50), (10, 1)) + RNG.normal(0, 0.1, (10, 500))
    zeros = np.zeros_like(errors)
    clustered = bootstrap_difference(errors, zeros, np.repeat(np.arange(10), 50))
    naive = bootstrap_difference(errors, zeros, np.arange(500))
    assert clustered["high"] - clustered["low"] > 4 * (naive["high"] - naive["low"])


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 9])
@pytest.mark.parametrize("balance", ["seeds dominate", "persons dominate"])
def test_the_interval_covers_the_truth(balance: str, seeds: int) -> None:
    assert bootstrap_coverage(seeds, 20, BALANCES[balance], 500) > 0.91


@pytest.mark.parametrize(("seeds", "persons"), [(slice(1), PERSONS), (slice(None), np.zeros(60))])
def test_one_seed_or_one_person_has_no_interval(seeds: slice, persons: np.ndarray) -> None:
    result = bootstrap_difference(ARM[seeds], BASELINE[seeds], persons)
    assert result["difference"] == pytest.approx((ARM - BASELINE)[seeds].mean())
    assert np.isnan([result["low"], result["high"], result["probability_low"], result["probability_high"]]).all()
