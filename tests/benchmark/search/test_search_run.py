"""``bench run`` and ``bench report`` of a study that searches, with trainings on made-up data."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmark.run.leases import Leases
from benchmark.run.runner import Interrupted
from benchmark.search.objective import PrunedError, Trainings
from benchmark.search.optimizer import Optimizer, open_storage
from benchmark.search.search import Search
from benchmark.search.worker import work
from benchmark.store import Store
from benchmark.store.errors import StoreUnavailableError
from benchmark.store.points import load_searches
from benchmark.store.search_store import Point, SearchStore
from benchmark.study.study import load_study
from mhpe.data import HeadPoseSet
from mhpe.data.split import split
from mhpe.datasets import prepared
from mhpe.synthheads.sets import SynthConfig
from tests.benchmark.conftest import TINY, Bench
from tests.benchmark.store.test_store import planned

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
    assert "0 ended, 4 to do" in dry.out
    first = bench(*call)
    assert first.status == 0, first.err
    assert "searching: 4 points searched: 4 done, 0 pruned, 0 failed" in first.out
    assert "12 trials: 12 trained, 0 there before" in first.out  # 3 arms x 2 seeds, on the whole set and on its part
    again = bench(*call)
    assert "12 trials: 0 trained, 12 there before" in again.out
    searching.write_text(searching.read_text().replace("points: 4", "points: 2"))
    fewer = bench(*call)
    assert "4 points of gaussian on aflw2000 are stored, more than points: 2; all of them count" in fewer.out
    assert "4 points searched: 4 done" in fewer.out
    assert "12 trials: 0 trained, 12 there before" in fewer.out

    store = Store(STORE)
    (search,) = load_searches(store, "searching")
    cells = store.results("searching")
    assert set(cells["seed"]) == {1, 2}  # 0 was searched with
    assert cells["mae"].notna().all()
    assert set(cells["protocol"]) == {"aflw2000_to_biwi", "aflw2000_validation"}
    best = min(search.points, key=lambda point: point.value)
    found = cells[cells["arm"].str.endswith(", found")].iloc[0]
    assert {name: found["parameters"][name] for name in ("sigma", "bin_width")} == best.parameters

    report = bench("report")
    assert report.status == 0, report.err
    name = "searching-search-aflw2000-gaussian-standard"
    table = pd.read_csv(f"results/report/tables/{name}.csv")
    assert table["arm"].str.endswith(", found").tolist() == [True, True, False]
    assert table["search"][0] == best.value
    fresh = cells[(cells["arm"] == table["arm"][0]) & (cells["protocol"] == "aflw2000_validation")]["mae"]
    assert table["fresh"][0] == pytest.approx(fresh.mean())
    assert table["difference"][0] == pytest.approx(fresh.mean() - best.value)
    tests = cells[cells["protocol"] == "aflw2000_to_biwi"].pivot(index="seed", columns="arm", values="mae")
    assert table["aflw2000_to_biwi"][0] == pytest.approx((tests[table["arm"][0]] - tests["random"]).mean())
    for kind in ("history", "slice", "contour", "importances"):
        assert Path(f"results/report/figures/{name}-{kind}.png").stat().st_size > 5000
    page = Path("results/report/index.html").read_text()
    assert "Search: gaussian on aflw2000, preset standard" in page
    assert f"figure-{name}-contour" in page
    assert "4 points by tpe: 4 done" in report.out


def test_arms_that_an_interrupted_search_may_still_drop_are_not_planned(
    bench: Bench, searching: Path, data_root: Path, monkeypatch
) -> None:
    def interrupted(searches, store, *_) -> list[Point]:
        (search,) = searches
        store.add_search(search.key, "searching", "standard", "aflw2000", "gaussian", search.definition, 4)
        store._change(search.key, 0, {"parameters": {"sigma": 30.0, "bin_width": 20}})
        store.end_point(search.key, 0, "done", 7.0, None)
        raise Interrupted(1)

    monkeypatch.setattr("benchmark.cli.search.run_searches", interrupted)
    for _ in range(2):  # at the second call there is a best point
        assert bench("run", "--study", searching, "--data-root", data_root, "--jobs", 1).status == 130
    assert set(Store(STORE).results("searching")["arm"]) == {"random"}


@pytest.fixture
def small(searching: Path, data_root: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Search:
    """A search of two epochs with a pruner."""
    text = searching.read_text().replace("epochs: 1", "epochs: 2")
    searching.write_text(f"{text}  pruner: median\n")
    study = load_study(str(searching), "standard")
    data = prepared("aflw2000", 32, data_root, SynthConfig(), 1)
    parts = split(data, 0.2, 0, tmp_path / "parts")
    return Search.of("searching", "standard", study.searched[0], "aflw2000", parts)


def add(store: SearchStore, search: Search) -> None:
    store.plan("searching", {"title": "A search"}, [replace(planned(), study="searching")], [])
    store.add_test_set(HeadPoseSet.load(search.validation))
    store.add_search(search.key, "searching", "standard", "aflw2000", "gaussian", search.definition, 2)


def always_prunes(search, store, leases, optimizer, device, retry_failed) -> Trainings:
    real = optimizer.should_prune

    def should_prune(point, step, value) -> bool:
        real(point, step, value)
        return point.number == 0

    optimizer.should_prune = should_prune
    return Trainings(search, store, leases, optimizer, device, retry_failed)


def test_pruned_trials_are_rows_and_not_trained_again(tmp_path: Path, small: Search, monkeypatch) -> None:
    url = f"{tmp_path}/s.sqlite"
    store = SearchStore(url)
    add(store, small)
    work(url, [small], "me", make_objective=always_prunes)
    pruned, done = store.points([small.key])
    assert (pruned.status, done.status) == ("pruned", "done")
    assert "by the median pruner after epoch 1 of 2: mae" in pruned.note
    trial = small.trial(pruned.parameters, 0)
    assert store.statuses([trial.key]) == {trial.key: "pruned"}
    assert store.pruned(trial.key) == pruned.note
    with Leases(store, "me") as leases:
        optimizer = Optimizer(store, open_storage(store, leases), small, leases)
        states = [(t.state.name, sorted(t.intermediate_values)) for t in optimizer._study().trials]
        assert states == [("PRUNED", [0]), ("COMPLETE", [0, 1])]
        # the last epoch's report is the value, and watching a training does not change it
        assert optimizer._study().trials[1].intermediate_values[1] == done.value

        monkeypatch.setattr("benchmark.search.objective.execute", None)  # whatever trains fails
        again = Trainings(small, store, leases, optimizer, "cpu")
        assert again(done) == done.value  # a repeated suggestion costs nothing
        with pytest.raises(PrunedError, match="by the median pruner after epoch 1"):
            again(pruned)


def outage(search, store, leases, optimizer, device, retry_failed) -> Trainings:
    def should_prune(point, step, value) -> bool:
        raise StoreUnavailableError("store: no connection")

    optimizer.should_prune = should_prune
    return Trainings(search, store, leases, optimizer, device, retry_failed)


def test_outage_while_the_pruner_is_asked_is_no_failure(tmp_path: Path, small: Search) -> None:
    url = f"{tmp_path}/s.sqlite"
    store = SearchStore(url)
    add(store, small)
    with pytest.raises(StoreUnavailableError, match="no connection"):
        work(url, [small], "me", make_objective=outage)
    first, _ = store.points([small.key])
    trial = small.trial(first.parameters, 0)
    assert (first.status, store.statuses([trial.key])) == ("waiting", {trial.key: "waiting"})
    work(url, [small], "you")
    first, _ = store.points([small.key])
    assert (first.status, store.statuses([trial.key])) == ("done", {trial.key: "done"})


def test_watched_training_gives_the_same_network(tmp_path: Path, small: Search) -> None:
    values = []
    for pruner in ("none", "median"):
        url = f"{tmp_path}/{pruner}.sqlite"
        store = SearchStore(url)
        config = small.config.model_copy(update={"pruner": pruner, "points": 1})
        search = replace(small, searched=replace(small.searched, config=config))
        add(store, search)
        work(url, [search], "me")
        values.append([point.value for point in store.points([search.key])])
    assert values[0] == values[1]
