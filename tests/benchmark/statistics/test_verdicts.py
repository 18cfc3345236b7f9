"""Arms against their baseline over paired seeds."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from benchmark.statistics import compare
from mhpe.errors import InputError
from tests.benchmark.statistics.simulations import coverage, family_error, simulate

NAN = np.nan
DRAWN = np.random.default_rng(0).normal([6, 6.4, 6.05, 5.5], 0.1, (9, 4))
VALUES = pd.DataFrame(DRAWN, columns=["random", "worst", "same", "best"])


def one_arm(differences: list[float], margin: float = 0.2) -> pd.Series:
    """The row of an arm with these differences to its baseline."""
    baseline = np.linspace(8, 4, len(differences))
    return compare(pd.DataFrame({"arm": baseline + differences, "base": baseline}), "base", margin).iloc[0]


@pytest.mark.slow
def test_figures_are_those_of_scipy_and_statsmodels() -> None:
    table = compare(VALUES, "random", 0.2).set_index("arm")
    assert list(table.index) == ["worst", "same", "best"]
    for arm, row in table.iterrows():
        interval = stats.ttest_rel(VALUES[arm], VALUES["random"]).confidence_interval(0.95)
        assert row["difference"] == pytest.approx(VALUES[arm].mean() - VALUES["random"].mean())
        assert (row["low"], row["high"]) == pytest.approx(tuple(interval))
        own = stats.ttest_1samp(VALUES[arm], 0).confidence_interval(0.95)
        assert (row["mean"] - row["half_width"], row["mean"] + row["half_width"]) == pytest.approx(tuple(own))
        pairs = (VALUES[arm] - VALUES["random"]).to_numpy()
        exact = stats.permutation_test((pairs,), np.mean, permutation_type="samples", n_resamples=np.inf)
        assert row["p"] == pytest.approx(exact.pvalue)
    assert table["p_holm"].to_list() == pytest.approx(list(multipletests(table["p"], method="holm")[1]))
    assert table["smallest_p"].to_list() == [2 / 2**9] * 3
    assert table["verdict"].to_list() == ["worse", "equivalent", "better"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_holms_adjustment_is_statsmodels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = pd.DataFrame(6 + rng.normal(0, 0.2, (8, 7)) + rng.normal(0, 0.2, 7), columns=list("abcdefg"))
    table = compare(values, "a")
    assert table["p_holm"].to_list() == pytest.approx(list(multipletests(table["p"], method="holm")[1]))


def test_swapping_arm_and_baseline_turns_the_result_around() -> None:
    there = compare(VALUES[["random", "best"]], "random").iloc[0]
    back = compare(VALUES[["random", "best"]], "best").iloc[0]
    assert (back["difference"], back["low"], back["high"]) == pytest.approx(
        (-there["difference"], -there["high"], -there["low"])
    )
    assert back["p"] == there["p"]
    assert (there["verdict"], back["verdict"]) == ("better", "worse")


def test_order_of_seeds_and_effects_of_seeds_do_not_matter() -> None:
    kept = ["arm", "difference", "low", "high", "p", "p_holm", "verdict"]
    table = compare(VALUES, "random")[kept]
    shuffled = VALUES.sample(frac=1, random_state=0)
    shifted = VALUES.add(np.arange(9), axis=0)
    for other in (shuffled, shifted):
        pd.testing.assert_frame_equal(compare(other, "random")[kept], table)


def test_only_seeds_with_a_pair_are_compared() -> None:
    values = VALUES.copy()
    values.loc[0, "best"] = NAN
    values.loc[8, "random"] = NAN
    row = compare(values, "random").set_index("arm").loc["best"]
    paired = compare(VALUES.loc[1:7], "random").set_index("arm").loc["best"]
    assert row["n"] == 7
    assert row[["difference", "low", "high", "p", "smallest_p"]].equals(
        paired[["difference", "low", "high", "p", "smallest_p"]]
    )
    assert row["mean"] == pytest.approx(VALUES.loc[1:, "best"].mean())


def test_an_arm_without_pairs_is_no_comparison() -> None:
    values = VALUES.assign(failed=NAN, once=[6.0] + [NAN] * 8, elsewhere=[6.0] * 9)
    values.loc[8, "random"] = NAN
    values.loc[:7, "elsewhere"] = NAN
    table = compare(values, "random", 0.2).set_index("arm")
    assert table["n"].to_list() == [8, 8, 8, 0, 1, 0]
    assert table["verdict"].to_list()[3:] == ["no result", "inconclusive", "no result"]
    assert table["note"].to_list()[3:] == [
        "no result",
        "",
        "no seed in common with the baseline",
    ]
    assert table.loc["failed", ["mean", "difference", "low", "high", "p", "p_holm", "smallest_p"]].isna().all()
    assert table.loc["once", ["half_width", "low", "high", "p", "p_holm"]].isna().all()
    assert table.loc["once", "difference"] == pytest.approx(6 - VALUES.loc[0, "random"])
    assert table.loc["once", "smallest_p"] == 1
    three = compare(values[["random", "worst", "same", "best"]], "random", 0.2, family=6).set_index("arm")
    pd.testing.assert_frame_equal(table.iloc[:3], three)


@pytest.mark.parametrize("values", [VALUES.assign(random=NAN), VALUES.drop(columns="random")])
def test_without_a_baseline_nothing_is_compared(values: pd.DataFrame) -> None:
    table = compare(values, "random")
    assert set(table["verdict"]) == {"no result"}
    assert set(table["note"]) == {"the baseline has no result"}
    assert table["mean"].to_list() == pytest.approx(VALUES[["worst", "same", "best"]].mean().to_list())
    assert table[["difference", "low", "high", "p", "p_holm", "smallest_p"]].isna().all(axis=None)


def test_a_study_of_one_arm_has_no_comparison() -> None:
    table = compare(VALUES[["random"]], "random")
    assert table.empty
    assert list(table) == list(compare(VALUES, "random", 0.2))


def test_few_seeds_cannot_be_significant() -> None:
    assert one_arm([-2.0, -2.1, -1.9])["verdict"] == "inconclusive"
    clear = [-2.0, -2.1, -1.9, -2.2, -2.0, -1.8]
    assert one_arm(clear)[["verdict", "note"]].to_list() == ["better", ""]
    baseline = np.linspace(8, 4, 6)
    two = pd.DataFrame({"base": baseline, "one": baseline + clear, "two": baseline - clear})
    assert set(compare(two, "base")["verdict"]) == {"inconclusive"}
    # An arm with more seeds leaves the last step of Holm's procedure, without adjustment, to the other.
    nine = pd.DataFrame({"base": 6.0, "one": VALUES["best"] - 2, "two": [*(6 + np.array(clear)), NAN, NAN, NAN]})
    assert compare(nine, "base")["verdict"].to_list() == ["better", "better"]


@pytest.mark.slow
def test_the_family_is_what_was_planned() -> None:
    ran = compare(VALUES, "random", family=12).set_index("arm")
    missing = compare(VALUES.assign(**{f"planned {i}": NAN for i in range(9)}), "random").set_index("arm")
    assert set(ran["family"]) == set(missing["family"]) == {12}
    expected = multipletests([*ran["p"], *[1.0] * 9], method="holm")[1][:3]
    assert ran["p_holm"].to_list() == missing["p_holm"].to_list()[:3] == pytest.approx(list(expected))
    assert set(compare(VALUES, "random", family=2)["family"]) == {3}


def test_equivalence_is_two_one_sided_t_tests() -> None:
    differences = np.random.default_rng(3).normal(0.02, 0.2, 9)
    verdicts = {}
    for factor in (0.7, 1.0, 1.5, 2.0):
        p = DescrStatsW(factor * differences).ttost_mean(-0.2, 0.2)[0]
        verdicts[factor] = one_arm(list(factor * differences))["verdict"]
        assert verdicts[factor] == ("equivalent" if p < 0.05 else "inconclusive")
    assert set(verdicts.values()) == {"equivalent", "inconclusive"}


def test_a_significant_difference_inside_the_margin_is_equivalent_and_detectable() -> None:
    small = [-0.05, -0.06, -0.04, -0.05, -0.07, -0.05, -0.06]
    assert one_arm(small)["verdict"] == "equivalent (detectably better)"
    assert one_arm([-value for value in small])["verdict"] == "equivalent (detectably worse)"
    assert one_arm(small, margin=0.05)["verdict"] == "better"


@pytest.mark.parametrize(("pairs", "expected"), [(2, "inconclusive"), (3, "inconclusive"), (4, "equivalent")])
def test_few_pairs_that_agree_are_not_equivalent(pairs: int, expected: str) -> None:
    row = one_arm([0.01, 0.02, 0.01, 0.02][:pairs])
    assert -0.2 < row["low"] < row["high"] < 0.2
    assert row["verdict"] == expected
    assert ("needs 4 pairs" in row["note"]) == (pairs < 4)


@pytest.mark.parametrize("margin", [0.05, 0.1, 0.3])
def test_probabilities_are_shares_of_the_posterior(margin: float) -> None:
    row = compare(VALUES, "random", margin).set_index("arm").loc["same"]
    pairs = (VALUES["same"] - VALUES["random"]).to_numpy()
    # Flat prior on mean and log sd: sigma^2 is scaled inverse chi-squared, the mean normal given sigma.
    rng = np.random.default_rng(0)
    sigma = np.sqrt(8 * pairs.var(ddof=1) / rng.chisquare(8, 400_000))
    mean = rng.normal(pairs.mean(), sigma / 3)
    expected = [(mean < -margin).mean(), (np.abs(mean) <= margin).mean(), (mean > margin).mean()]
    assert row[["p_better", "p_equivalent", "p_worse"]].to_list() == pytest.approx(expected, abs=0.004)


def test_correlation_and_the_unpaired_analysis_are_scipys() -> None:
    values = VALUES.reindex(range(14))
    values["random"] = [*VALUES["random"], 6.1, 5.9, 6.0, 6.2, 5.8]
    row = compare(values, "random").set_index("arm").loc["worst"]
    assert row["correlation"] == pytest.approx(stats.pearsonr(VALUES["worst"], VALUES["random"]).statistic)
    unpaired = stats.ttest_ind(VALUES["worst"], values["random"], equal_var=False)
    assert row["unpaired"] == pytest.approx(VALUES["worst"].mean() - values["random"].mean())
    assert (row["unpaired_low"], row["unpaired_high"]) == pytest.approx(tuple(unpaired.confidence_interval(0.95)))


def test_an_odd_seed_is_marked_and_a_verdict_that_rests_on_it_is_named() -> None:
    steady = [0.30, 0.34, 0.28, 0.33, 0.31, 0.29, 0.35, 0.32]
    assert one_arm([*steady, 2.4])["outliers"] == "8"
    assert one_arm(steady)["outliers"] == ""
    rests = one_arm([*steady, -2.4])
    assert (rests["verdict"], rests["note"]) == ("inconclusive", "rests on seed 8: worse without it")


def test_differences_without_variance() -> None:
    same = one_arm([0.0] * 5)
    assert (same["difference"], same["low"], same["high"], same["p"]) == (0, 0, 0, 1)
    assert same["verdict"] == "equivalent"
    constant = one_arm([0.5] * 9)
    assert (constant["low"], constant["high"], constant["verdict"]) == (0.5, 0.5, "worse")


@pytest.mark.parametrize("margin", [-0.1, NAN])
def test_bad_margins(margin: float) -> None:
    with pytest.raises(InputError, match="the margin"):
        compare(VALUES, "random", margin)


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 10])
def test_the_interval_covers_the_truth(n: int) -> None:
    assert 0.92 < coverage(simulate(n, [0.3], 500)) < 0.98


@pytest.mark.slow
def test_false_findings_of_the_whole_family() -> None:
    assert 0.01 < family_error(simulate(9, [0.0] * 5, 500)) < 0.06


@pytest.mark.slow
def test_false_findings_beside_true_ones() -> None:
    results = simulate(9, [0.8, -0.8, 0.0, 0.0, 0.0], 300)
    assert (results.loc[results["truth"] > 0, "verdict"] == "worse").mean() > 0.9
    assert family_error(results) < 0.06


def test_a_difference_whose_interval_contains_nought_is_not_shown() -> None:
    row = one_arm([-0.1] * 7 + [-1.0, 0.05])
    assert row["p_holm"] < 0.05
    assert row["low"] < 0 < row["high"]
    assert row["verdict"] == "inconclusive"
    assert row["note"] == "p is below 0.05, but the interval contains 0"
