"""Searches on an objective with a known optimum: found, shared, killed, gone on with."""

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter

import optuna
import pytest

from benchmark.run.leases import Leases, worker_name
from benchmark.search.best import best_points
from benchmark.search.objective import PointFailedError
from benchmark.search.optimizer import Optimizer, open_storage
from benchmark.search.runner import run_searches
from benchmark.search.search import Search
from benchmark.search.worker import work
from benchmark.store.copy import copy_store
from benchmark.store.points import load_searches
from benchmark.store.search_store import Point, SearchStore
from mhpe.errors import InputError
from tests.benchmark.postgres import Cluster
from tests.benchmark.search.fake_search import (
    BEST,
    STUDY,
    add,
    make_search,
    objective,
    search_in_this_process,
    slow_objective,
    value_of,
)
from tests.benchmark.store.test_store import TRIAL, planned


def optuna_study(url: str, search: Search) -> optuna.Study:
    storage = SearchStore(url).engine.url.render_as_string(hide_password=False)
    return optuna.load_study(study_name=search.key, storage=storage)


def in_both(url: str, search: Search, points: int) -> list[Point]:
    """The points, all of them done, once each, and the same in Optuna's study."""
    found = SearchStore(url).points([search.key])
    assert [point.number for point in found] == list(range(points))
    assert {point.status for point in found} == {"done"}
    trials = {trial.number: trial for trial in optuna_study(url, search).trials}
    assert sorted(point.optuna_number for point in found) == sorted(trials) == list(range(points))
    for point in found:
        trial = trials[point.optuna_number]
        assert (trial.value, trial.params) == (point.value, point.parameters)
        assert point.value == value_of(point.parameters)
    return found


@pytest.mark.parametrize(("optimizer", "points"), [("tpe", 40), ("gp", 20)])
def test_the_optimum_is_found(tmp_path, optimizer: str, points: int) -> None:
    search = make_search(points, optimizer=optimizer)
    best = next(iter(best_points(search_in_this_process(f"{tmp_path}/s.sqlite", search), "gaussian", 3).values()))
    assert best.parameters["bin_width"] in (10, 15, 20)
    assert best.parameters["sigma"] == pytest.approx(BEST["sigma"], rel=0.35)


def test_all_of_a_grid_is_searched_once(tmp_path) -> None:
    space = "{sigma: {choices: [10, 25, 60]}, bin_width: {choices: [10, 15, 20]}}"
    search = make_search(9, space, optimizer="grid")
    found = search_in_this_process(f"{tmp_path}/s.sqlite", search)
    assert len({tuple(point.parameters.values()) for point in found}) == 9
    assert next(iter(best_points(found, "gaussian", 1).values())).parameters == BEST


def test_cmaes_knows_choices_by_their_order(tmp_path) -> None:
    search = make_search(8, optimizer="cmaes")
    found = search_in_this_process(f"{tmp_path}/s.sqlite", search)
    assert {point.parameters["bin_width"] for point in found} <= set(search.space["bin_width"].choices)
    assert [point.value for point in found] == [value_of(point.parameters) for point in found]


def test_one_process_gives_the_same_points_every_time_even_stopped_halfway(tmp_path) -> None:
    at_once = search_in_this_process(f"{tmp_path}/a.sqlite", make_search(14))
    search_in_this_process(f"{tmp_path}/b.sqlite", make_search(6))
    in_two = search_in_this_process(f"{tmp_path}/b.sqlite", make_search(14))  # more points continue a search
    assert [point.parameters for point in in_two] == [point.parameters for point in at_once]
    other = search_in_this_process(f"{tmp_path}/c.sqlite", make_search(14, seed=1))
    assert [point.parameters for point in other] != [point.parameters for point in at_once]


def test_searches_together_neither_lose_nor_exceed_points(store_url: str) -> None:
    search = make_search(16)
    add(SearchStore(store_url), search)
    asked: Counter[int] = Counter()

    def counting(*_):
        def value(point: Point) -> float:
            asked[point.number] += 1
            time.sleep(0.01)
            return value_of(point.parameters)

        return value

    threads = [
        threading.Thread(target=work, args=(store_url, [search], worker_name()), kwargs={"make_objective": counting})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked == Counter(range(16))
    in_both(store_url, search, 16)


def test_many_searches_need_few_connections(postgres_cluster: Cluster) -> None:
    url = postgres_cluster.new_database()
    store = SearchStore(url)
    searches = [make_search(1, seed=seed) for seed in range(8)]
    for search in searches:
        add(store, search)
    open_at_once: list[int] = []

    def counting(*_):
        def value(point: Point) -> float:
            with store.reading() as connection:
                count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                open_at_once.append(connection.exec_driver_sql(count).scalar_one())
            return value_of(point.parameters)

        return value

    work(url, searches, worker_name(), make_objective=counting)
    assert len(open_at_once) == len(searches)
    assert max(open_at_once) < len(searches)


def interrupted_search(url: str, points: int, ended: int) -> list[Point]:
    """The points of a search that was interrupted when some had ended and one was being trained."""
    store, search = SearchStore(url), make_search(points)

    def interrupting(*_):
        def value(point: Point) -> float:
            if point.number == ended:
                raise KeyboardInterrupt
            return value_of(point.parameters)

        return value

    with pytest.raises(KeyboardInterrupt):
        search_in_this_process(url, search, interrupting)
    return store.points([search.key])


def test_fewer_points_end_a_search_earlier(store_url: str) -> None:
    before = interrupted_search(store_url, 12, ended=4)
    assert [point.status for point in before] == ["done"] * 4 + ["waiting"] * 8
    found = search_in_this_process(store_url, make_search(6))
    assert in_both(store_url, make_search(6), 6) == found
    assert [point.parameters for point in found[:5]] == [point.parameters for point in before[:5]]


def test_fewer_points_than_have_ended_add_none_and_lose_no_suggestion(store_url: str) -> None:
    before = interrupted_search(store_url, 12, ended=4)
    assert search_in_this_process(store_url, make_search(2)) == before[:4]
    more = search_in_this_process(store_url, make_search(6))
    assert in_both(store_url, make_search(6), 6) == more
    assert more[4].parameters == before[4].parameters  # what was being trained at the interruption


def test_a_point_that_a_live_process_is_at_stays_where_fewer_are_wanted(store_url: str) -> None:
    store, search = SearchStore(store_url), make_search(4)
    add(store, search)
    assert store.claim_point([search.key], "live", 60)
    assert store.claim_point([search.key], "dead", -1)
    add(store, make_search(1))
    assert [(point.number, point.status) for point in store.points([search.key])] == [(0, "running")]


def run_slowly(url: str, search: Search) -> None:
    work(url, [search], worker_name(), make_objective=slow_objective)


def test_killed_search_goes_on(store_url: str, monkeypatch) -> None:
    monkeypatch.setenv("BENCH_LEASE", "1")
    search = make_search(6)
    store = SearchStore(store_url)
    add(store, search)
    process = multiprocessing.get_context("fork").Process(target=run_slowly, args=(store_url, search))
    process.start()
    while not any(point.status == "done" for point in store.points([search.key])):
        time.sleep(0.02)
    while not (at := [p for p in store.points([search.key]) if p.status == "running" and p.parameters]):
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    before = store.points([search.key])
    assert not all(point.ended for point in before)
    work(store_url, [search], worker_name(), make_objective=objective)
    after = in_both(store_url, search, 6)
    for point in [point for point in before if point.ended] + at:  # what Optuna had suggested stays
        assert after[point.number].parameters == point.parameters


def test_suggestion_of_a_process_that_died_at_once_is_used(tmp_path) -> None:
    url = f"{tmp_path}/s.sqlite"
    store, search = SearchStore(url), make_search(3)
    add(store, search)
    with Leases(store) as leases:
        optimizer = Optimizer(store, open_storage(store, leases), search, leases)
        left = optuna_study(url, search).ask(optimizer._distributions)  # asked, but not written down
    work(url, [search], worker_name(), make_objective=objective)
    assert in_both(url, search, 3)[0].parameters == left.params


def test_failed_points_are_rows_and_tried_again_on_demand(tmp_path) -> None:
    url, search = f"{tmp_path}/s.sqlite", make_search(4)

    def failing(*_):
        def value(point: Point) -> float:
            if point.number == 2:
                raise PointFailedError("NotFiniteError: the loss is not finite")
            return value_of(point.parameters)

        return value

    found = search_in_this_process(url, search, failing)
    assert [point.status for point in found] == ["done", "done", "failed", "done"]
    assert found[2].note == "NotFiniteError: the loss is not finite"
    states = [trial.state.name for trial in optuna_study(url, search).trials]
    assert states == ["COMPLETE", "COMPLETE", "FAIL", "COMPLETE"]
    SearchStore(url).reset_failed([search.key])
    again = search_in_this_process(url, search)
    assert [point.status for point in again] == ["done"] * 4
    assert again[2].parameters == found[2].parameters
    assert [trial.state.name for trial in optuna_study(url, search).trials] == [*states, "COMPLETE"]


def test_points_from_elsewhere_are_told_to_optuna(tmp_path) -> None:
    url, search = f"{tmp_path}/s.sqlite", make_search(3)
    store = SearchStore(url)
    add(store, search)
    store.end_point(search.key, 0, "done", 7.0, None)
    store._change(search.key, 0, {"parameters": {"sigma": 30.0, "bin_width": 20}})
    work(url, [search], worker_name(), make_objective=objective)
    trials = optuna_study(url, search).trials
    assert [trial.value for trial in trials][:1] == [7.0]
    assert len(trials) == 3


def test_what_a_value_depends_on_makes_another_search() -> None:
    base = make_search(4)
    assert make_search(99).key == base.key  # more points are the same search
    for other in (make_search(4, seeds=2), make_search(4, objective="geodesic_mean"), make_search(4, optimizer="gp")):
        assert other.key != base.key
    assert make_search(4, "{sigma: {low: 5, high: 80}}").key != base.key


def test_of_equal_points_one_is_among_the_best() -> None:
    points = [
        Point("s", i, "done", i, {"sigma": sigma}, value, None)
        for i, (sigma, value) in enumerate([(30.00001, 7.0), (30.00002, 6.5), (20.0, 6.9), (10.0, 8.0)])
    ]
    points += [Point("s", 4, "pruned", 4, {"sigma": 50.0}, None, "pruned")]
    best = best_points(points, "gaussian", 2)
    assert list(best) == ["gaussian(sigma=30), found", "gaussian(sigma=20), found"]
    assert [point.number for point in best.values()] == [1, 2]


def deadly_objective(*_):
    """Ends its process at point 1."""

    def value(point: Point) -> float:
        if point.number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return value_of(point.parameters)

    return value


class Silent:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.points: list[str] = []
        self.notes: list[str] = []

    def start(self, total: int, done: int) -> None:
        self.total = total

    def point(self, status: str, text: str) -> None:
        self.points.append(f"{status} {text}")

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_point_whose_process_dies_again_has_failed(tmp_path) -> None:
    search, reporter = make_search(3), Silent()
    store = SearchStore(f"{tmp_path}/s.sqlite")
    store.plan("study", STUDY, [planned()], [TRIAL])
    points = run_searches([search], store, 1, "cpu", reporter, make_objective=deadly_objective)
    assert [point.status for point in points] == ["done", "failed", "done"]
    assert points[1].note == "WorkerDied: its process was killed, ran out of memory, or crashed, 2 times"
    assert reporter.notes == ["point 1 of gaussian: its process died; trying again"]
    assert sorted(line.split()[0] for line in reporter.points) == ["done", "done", "failed"]
    states = [trial.state.name for trial in optuna_study(f"{tmp_path}/s.sqlite", search).trials]
    assert states == ["COMPLETE", "FAIL", "COMPLETE"]


def deadly_start(*_):
    """Ends its process before it takes a point."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_processes_that_die_before_they_take_a_point_end_the_search(tmp_path) -> None:
    search, reporter = make_search(3), Silent()
    store = SearchStore(f"{tmp_path}/s.sqlite")
    store.plan("study", STUDY, [planned()], [TRIAL])
    with pytest.raises(InputError, match=r"^3 processes of the search in a row died before") as ended:
        run_searches([search], store, 1, "cpu", reporter, make_objective=deadly_start)
    assert "\n" not in str(ended.value)
    assert reporter.notes == ["a process of the search died before it took a point; starting another one"] * 2
    assert [point.status for point in store.points([search.key])] == ["waiting"] * 3


def test_copied_search_goes_on_elsewhere(tmp_path) -> None:
    search = make_search(5)
    first = search_in_this_process(f"{tmp_path}/a.sqlite", search)
    elsewhere = SearchStore(f"{tmp_path}/b.sqlite")
    copy_store(SearchStore(f"{tmp_path}/a.sqlite", read_only=True), elsewhere)
    (copied,) = load_searches(elsewhere, "study")
    assert [(p.value, p.parameters) for p in copied.points] == [(p.value, p.parameters) for p in first]
    more = search_in_this_process(f"{tmp_path}/b.sqlite", make_search(8))
    same = search_in_this_process(f"{tmp_path}/a.sqlite", make_search(8))
    assert [point.parameters for point in more] == [point.parameters for point in same]
    in_both(f"{tmp_path}/b.sqlite", search, 8)
