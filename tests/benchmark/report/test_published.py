"""The slides' numbers and those of other methods."""

from pathlib import Path

import pandas as pd
import pytest

from benchmark.report.build import build_report
from benchmark.report.published.peers import cost_table, peers
from benchmark.report.published.slides import SLIDES_STUDIES, audit, beside_ours, slides
from samplers.bins import Bins
from samplers.gaussian import Gaussian
from samplers.random import Random
from samplers.reverse_gaussian import ReverseGaussian
from tests.benchmark.fake_results import MadeUp, filled_store
from tests.benchmark.report.test_summary import summary_of


def test_every_row_of_the_slides_is_there_and_recomputed() -> None:
    rows = slides()
    assert rows.groupby("table", sort=False).size().to_dict() == {
        "thesis": 2, "bins": 12, "gaussian_sigma": 14, "reverse_gaussian": 10, "uniform": 6, "conclusion": 12,
    }  # fmt: skip
    assert set(SLIDES_STUDIES) == set(rows["table"]) - {"thesis"}
    assert rows["recomputed"].tolist() == pytest.approx(((rows["yaw"] + rows["pitch"] + rows["roll"]) / 3).tolist())
    assert (~rows["consistent"]).sum() == 25
    row = rows[(rows["sampler"] == "random") & (rows["protocol"] == "Protocol 2")].iloc[0]
    assert (row["mae"], round(row["recomputed"], 2), row["consistent"]) == (4.71, 4.86, False)
    # 4.71 against a mean of 4.70 is rounding.
    row = rows[(rows["sampler"] == "bins") & (rows["bin_width"] == 20) & (rows["protocol"] == "Protocol 2")].iloc[0]
    assert row["consistent"]


def test_the_slides_order_is_kept() -> None:
    rows = slides("gaussian_sigma")
    assert rows["result"].tolist()[:5] == ["Tai Thesis"] * 2 + ["Original code"] * 2 + ["Experiment"]
    assert rows["sigma"].dropna().tolist() == [15, 15, 20, 20, 30, 30, 37.5, 37.5, 45, 45]
    assert rows["protocol"].tolist() == ["Protocol 1", "Protocol 2"] * 7


def test_only_the_very_same_protocol_and_sampler_reproduce_a_row(tmp_path: Path) -> None:
    arms = {
        "random": Random(),
        "any label": Gaussian(sigma=30),
        "narrow": Gaussian(sigma=30, bin_width=10),
        "corrected": Gaussian(sigma=45, empty_bin="populated_only"),
        "bins": Bins(bin_width=20),
    }
    study = MadeUp(arms=arms, protocols=("protocol_1", "synth_1"), seeds=2, noise={"any label": 3.0})
    store = filled_store(tmp_path, study)
    table = summary_of(store, study)
    rows = beside_ours("gaussian_sigma", table)
    found = rows[rows["reproduced_tiny"].notna()]
    assert found[["result", "protocol"]].values.tolist() == [
        ["Original code", "Protocol 1"],
        ["Experiment", "Protocol 1"],
    ]
    ours = table.set_index(["protocol", "arm"])["mae"]
    assert found["reproduced_tiny"].tolist() == [ours["protocol_1", "random"], ours["protocol_1", "any label"]]
    assert found["difference_tiny"].tolist() == pytest.approx((found["reproduced_tiny"] - found["recomputed"]).tolist())
    assert "reproduced_tiny" not in beside_ours("bins", table[table["protocol"] == "synth_1"])
    assert beside_ours("conclusion", table)["n_tiny"].tolist()[4:6] == [2, 0]  # bins of 20 degrees


def test_published_settings_of_a_sampler_reproduce_and_corrected_ones_do_not(tmp_path: Path) -> None:
    for empty_bin, count in (("nearest", 1), ("populated_only", 0)):
        arms = {"random": Random(), "far": ReverseGaussian(sigma=20, empty_bin=empty_bin)}
        study = MadeUp(name=empty_bin, arms=arms, protocols=("protocol_2",), seeds=1)
        rows = beside_ours("reverse_gaussian", summary_of(filled_store(tmp_path, study), study))
        assert rows.loc[rows["sampler"] == "reverse_gaussian", "reproduced_tiny"].notna().sum() == count


def test_the_audit_names_what_does_not_hold() -> None:
    findings = audit().set_index("place")
    assert set(findings.index) >= {"equation 5", "equation 6", "equation 7", "all tables"}
    assert "0.411" in findings.loc["Gaussian example, weight at 40 degrees", "right"]
    assert "1.25 and 2.43" in findings.loc["inverse Gaussian example, weights at 20 and 40 degrees", "right"]
    assert "9 of K = 10" in findings.loc["Gaussian example, references of the five bins", "published"]
    differing = [place for place in findings.index if place.startswith("conclusion, ")]
    assert len(differing) == 5
    assert "0.16 degrees on Protocol 1 and 0.02 degrees on Protocol 2" in findings.loc["conclusion", "right"]
    assert "25 of 56" in findings.loc["all tables", "published"]


def test_peers_have_a_source_and_nothing_from_memory() -> None:
    rows = peers()
    assert rows["source"].str.len().min() > 3
    assert not rows["source"].str.contains("memory|NO").any()
    assert not set(rows["method"]) & {"LwPosr", "EVA-GCN", "MNN"}
    assert rows.set_index("method").loc[["WHENet", "WHENet-V", "img2pose"], "params_m"].isna().all()
    cost = cost_table(pd.DataFrame(columns=["protocol", "mae", "weights", "arm", "preset", "study"]))
    assert cost.set_index("method").loc["6DRepNet", "cep Protocol 1"] == pytest.approx(39.3 * 3.47)


def test_only_results_on_published_protocols_stand_among_the_peers(tmp_path: Path) -> None:
    study = MadeUp(protocols=("protocol_2", "synth_1"), seeds=2)
    table = summary_of(filled_store(tmp_path, study), study).assign(study="made_up")
    ours = cost_table(table)
    ours = ours[ours["source"] == "this store"]
    assert ours["method"].str.startswith(("random", "gaussian")).all()
    assert len(ours) == 3
    assert ours["mae Protocol 1"].isna().all()
    expected = table.loc[table["protocol"] == "protocol_2", "mae"]
    assert ours["mae Protocol 2"].tolist() == expected.tolist()
    assert ours["cep Protocol 2"].tolist() == pytest.approx((0.352281 * expected).tolist())
    pd.testing.assert_frame_equal(
        cost_table(table[table["protocol"] == "synth_1"])[["method"]], peers()[["method"]], check_dtype=False
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("protocol", "published", "reproduced"), [("synth_1", 8, False), ("protocol_1", 8, True), ("protocol_1", 9, False)]
)
def test_slides_of_which_nothing_is_reproduced_are_folded(
    protocol: str, published: int, reproduced: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On other images than the published ones, nothing is."""
    monkeypatch.setattr("benchmark.report.sentences.PUBLISHED_IMAGES", {"biwi": published})
    study = MadeUp(name="gaussian_sigma", protocols=(protocol,), seeds=1, images=8, predictions=False)
    build_report(filled_store(tmp_path, study), (), tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert ("<h3>Published, recomputed, reproduced</h3>" in page) is reproduced
    assert ("of which nothing is reproduced" in page) is not reproduced
