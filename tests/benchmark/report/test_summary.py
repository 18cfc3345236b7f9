"""The numbers of a study."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmark.report.sentences import study_verdict
from benchmark.report.summary import add_q, summarise
from benchmark.store import Store
from samplers.gaussian import Gaussian
from tests.benchmark.fake_results import ARMS, MadeUp, fill, filled_store


def summary_of(store: Store, study: MadeUp, margin: float = 0.2):
    baseline = next(iter(study.arms))
    table = summarise(store.results(study.name), dict.fromkeys(study.arms, baseline) | study.baselines, margin)
    return add_q([table])[0].assign(pool=np.nan, coverage=np.nan, fallback_share=np.nan)


def test_means_intervals_and_differences_are_those_of_the_seeds(tmp_path: Path) -> None:
    study = MadeUp(noise={"gaussian 30": 4.0})
    store = filled_store(tmp_path, study)
    results, table = store.results("made_up"), summary_of(store, study)
    assert table[["protocol", "arm"]].drop_duplicates().shape[0] == 6
    for row in table.to_dict("records"):
        cells = results[(results["protocol"] == row["protocol"]) & (results["arm"] == row["arm"])]
        for metric in ("mae", "yaw", "front", "geodesic_mean"):
            interval = stats.t.interval(0.95, 3, cells[metric].mean(), stats.sem(cells[metric]))
            assert row[metric] == pytest.approx(cells[metric].mean())
            assert (row[metric] - row[f"{metric}_hw"], row[metric] + row[f"{metric}_hw"]) == pytest.approx(interval)
        assert (row["n"], row["planned"], row["missing"]) == (4, 4, "")
        assert row["cep"] == pytest.approx(0.352281 * row["mae"])
        base = results[(results["protocol"] == row["protocol"]) & (results["arm"] == "random")]
        if row["arm"] != "random":
            paired = stats.ttest_rel(cells["mae"], base["mae"])
            assert (row["low"], row["high"]) == pytest.approx(tuple(paired.confidence_interval(0.95)))
            assert row["smallest_p"] == 0.125
    assert (table.loc[table["arm"] == "random", "verdict"] == "baseline").all()


def test_missing_cells_are_named_with_their_reason(tmp_path: Path) -> None:
    study = MadeUp(
        failed={("gaussian 15", 1): ("NotFiniteError", "the loss"), ("gaussian 15", 3): ("MemoryError", "")},
        absent={("gaussian 15", 2), ("gaussian 30", 0)},
    )
    table = summary_of(filled_store(tmp_path, study), study)
    missing = table.drop_duplicates("arm").set_index("arm")["missing"]
    assert missing["gaussian 15"] == "MemoryError (seed 3); NotFiniteError (seed 1); 1 not run"
    assert missing["gaussian 30"] == "1 not run"
    assert missing["random"] == ""
    assert table.set_index("arm").loc["gaussian 15", "n"].tolist() == [1, 1]


def test_an_arm_without_any_result_stays_in_the_table(tmp_path: Path) -> None:
    study = MadeUp(failed={("gaussian 15", seed): ("ValueError", "no") for seed in range(4)}, protocols=("synth_1",))
    row = summary_of(filled_store(tmp_path, study), study).set_index("arm").loc["gaussian 15"]
    assert row[["weights", "seconds", "cep"]].isna().all()  # a failed training stores zeros
    assert math.isnan(row["mae"])
    assert (row["n"], row["verdict"]) == (0, "no result")


def test_arms_in_another_order_for_some_seeds_are_still_one_row_each(tmp_path: Path) -> None:
    study = MadeUp(protocols=("synth_1",))
    store = filled_store(tmp_path, study)
    fill(store, MadeUp(arms=dict(reversed(ARMS.items())), protocols=("synth_1",), seeds=2))
    table = summary_of(store, study)
    assert table["arm"].tolist() == ["gaussian 30", "random", "gaussian 15"]  # by their first positions
    assert table["n"].tolist() == table["planned"].tolist() == [4, 4, 4]


def test_a_clear_difference_is_found_and_named(tmp_path: Path) -> None:
    study = MadeUp(noise={"gaussian 30": 3.0, "gaussian 15": 9.0}, seeds=9, protocols=("synth_1",))
    table = summary_of(filled_store(tmp_path, study), study)
    assert table.set_index("arm")["verdict"].to_dict() == {
        "random": "baseline",
        "gaussian 15": "worse",
        "gaussian 30": "better",
    }
    sentence = study_verdict(table, 0.2)
    assert sentence.startswith("SynthHeads to SynthHeads lab (synthetic images): gaussian 30 (−")
    assert "is better than random; gaussian 15 (+" in sentence
    assert sentence.endswith("is worse than random.")


def test_without_a_verdict_the_sentence_says_what_is_excluded(tmp_path: Path) -> None:
    study = MadeUp(noise={"gaussian 30": 3.0}, seeds=3, protocols=("synth_1",))
    table = summary_of(filled_store(tmp_path, study), study, 0.0)
    sentence = study_verdict(table, 0.0)
    row = table.set_index("arm").loc["gaussian 30"]
    assert f"{-row['high']:.2f} and {-row['low']:.2f} degrees better than random" in sentence
    assert "(inconclusive)" in sentence
    single = study_verdict(table.assign(low=np.nan, high=np.nan), 0.0)
    assert " better in a single pair of seeds than random (inconclusive)" in single


def test_many_arms_with_a_single_pair_of_seeds_have_no_common_sign(tmp_path: Path) -> None:
    study = MadeUp(
        arms=ARMS | {f"gaussian {sigma}": Gaussian(sigma=sigma) for sigma in (40, 50)},
        noise={"gaussian 30": 3.0, "gaussian 15": 9.0},
        seeds=1,
        protocols=("synth_1",),
    )
    sentence = study_verdict(summary_of(filled_store(tmp_path, study), study, 0.0), 0.0)
    assert "4 arms inconclusive, 4 of them with a single pair of seeds" in sentence
    assert "1 seed cannot show a difference" in sentence
    assert not re.search("better|worse", sentence)


def test_the_family_is_the_studys_and_a_comparison_counts_once_in_a_report(tmp_path: Path) -> None:
    study = MadeUp(protocols=("synth_1",), seeds=8)
    cells = filled_store(tmp_path, study).results(study.name)
    planned = dict.fromkeys([*study.arms, "one", "two", "three"], "random")
    part = summarise(cells[cells["arm"] != "gaussian 15"], planned, 0.1).set_index("arm")
    assert part.loc["gaussian 30", "family"] == 5
    assert part.loc["gaussian 30", "p_holm"] == pytest.approx(min(1, 5 * part.loc["gaussian 30", "p"]))
    whole = summarise(cells, dict.fromkeys(study.arms, "random"), 0.1)
    turned = summarise(cells, dict.fromkeys(study.arms, "gaussian 30"), 0.1)
    one, two = add_q([whole, part.reset_index()])
    expected = stats.false_discovery_control(whole["p"].dropna())
    assert one["q"].dropna().tolist() == pytest.approx(list(expected))
    assert two.set_index("arm").loc["gaussian 30", "q"] == one.set_index("arm").loc["gaussian 30", "q"]
    there, back = whole.set_index("arm")["comparison"], turned.set_index("arm")["comparison"]
    assert there["gaussian 30"] == back["random"] != there["gaussian 15"]


def test_arms_with_baselines_of_their_own_are_one_family(tmp_path: Path) -> None:
    arms = ARMS | {"wide": Gaussian(sigma=90)}
    study = MadeUp(
        arms=arms, baselines={"gaussian 30": "wide"}, seeds=8, protocols=("synth_1",),
        noise={"random": 4.0, "wide": 9.0},
    )  # fmt: skip
    store = filled_store(tmp_path, study)
    table = summary_of(store, study).set_index("arm")
    values = store.results("made_up").pivot(index="seed", columns="arm", values="mae")
    assert table.loc["gaussian 30", "baseline"] == "wide"
    difference = (values["gaussian 30"] - values["wide"]).mean()
    assert table.loc["gaussian 30", "difference"] == pytest.approx(difference)
    assert table.loc["gaussian 30", "verdict"] == "better"
    assert table.loc["gaussian 15", "verdict"] == "worse"
    p = table["p"].dropna().sort_values()
    holm = np.minimum(np.maximum.accumulate(p * np.arange(len(p), 0, -1)), 1)
    assert table.loc[p.index, "p_holm"].to_dict() == pytest.approx(holm.to_dict())


def test_a_baseline_without_results_decides_nothing(tmp_path: Path) -> None:
    study = MadeUp(absent={("random", seed) for seed in range(4)}, protocols=("synth_1",))
    table = summary_of(filled_store(tmp_path, study), study)
    assert table["difference"].isna().all()
    assert "without a result of random" in study_verdict(table, 0.2)
