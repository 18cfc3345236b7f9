"""Every number of a report can be recomputed from its file of seeds, with other code."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from benchmark.report.build import build_report
from tests.benchmark.fake_results import ARMS, MadeUp, filled_store

MARGIN = 0.1


@pytest.mark.slow
def test_differences_p_q_and_verdicts_follow_from_the_seeds(tmp_path: Path) -> None:
    study = MadeUp(seeds=8, protocols=("synth_1",), noise={"gaussian 30": 3.0}, predictions=False)
    build_report(filled_store(tmp_path, study), (), tmp_path)
    seeds = pd.read_csv(tmp_path / "tables" / "made_up-seeds.csv")
    table = pd.read_csv(tmp_path / "tables" / "made_up.csv").set_index("arm")
    assert {"device", "precision", "trial", "geodesic", "maev"} <= set(seeds)
    assert len(seeds) == len(ARMS) * 8
    mae = seeds.pivot(index="seed", columns="arm", values="mae")
    arms = ["gaussian 15", "gaussian 30"]
    p = []
    for arm in arms:
        pairs = (mae[arm] - mae["random"]).to_numpy()
        low, high = stats.ttest_1samp(pairs, 0).confidence_interval(0.95)
        p.append(stats.permutation_test((pairs,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue)
        row = table.loc[arm]
        assert (row["low"], row["difference"], row["high"]) == pytest.approx((low, pairs.mean(), high))
        posterior = stats.t(7, pairs.mean(), stats.sem(pairs))
        assert row["p_better"] == pytest.approx(posterior.cdf(-MARGIN))
        assert row["p_worse"] == pytest.approx(posterior.sf(MARGIN))
        assert row["correlation"] == pytest.approx(np.corrcoef(mae[arm], mae["random"])[0, 1])
        assert row["iqm"] == pytest.approx(stats.trim_mean(mae[arm], 0.25))
    assert table.loc[arms, "p"].tolist() == pytest.approx(p)
    assert table.loc[arms, "p_holm"].tolist() == pytest.approx(multipletests(p, method="holm")[1].tolist())
    assert table.loc[arms, "q"].tolist() == pytest.approx(stats.false_discovery_control(p).tolist())
    assert table.loc["gaussian 30", "verdict"] == "better"
    parts = pd.read_csv(tmp_path / "tables" / "made_up-parts.csv").set_index(["arm", "metric"])
    pitch = seeds.pivot(index="seed", columns="arm", values="pitch")
    expected = stats.ttest_rel(pitch["gaussian 30"], pitch["random"]).confidence_interval(0.95)
    assert parts.loc[("gaussian 30", "pitch"), ["low", "high"]].tolist() == pytest.approx(list(expected))
    price = pd.read_csv(tmp_path / "tables" / "made_up-price.csv").iloc[0]
    variances = [(mae[arm] - mae["random"]).var(ddof=1) for arm in arms]
    assert price["sd"] == pytest.approx(np.sqrt(np.mean(variances)))
    assert price["core_hours"] == pytest.approx(2 * price["seeds"] * price["seconds"] / 3600)


RESULTS = Path(__file__).parents[3] / "results"
COMMITTED = sorted(RESULTS.glob("*/*-seeds.csv"))
MOST_COUNTED = 16  # pairs whose sign patterns are all counted here
MARGIN = 0.1


def holm(p: np.ndarray, family: int) -> np.ndarray:
    """Holm's adjustment; comparisons of the family that did not run count as the largest."""
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate((family - np.arange(len(p))) * p[order]))
    return adjusted


def sign_flip(pairs: np.ndarray) -> float:
    """The share of sign patterns whose sum is as far from 0 as the observed one: of all, or of 200,000 drawn ones."""
    if len(pairs) > MOST_COUNTED:
        signs = np.random.default_rng(1).choice([-1, 1], (200_000, len(pairs)))
    else:
        signs = 1 - 2 * (np.arange(2 ** len(pairs))[:, None] >> np.arange(len(pairs)) & 1)
    return float(np.mean(np.abs(signs @ pairs) >= abs(pairs.sum()) * (1 - 1e-9)))


@pytest.mark.slow
@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_committed_differences_follow_from_committed_seeds(path: Path) -> None:
    seeds = pd.read_csv(path)
    table = pd.read_csv(path.with_name(path.name.replace("-seeds.csv", ".csv")))
    margins = pd.read_csv(path.with_name(path.name.replace("-seeds", "-margins")))
    for (preset, protocol), group in table.groupby(["preset", "protocol"]):
        of_group = seeds[(seeds["preset"] == preset) & (seeds["protocol"] == protocol)]
        mae = of_group.pivot(index="seed", columns="arm", values="mae")
        rows = group[group["difference"].notna()]
        of_arm = [
            (mae[arm] - mae[base]).dropna().to_numpy() for arm, base in zip(rows["arm"], rows["baseline"], strict=True)
        ]
        assert [len(pairs) for pairs in of_arm] == rows["pairs"].tolist()
        assert [pairs.mean() for pairs in of_arm] == pytest.approx(rows["difference"].tolist())
        tested = [len(pairs) > 1 for pairs in of_arm]
        rows, of_arm = rows[tested], [pairs for pairs in of_arm if len(pairs) > 1]
        if rows.empty:
            continue
        p = np.array([sign_flip(pairs) for pairs in of_arm])
        drawn, family = max(map(len, of_arm)) > MOST_COUNTED, int(rows["family"].iloc[0])
        assert p == pytest.approx(rows["p"].to_numpy(), abs=0.005 * drawn)
        p_holm = holm(p, family)
        assert p_holm == pytest.approx(rows["p_holm"].to_numpy(), abs=0.005 * drawn * family)
        of_margin = margins[(margins["preset"] == preset) & (margins["protocol"] == protocol)].set_index("arm")
        for pairs, adjusted, row in zip(of_arm, p_holm, rows.to_dict("records"), strict=True):
            low, high = stats.ttest_1samp(pairs, 0).confidence_interval(0.95)
            assert (row["low"], row["high"]) == pytest.approx((low, high))
            posterior = stats.t(len(pairs) - 1, pairs.mean(), stats.sem(pairs))
            better, worse = posterior.cdf(-MARGIN), posterior.sf(MARGIN)
            assert [row["p_better"], row["p_worse"]] == pytest.approx([better, worse], abs=1e-9)
            for margin in (0.05, 0.1, 0.15, 0.2):
                decided = adjusted < 0.05 and not low <= 0 <= high
                direction = "better" if high < 0 else "worse"
                if -margin < low and high < margin and len(pairs) >= 4:
                    expected = f"equivalent (detectably {direction})" if decided else "equivalent"
                else:
                    expected = direction if decided else "inconclusive"
                assert of_margin.loc[row["arm"], str(margin)] == expected
                if margin == MARGIN:
                    assert row["verdict"] == expected


def test_no_committed_table_is_without_its_seeds() -> None:
    tables = {path.with_suffix(".csv") for path in RESULTS.glob("*/*.md") if path.name not in {"README.md", "perf.md"}}
    studies = {path for path in tables if path.exists()}
    assert studies == {path.with_name(path.name.replace("-seeds", "")) for path in COMMITTED}
    assert len(COMMITTED) > 5
