"""Tables of the page."""

from pathlib import Path

import pandas as pd
import pytest

import benchmark
from benchmark.report.build import build_report
from benchmark.report.page.trials import trace
from tests.benchmark.fake_results import MadeUp, filled_store


def test_a_trials_errors_name_protocols_briefly(tmp_path: Path) -> None:
    study = MadeUp(seeds=1, predictions=False)
    store = filled_store(tmp_path, study)
    rows, *_ = trace(store, store.results(study.name).assign(study=study.name))
    results = [row[4] for row in rows.values()]
    assert len(results) == 3
    assert all("(synth_1), " in result and result.endswith("(synth_2)") for result in results)


@pytest.mark.slow
def test_errors_beyond_30_degrees_of_yaw_are_those_of_the_images(tmp_path: Path) -> None:
    study = MadeUp(seeds=2, images=30, protocols=("synth_1",))
    build_report(filled_store(tmp_path, study), (), tmp_path)
    parts = pd.read_csv(tmp_path / "tables" / "made_up-parts.csv").set_index(["metric", "arm"])
    means = {}
    for arm in ("random", "gaussian 30"):
        tables = [benchmark.predictions("made_up", arm, seed, store=tmp_path / "made_up.sqlite") for seed in (0, 1)]
        means[arm] = sum(table.loc[table["label_yaw"].abs() > 30, "mae"].mean() for table in tables) / 2
    found = parts.loc[("far", "gaussian 30")]
    assert found[["mean", "difference"]].tolist() == pytest.approx(
        [means["gaussian 30"], means["gaussian 30"] - means["random"]], rel=1e-5
    )
