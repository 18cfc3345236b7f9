"""``bench run`` and ``bench report`` of a study that searches, with trainings on synthetic data."""

import re
from pathlib import Path

import pandas as pd
import pytest

from benchmark.run.runner import Interrupted
from benchmark.search.storage import load_searches
from benchmark.store import Store
from tests.benchmark.cli.test_own_sampler import OWN
from tests.benchmark.conftest import TINY, Bench

pytestmark = pytest.mark.slow

SEARCH = """
search:
  samplers:
    gaussian: {sigma: {low: 5, high: 90, log: true}, bin_width: {choices: [10, 20]}}
  points: 4
  confirm: {best: 2, seeds: 2}
"""
ARMS = "  - sampler: gaussian\n    sigma: [15, 30]\n"
STORE = "results/bench.sqlite"


@pytest.fixture
def searching(tmp_path: Path) -> Path:
    path = tmp_path / "searching.yaml"
    path.write_text(TINY.replace(ARMS, "") + SEARCH)
    return path


def test_search_confirms_its_best_points_and_is_reported(bench: Bench, searching: Path, data_root: Path) -> None:
    call = ("run", "--study", searching, "--data-root", data_root, "--jobs", 1)
    dry = bench(*call, "--dry-run")
    assert dry.status == 0, dry.err
    assert re.search(r"gaussian +aflw2000_fit +tpe +4 +0 ", dry.out)
    assert "then 12 trainings: 3 arms, 2 of them the best points, with 2 fresh seeds" in dry.out
    first = bench(*call)
    assert first.status == 0, first.err
    assert "searching: 4 points searched: 4 done, 0 failed" in first.out
    assert "12 trials: 12 trained, 0 reused" in first.out  # 3 arms x 2 seeds, on the whole set and on its part
    assert re.search(r"gaussian +aflw2000_fit +tpe +4 +4 ", bench(*call, "--dry-run").out)
    again = bench(*call)
    assert "12 trials: 0 trained, 12 reused" in again.out
    searching.write_text(searching.read_text().replace("points: 4", "points: 2"))
    fewer = bench(*call)
    assert "more points are stored than 2" in fewer.out
    assert "4 points searched: 4 done" in fewer.out
    assert "12 trials: 0 trained, 12 reused" in fewer.out

    store = Store(STORE)
    (search,) = load_searches(store, "searching")
    cells = store.results("searching")
    assert set(cells["seed"]) == {1, 2}  # 0 was searched with
    assert cells["mae"].notna().all()
    assert set(cells["protocol"]) == {"aflw2000_to_biwi", "aflw2000_validation"}
    best = min(search.points, key=lambda point: point.value)
    found = cells[cells["arm"].str.endswith(" (found)")].iloc[0]
    assert {name: found["parameters"][name] for name in ("sigma", "bin_width")} == best.parameters

    report = bench("report")
    assert report.status == 0, report.err
    main = pd.read_csv("results/report/tables/searching.csv")
    assert set(main["protocol"]) == {"aflw2000_to_biwi"}  # the part where points were chosen tests nothing
    name = "searching-search-aflw2000-gaussian-standard"
    table = pd.read_csv(f"results/report/tables/{name}.csv")
    assert table["arm"].str.endswith(" (found)").tolist() == [True, True, False]
    assert table["search"][0] == best.value
    fresh = cells[(cells["arm"] == table["arm"][0]) & (cells["protocol"] == "aflw2000_validation")]["mae"]
    assert table["fresh"][0] == pytest.approx(fresh.mean())
    assert table["difference"][0] == pytest.approx(fresh.mean() - best.value)
    tests = cells[cells["protocol"] == "aflw2000_to_biwi"].pivot(index="seed", columns="arm", values="mae")
    assert table["aflw2000_to_biwi"][0] == pytest.approx((tests[table["arm"][0]] - tests["random"]).mean())
    assert "gaussian" in Path(f"results/report/figures/{name}-points.svg").read_text()
    page = Path("results/report/index.html").read_text()
    assert "Search: gaussian on aflw2000, preset standard" in page
    assert f"figure-{name}-points" in page
    assert "4 points by tpe: 4 done" in report.out


@pytest.mark.parametrize("place", ["jobs", "dask"])
def test_a_search_over_a_sampler_of_ones_own(bench: Bench, searching: Path, data_root: Path, place: str) -> None:
    (searching.parent / "own.py").write_text(OWN)
    text = searching.read_text().replace("gaussian:", "own:").replace("points: 4", "points: 2")
    searching.write_text(text.replace("protocols:", "sampler_files: [own.py]\nprotocols:"))
    call = ("run", "--study", searching, "--data-root", data_root)
    if place == "jobs":
        result = bench(*call, "--jobs", 2)
    else:
        distributed = pytest.importorskip("distributed")
        options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
        with distributed.LocalCluster(**options) as cluster:
            result = bench(*call, "--dask", cluster.scheduler_address)
    assert result.status == 0, result.err
    assert "2 points searched: 2 done" in result.out


def test_an_interrupted_search_plans_no_arms_that_it_may_still_drop(
    bench: Bench, searching: Path, data_root: Path, monkeypatch
) -> None:
    def interrupted(*_: object) -> None:
        raise Interrupted

    monkeypatch.setattr("benchmark.search.trainings.run_searches", interrupted)
    assert bench("run", "--study", searching, "--data-root", data_root, "--jobs", 1).status == 130
    assert set(Store(STORE).results("searching")["arm"]) == {"random"}
