"""Kills, lost workers and a full disk: every trial is stored once, bit for bit as in an undisturbed run."""

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
import sqlalchemy as sa

from benchmark.search.points import Point
from benchmark.search.storage import load_searches
from benchmark.store import Store, schema
from samplers.gaussian import Gaussian
from samplers.random import Random
from tests.benchmark.run.place import STUDY, TRIALS, Place, contents
from tests.benchmark.synthetic_results import SyntheticStudy, fill
from tests.benchmark.zygote import Process, Zygote, waiting

pytestmark = pytest.mark.slow

KILLS = 16
POINTS = 6
SEARCH = f"""
search:
  samplers:
    gaussian: {{sigma: {{low: 5, high: 90, log: true}}}}
  points: {POINTS}
  confirm: {{best: 1, seeds: 1}}
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, data_root: Path, prepared_data: Path, zygote: Zygote) -> dict:
    """What a run that nothing disturbs stores."""
    whole = Place(tmp_path_factory.mktemp("whole") / "place", data_root, prepared_data, zygote)
    run = whole.run()
    assert run.wait() == 0, run.output
    return contents(whole.store)


@pytest.fixture
def searching(place: Place) -> Place:
    """A place with the file of a study that searches."""
    arms = "  - sampler: gaussian\n    sigma: [15, 30]\n"
    (place.folder / "searching.yaml").write_text(STUDY.replace(arms, "") + SEARCH)
    return place


def kill(run: Process) -> None:
    """SIGKILL a run and its workers at once, as the end of a machine does."""
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()


def done(store: Store) -> int:
    """The number of finished trials."""
    with store.reading() as connection:
        query = sa.select(sa.func.count()).select_from(schema.trials).where(schema.trials.c.status == "done")
        return connection.execute(query).scalar_one()


def until(condition: Callable[[], bool], what: str, *runs: Process) -> None:
    """Wait for something, or for the end of some runs."""
    for _ in waiting(what):
        if condition() or (runs and all(run.status() is not None for run in runs)):
            return


def all_ended_once(store: Store) -> tuple[Point, ...]:
    """The points of the only search, each of which has the value of its one training."""
    (search,) = load_searches(store, "searching")
    assert [point.number for point in search.points] == list(range(POINTS))
    assert {point.status for point in search.points} == {"done"}
    found = contents(store)
    keys = [row.trial for row in found["weights"]]
    assert len(set(keys)) == len(keys) == len(found["evaluations"])
    assert {point.value for point in search.points} <= {row.mae for row in found["evaluations"]}
    return search.points


def test_kills_at_random_moments(place: Place, store_url: str, undisturbed: dict) -> None:
    rng, kills, store = np.random.default_rng(1), 0, Store(store_url)
    left: set[str] = set()
    while kills < KILLS:
        run = place.run("--store", store_url)
        ahead = done(store) + (1 if kills % 4 == 3 else 0)  # every fourth run ends a trial, the others are in between
        moment = time.monotonic() + rng.uniform(0, 2.5)
        until(lambda end=moment, wanted=ahead: time.monotonic() > end and done(store) >= wanted, "a moment", run)
        if run.status() is None:
            kill(run)
            kills += 1
            new = place.leftovers(store) - left
            assert len(new) <= 1  # the one trial that the run was storing
            left |= new
        else:  # all is done: some of it is taken away, so that there is something to do
            assert run.wait() == 0, run.output
            assert contents(store) == undisturbed
            with store.writing() as connection:
                connection.execute(sa.delete(schema.trials).where(schema.trials.c.seed > 0))
    last = place.run("--store", store_url)
    assert last.wait() == 0, last.output
    assert contents(store) == undisturbed
    assert {name.partition(".")[0] for name, _ in place.checkpoints()} <= left


def test_four_runs_at_once_store_what_one_does(place: Place, store_url: str, undisturbed: dict) -> None:
    runs = [place.run("--store", store_url, jobs=1) for _ in range(4)]
    assert [run.wait() for run in runs] == [0] * 4, [run.output for run in runs]
    trained = [int(re.search(r"(\d+) trained", run.output)[1]) for run in runs]
    assert sum(trained) == TRIALS
    assert sum(count > 0 for count in trained) >= 2, "one process did everything"
    assert contents(Store(store_url)) == undisturbed


def test_a_worker_that_is_killed_costs_one_more_try(place: Place, undisturbed: dict) -> None:
    run = place.run()
    until(lambda: bool(place.checkpoints() and run.workers()), "a training", run)
    os.kill(run.workers()[0], signal.SIGKILL)
    assert run.wait() == 0, run.output
    assert "trying again" in run.output
    assert contents(place.store) == undisturbed


def test_three_searches_at_once_share_the_points(searching: Place, store_url: str) -> None:
    runs = [searching.run("--store", store_url, jobs=1, study="searching.yaml") for _ in range(3)]
    assert [run.wait() for run in runs] == [0] * 3, [run.output for run in runs]
    all_ended_once(Store(store_url))


def test_a_worker_that_is_killed_during_a_search(searching: Place) -> None:
    """One process gives the same points with and without the kill, so everything is the same bit for bit."""
    urls = [f"sqlite:///{searching.folder}/{name}.sqlite" for name in ("whole", "killed")]
    whole, run = (searching.run("--store", url, jobs=1, study="searching.yaml") for url in urls)
    store = Store(urls[1])
    until(lambda: done(store) >= 2 and bool(run.workers()), "two trainings", run)
    os.kill(run.workers()[0], signal.SIGKILL)
    assert [whole.wait(), run.wait()] == [0, 0], (whole.output, run.output)
    assert all_ended_once(store) == all_ended_once(Store(urls[0]))
    assert contents(store) == contents(Store(urls[0]))


def test_a_full_disk_is_waited_for(place: Place, undisturbed: dict) -> None:
    run = place.run()
    until(lambda: place.store_made and done(place.store) >= 1, "a trial", run)
    process = psutil.Process(run.pid)
    process.suspend()
    size = (place.folder / "results" / "bench.sqlite-wal").stat().st_size
    process.rlimit(psutil.RLIMIT_FSIZE, (size, psutil.RLIM_INFINITY))
    process.resume()
    until(lambda: "trying again" in run.output, "a write that fails", run)
    before = contents(place.store)
    assert all(row in undisturbed[table] for table in before for row in before[table])  # nothing is half written
    process.rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
    assert run.wait() == 0, run.output
    assert contents(place.store) == undisturbed


def test_a_copy_that_is_killed_goes_on_when_it_is_repeated(place: Place, store_url: str) -> None:
    source = Store(f"{place.folder}/source.sqlite")
    fill(source, SyntheticStudy("copied", {"random": Random(), "gaussian": Gaussian()}, 60))
    target, expected = Store(store_url), contents(source)
    for wanted in (1, 20, 60):
        copy = place.bench("store", "copy", "source.sqlite", store_url)
        until(lambda count=wanted: done(target) >= count, "some trials", copy)
        kill(copy)
    assert 60 <= done(target) < len(expected["weights"])
    last = place.bench("store", "copy", "source.sqlite", store_url)
    assert last.wait() == 0, last.output
    assert contents(target) == expected
