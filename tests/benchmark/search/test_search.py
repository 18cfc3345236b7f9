"""Searches on an objective with a known optimum: found, shared, killed, gone on with."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import optuna
import pytest
import sqlalchemy as sa
from optuna.storages import RDBStorage
from optuna.trial import TrialState, create_trial

from benchmark.run import runner
from benchmark.run.runner import Interrupted
from benchmark.search.optimizer import Points
from benchmark.search.points import Point, best_points
from benchmark.search.search import Search
from benchmark.search.storage import copy_searches, load_searches, open_storage
from benchmark.search.trainings import run_searches
from benchmark.store import Store, schema
from benchmark.store.outcome import Outcome
from benchmark.study.study import load_study
from tests.benchmark.conftest import Bench
from tests.benchmark.postgres import Cluster
from tests.benchmark.search.fake_search import (
    BEST,
    FakeWorkers,
    Silent,
    make_search,
    points_of,
    search_here,
    value_of,
)

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.05)
    monkeypatch.setenv("BENCH_LEASE", "2")


def all_done(found: list[Point], points: int) -> None:
    """Each point has ended once, with its value."""
    assert [point.number for point in found] == list(range(points))
    assert {point.status for point in found} == {"done"}
    assert [point.value for point in found] == [value_of(point.parameters) for point in found]


@pytest.mark.parametrize(("optimizer", "points"), [("tpe", 40), ("gp", 20), ("random", 60)])
def test_the_optimum_is_found(tmp_path: Path, optimizer: str, points: int) -> None:
    search = make_search(points, optimizer=optimizer)
    found = search_here(f"{tmp_path}/s.sqlite", search)
    assert len(found) == points
    best = next(iter(best_points(found, search.searched.name, 3).values()))
    assert best.parameters["bin_width"] in (10, 15, 20)
    assert best.parameters["sigma"] == pytest.approx(BEST["sigma"], rel=0.35)


def test_all_of_a_grid_is_searched_once(tmp_path: Path) -> None:
    space = "{sigma: {choices: [10, 25, 60]}, bin_width: {choices: [10, 15, 20]}}"
    found = search_here(f"{tmp_path}/s.sqlite", make_search(9, space, optimizer="grid"), FakeWorkers(3))
    assert len({tuple(point.parameters.values()) for point in found}) == 9
    assert next(iter(best_points(found, "gaussian", 1).values())).parameters == BEST


def test_one_process_gives_the_same_points_every_time_even_stopped_halfway(tmp_path: Path) -> None:
    at_once = search_here(f"{tmp_path}/a.sqlite", make_search(14))
    search_here(f"{tmp_path}/b.sqlite", make_search(6))
    in_two = search_here(f"{tmp_path}/b.sqlite", make_search(14))  # more points continue a search
    assert [point.parameters for point in in_two] == [point.parameters for point in at_once]
    other = search_here(f"{tmp_path}/c.sqlite", make_search(14, seed=1))
    assert [point.parameters for point in other] != [point.parameters for point in at_once]


def interrupted_search(url: str, points: int, ended: int) -> list[Point]:
    """The points of a search that was interrupted when some had ended and one was being trained."""
    workers = FakeWorkers()

    def interrupting(parameters: dict[str, Any]) -> float:
        if sum(workers.done.values()) > ended:
            raise KeyboardInterrupt
        return value_of(parameters)

    workers.value = interrupting
    with pytest.raises(Interrupted):
        search_here(url, make_search(points), workers)
    return points_of(url, make_search(points))


def test_an_interrupted_search_goes_on_with_as_many_points_as_are_wanted_now(store_url: str) -> None:
    before = interrupted_search(store_url, 12, ended=4)
    assert [point.status for point in before] == ["done"] * 4 + ["running"]
    fewer = search_here(store_url, make_search(2))
    assert fewer[:4] == before[:4]
    assert [point.status for point in fewer] == ["done"] * 4 + ["running"]
    more = search_here(store_url, make_search(6))
    all_done(more, 6)
    assert more[4].parameters == before[4].parameters  # what was being trained at the interruption


def test_running_points_beyond_those_that_are_wanted_are_not_waited_for(tmp_path: Path) -> None:
    url = f"{tmp_path}/s.sqlite"
    workers = FakeWorkers(4)

    def value(parameters: dict[str, Any]) -> float:
        if not workers.done.total() > 1:
            raise ValueError("the first fails")
        if workers.done.total() > 4:
            time.sleep(0.3)
            raise KeyboardInterrupt
        return value_of(parameters)

    workers.value = value
    with pytest.raises(Interrupted):
        search_here(url, make_search(10), workers)
    assert len(points_of(url, make_search(10))) > 5
    found = search_here(url, make_search(5), retry_failed=True)
    assert [point.status for point in found[:5]] == ["done"] * 5


def work(url: str, search: Search, seconds: float, size: int = 1) -> None:
    search_here(url, search, FakeWorkers(size, seconds=seconds))


def start(*arguments: Any) -> multiprocessing.Process:
    process = multiprocessing.get_context("fork").Process(target=work, args=arguments)
    process.start()
    return process


def test_processes_that_share_a_new_store_neither_lose_nor_exceed_points(store_url: str) -> None:
    search = make_search(16)
    processes = [start(store_url, search, 0.02, 2) for _ in range(3)]  # all of them make the tables
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    all_done(points_of(store_url, search), 16)
    assert len(optuna_trials(store_url, search)) == 16


def optuna_trials(url: str, search: Search) -> list[optuna.trial.FrozenTrial]:
    storage = Store(url).engine.url.render_as_string(hide_password=False)
    return optuna.load_study(study_name=search.key, storage=storage).trials


def test_a_killed_search_goes_on(store_url: str) -> None:
    search = make_search(6)
    process = start(store_url, search, 0.3)
    parameters = 2  # of a point, suggested one after the other
    while (
        not (before := points_of(store_url, search)) or before[-1].number < 2 or len(before[-1].parameters) < parameters
    ):
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    begun = time.monotonic()
    after = search_here(store_url, search)
    assert time.monotonic() - begun < 30
    all_done(after, 6)
    for point in before:  # what Optuna had suggested stays
        assert after[point.number].parameters == point.parameters
    assert [trial.state.name for trial in optuna_trials(store_url, search)].count("COMPLETE") == 6


@pytest.mark.parametrize("step", ["optuna.storages._CachedStorage.set_trial_param", "benchmark.store.Store.claim"])
def test_a_process_that_dies_while_it_begins_a_point_loses_none(tmp_path: Path, monkeypatch, step: str) -> None:
    url, search = f"{tmp_path}/s.sqlite", make_search(4)
    with monkeypatch.context() as patched:
        patched.setattr(step, lambda *_, **__: os._exit(9))
        process = start(url, search, 0)
        process.join()
        assert process.exitcode == 9
    all_done(search_here(url, search), 4)


def test_failed_points_are_rows_and_tried_again_on_demand(tmp_path: Path) -> None:
    url, search, workers = f"{tmp_path}/s.sqlite", make_search(4), FakeWorkers()

    def failing(parameters: dict[str, Any]) -> float:
        if sum(workers.done.values()) == 3:
            raise ValueError("the loss is not finite")
        return value_of(parameters)

    workers.value = failing
    found = search_here(url, search, workers)
    assert [point.status for point in found] == ["done", "done", "failed", "done"]
    assert found[2].note == "ValueError: the loss is not finite"
    idle = FakeWorkers()
    assert search_here(url, search, idle) == found
    assert not idle.done
    again = search_here(url, search, retry_failed=True)
    all_done(again, 4)
    assert again[2].parameters == found[2].parameters


def test_values_that_a_sampler_refuses_together_are_a_failed_point(tmp_path: Path, monkeypatch) -> None:
    search = make_search(2, "{sigma: {choices: [10, 20]}}", optimizer="grid")
    build = type(search.searched.registry).build

    def refusing(self, name: str, parameters: dict[str, Any], where: str) -> Any:
        return build(self, name, parameters | ({"sigma": -1} if parameters.get("sigma") == 20 else {}), where)

    monkeypatch.setattr(type(search.searched.registry), "build", refusing)
    found = search_here(f"{tmp_path}/s.sqlite", search, FakeWorkers(value=lambda _: 7.0))
    assert sorted(point.status for point in found) == ["done", "failed"]
    assert "sigma" in next(point.note for point in found if point.note)


def test_a_point_is_the_mean_over_its_seeds(tmp_path: Path) -> None:
    values = iter([4.0, 8.0])
    found = search_here(f"{tmp_path}/s.sqlite", make_search(1, seeds=2), FakeWorkers(value=lambda _: next(values)))
    assert [point.value for point in found] == [6.0]


def test_a_copied_search_goes_on_elsewhere(tmp_path: Path, store_url: str) -> None:
    url = f"{tmp_path}/a.sqlite"
    before = interrupted_search(url, 12, ended=4)
    assert copy_searches(Store(url, read_only=True), Store(store_url)) == (1, 0)
    assert copy_searches(Store(url), Store(store_url)) == (0, 1)
    assert copy_searches(Store(f"{tmp_path}/empty.sqlite"), Store(store_url)) == (0, 0)
    assert points_of(store_url, make_search()) == before
    assert load_searches(Store(store_url), "study")[0].total == 12
    there, here = search_here(store_url, make_search(8)), search_here(url, make_search(8))
    all_done(there, 8)
    assert [point.parameters for point in there] == [point.parameters for point in here]


def test_a_copy_keeps_the_search_that_the_target_has(bench: Bench, tmp_path: Path) -> None:
    source, target = f"{tmp_path}/a.sqlite", f"{tmp_path}/b.sqlite"
    search_here(source, make_search(3))
    assert "searches: 1 added, 0 kept" in bench("store", "copy", source, target).out
    kept = points_of(target, make_search())
    search_here(source, make_search(5))
    assert "searches: 0 added, 1 kept" in bench("store", "copy", source, target).out
    assert points_of(target, make_search()) == kept


def test_a_process_that_ends_leaves_all_of_a_store_in_its_file(tmp_path: Path) -> None:
    source, target = tmp_path / "a.sqlite", tmp_path / "b.sqlite"
    search_here(str(source), make_search(3))
    command = [sys.executable, "-m", "benchmark", "store", "copy", source, target]
    assert "1 added" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert not list(tmp_path.glob("b.sqlite-*"))
    moved = target.rename(tmp_path / "moved.sqlite")
    all_done(points_of(str(moved), make_search()), 3)


def test_an_interrupted_copy_of_a_search_is_replaced(tmp_path: Path, store_url: str, monkeypatch) -> None:
    url = f"{tmp_path}/a.sqlite"
    before = interrupted_search(url, 12, ended=4)
    create, copied = RDBStorage.create_new_trial, []

    def interrupted(self: RDBStorage, *arguments: Any) -> int:
        copied.append(arguments)
        if len(copied) == 3:
            raise KeyboardInterrupt
        return create(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(RDBStorage, "create_new_trial", interrupted)
        with pytest.raises(KeyboardInterrupt):
            copy_searches(Store(url), Store(store_url))
    assert points_of(store_url, make_search()) == []
    assert copy_searches(Store(url), Store(store_url)) == (1, 0)
    assert points_of(store_url, make_search()) == before


def test_a_running_point_of_another_store_goes_on(tmp_path: Path) -> None:
    url, search = f"{tmp_path}/s.sqlite", make_search(4)
    search_here(url, make_search(2))
    study = optuna.load_study(study_name=search.key, storage=f"sqlite:///{url}")
    copied = create_trial(state=TrialState.RUNNING, user_attrs={"held": True})  # as earlier versions' copies left them
    study._storage.create_new_trial(study._study_id, copied)
    all_done(search_here(url, search), 4)


def test_a_failed_training_that_another_process_takes_again_is_waited_for(tmp_path: Path, monkeypatch) -> None:
    url, finish, taken, workers = f"{tmp_path}/s.sqlite", Store.finish, [], FakeWorkers()

    def failing_once(parameters: dict[str, Any]) -> float:
        if sum(workers.done.values()) == 1:
            raise ValueError("the loss is not finite")
        return value_of(parameters)

    def finish_and_lose(store: Store, outcome: Outcome, *args: Any) -> Any:
        result = finish(store, outcome, *args)
        if outcome.error and not taken:
            taken.append(Store(url).claim(outcome.key, "another process", 1, retry_failed=True))
        return result

    workers.value = failing_once
    monkeypatch.setattr(Store, "finish", finish_and_lose)
    all_done(search_here(url, make_search(2), workers), 2)
    assert taken == [True]


def test_two_searches_share_their_trainings(tmp_path: Path) -> None:
    url, workers = f"{tmp_path}/s.sqlite", FakeWorkers(2)
    space = "{sigma: {choices: [10, 20]}, bin_width: {choices: [15]}}"
    searches = [make_search(2, space, optimizer="grid", objective=metric) for metric in ("mae", "geodesic_mean")]
    run_searches(load_study("sigma_bin_search", "standard"), searches, Store(url), workers, Silent())
    for search in searches:
        all_done(points_of(url, search), 2)
    assert set(workers.done.values()) == {1}


def test_what_an_earlier_version_pruned_is_kept_and_trained_again(tmp_path: Path) -> None:
    store, search = Store(f"{tmp_path}/s.sqlite"), make_search(2, "{sigma: {choices: [10, 20]}}", optimizer="grid")
    points = Points(store, open_storage(store), search)
    assert points.begin()
    (begun,) = points.begun()
    trial = search.trial(begun.params, 0)
    store.add_trials([trial])
    with store.writing() as connection:
        connection.execute(sa.update(schema.trials).values(status="pruned"))
    points.storage.set_trial_user_attr(begun._trial_id, "note", "by the median pruner")
    points.storage.set_trial_state_values(begun._trial_id, TrialState.PRUNED)
    kept, done = search_here(store.url, search, FakeWorkers(value=lambda _: 7.0))
    assert (kept.status, kept.note, done.status) == ("failed", "by the median pruner", "done")
    other = make_search(2, "{sigma: {choices: [10, 20]}}", optimizer="grid", objective="geodesic_mean")
    found = search_here(store.url, other, FakeWorkers(value=lambda _: 7.0))
    assert [point.status for point in found] == ["done", "done"]
    assert store.statuses([trial.key]) == {trial.key: "done"}


def test_progress_counts_what_other_processes_end(tmp_path: Path, monkeypatch) -> None:
    url, search, counts = f"{tmp_path}/s.sqlite", make_search(5), set()
    monkeypatch.setattr(Silent, "start", lambda _, total, done: counts.add((total, done)))
    store = Store(url)
    others, workers = Points(store, open_storage(store), search), FakeWorkers()

    def while_others_end_three(parameters: dict[str, Any]) -> float:
        if sum(workers.done.values()) == 1:
            for _ in range(3):
                assert others.begin()
                others.end(others.begun()[-1], 9.0)
        return value_of(parameters)

    workers.value = while_others_end_three
    search_here(url, search, workers)
    assert (5, 0) in counts
    assert max(counts) == (5, 4)


def test_reading_makes_no_tables(tmp_path: Path) -> None:
    store = Store(f"{tmp_path}/s.sqlite")
    assert load_searches(store, "study") == []
    assert not sa.inspect(store.engine).has_table("trials")


def test_a_reader_beside_the_process_that_makes_the_tables_writes_nothing(store_url: str) -> None:
    store = Store(store_url)
    open_storage(store).remove_session()
    with store.writing() as connection:  # as they are shortly before the making ends
        connection.execute(sa.text("DELETE FROM alembic_version"))
    assert load_searches(store, "study") == []
    with store.reading() as connection:
        assert connection.execute(sa.text("SELECT * FROM alembic_version")).all() == []
    all_done(search_here(store_url, make_search(2)), 2)


def test_many_searches_need_few_connections(postgres_cluster: Cluster) -> None:
    url = postgres_cluster.new_database()
    store, open_at_once = Store(url), []

    def counting(parameters: dict[str, Any]) -> float:
        with store.reading() as connection:
            count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            open_at_once.append(connection.exec_driver_sql(count).scalar_one())
        return value_of(parameters)

    searches = [make_search(1, seed=seed) for seed in range(8)]
    run_searches(load_study("sigma_bin_search", "standard"), searches, store, FakeWorkers(value=counting), Silent())
    assert max(open_at_once) < len(searches)


def test_what_a_value_depends_on_makes_another_search() -> None:
    base = make_search(4)
    assert make_search(99).key == base.key  # more points are the same search
    for other in (make_search(4, seeds=2), make_search(4, objective="geodesic_mean"), make_search(4, optimizer="gp")):
        assert other.key != base.key
    assert make_search(4, "{sigma: {low: 5, high: 80}}").key != base.key


def test_of_equal_points_one_is_among_the_best() -> None:
    values = [(30.00001, 7.0), (30.00002, 6.5), (20.0, 6.9), (10.0, 8.0)]
    points = [Point(i, "done", {"sigma": sigma}, value) for i, (sigma, value) in enumerate(values)]
    points += [Point(4, "failed", {"sigma": 50.0}, None, "not finite")]
    best = best_points(points, "gaussian", 2)
    assert list(best) == ["gaussian(sigma=30) (found)", "gaussian(sigma=20) (found)"]
    assert [point.number for point in best.values()] == [1, 2]
