"""The exact test of paired differences, and adjusted p against statsmodels and scipy."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from benchmark.statistics import benjamini_hochberg, p_values, sign_flip_p, smallest_p
from benchmark.statistics.p_values import holm

DARWIN = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48.0])
"""Heights of crossed less self-fertilised Zea mays in eighths of an inch (Darwin 1876)."""
P = np.array([0.004, np.nan, 0.2, 0.012, 0.9, 0.02, 0.02])
KNOWN = P[~np.isnan(P)]


def test_fishers_example() -> None:
    # The Design of Experiments, section 21: 863 of 32,768 sums are at least 314, as many at most -314.
    assert sign_flip_p(DARWIN) == 2 * 863 / 2**15
    assert sign_flip_p(-DARWIN / 8) == 2 * 863 / 2**15


@pytest.mark.parametrize("n", [2, 5, 10, 13])
def test_it_is_scipys_exact_permutation_test(n: int) -> None:
    rng = np.random.default_rng(n)
    for differences in (rng.normal(0.5, 1, n), rng.integers(-2, 4, n).astype(float)):
        expected = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
        assert sign_flip_p(differences) == pytest.approx(expected.pvalue, abs=1e-12)


def test_sums_that_differ_by_rounding_are_ties() -> None:
    # 0.1 + 0.2 - 0.3 and 0.3 - 0.2 - 0.1 are 0, but not in floating point.
    assert sign_flip_p(np.array([0.1, 0.2, -0.3])) == 1
    assert sign_flip_p(np.array([0.3, -0.2, -0.1])) == 1
    assert sign_flip_p(np.zeros(6)) == 1


@pytest.mark.parametrize("n", [1, 2, 3, 5, 9, 20, 30])
def test_pairs_of_one_sign_reach_the_smallest_p(n: int) -> None:
    assert sign_flip_p(np.linspace(0.1, 1, n)) == smallest_p(n) == 2 / 2**n


def test_many_pairs_are_drawn_at_random_but_repeatably(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = sign_flip_p(DARWIN)
    monkeypatch.setattr(p_values, "EXACT_UP_TO", 14)
    monkeypatch.setattr(p_values, "RESAMPLES", 9_999)
    drawn = sign_flip_p(DARWIN)
    assert drawn == sign_flip_p(DARWIN)
    assert drawn != exact
    # Five standard errors of a share of 9,999 draws, two tails.
    assert drawn == pytest.approx(exact, abs=5 * 2 * np.sqrt(exact / 2 / 9_999))


@pytest.mark.slow
def test_holm_is_statsmodels_and_counts_planned_comparisons() -> None:
    found = holm(P)
    assert np.isnan(found[1])
    assert found[~np.isnan(P)] == pytest.approx(multipletests(KNOWN, method="holm")[1])
    planned = multipletests([*KNOWN, 1, 1, 1, 1], method="holm")[1][: len(KNOWN)]
    assert holm(P, 10)[~np.isnan(P)] == pytest.approx(planned)


def test_q_is_scipys() -> None:
    found = benjamini_hochberg(P)
    assert np.isnan(found[1])
    assert found[~np.isnan(P)] == pytest.approx(stats.false_discovery_control(KNOWN))
    assert benjamini_hochberg([]).size == 0
