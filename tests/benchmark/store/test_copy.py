"""Merging one store into another: SQLite and PostgreSQL on either side, twice, and after a kill."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import sqlalchemy as sa
import torch

from benchmark.store import Store, copy, schema
from benchmark.store.copy import copy_store
from benchmark.store.errors import StoreError
from benchmark.study.arms import Arm
from benchmark.study.trial import Planned, Trial
from mhpe.config import CoreConfig
from mhpe.errors import InputError
from samplers.random import Random
from tests.benchmark.conftest import Bench
from tests.benchmark.postgres import Cluster
from tests.benchmark.store.test_store import make_test_set, outcome

WEIGHTS = safetensors.torch.save({"w": torch.arange(4.0)})
NASTY = 'a,"b"; <i>é</i> \\ =1+1'
TRIALS = [Trial(Arm("random", Random(), CoreConfig()), "train", "f" * 64, seed) for seed in range(4)]
DEFINITION = {"title": NASTY, "question": "Does it arrive?", "baseline": "random"}


def store_of(url: object, done: tuple[int, ...], failed: tuple[int, ...] = (), mae: float = 5.0) -> Store:
    """A store with a study of four seeds."""
    store = Store(str(url))
    store.add_test_set(make_test_set(4))
    cells = [
        Planned("study", "standard", "aflw2000_to_biwi", NASTY, 0, {}, trial.seed, trial.key, "t" * 64)
        for trial in TRIALS
    ]
    store.plan("study", DEFINITION, cells, TRIALS)
    for seed in done:
        result = replace(outcome(mae=mae + seed / 3), key=TRIALS[seed].key, weights=WEIGHTS)
        store.finish(replace(result, diagnostics={"coverage": 0.1}))
    for seed in failed:
        store.finish(replace(outcome(error=("ValueError", NASTY)), key=TRIALS[seed].key))
    return store


def content(store: Store) -> dict[str, list[str]]:
    """Every row of every table."""
    with store.reading() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(sa.select(table)))) for table in schema.tables.sorted_tables
        }


def statuses(store: Store) -> list[str | None]:
    found = store.statuses([trial.key for trial in TRIALS])
    return [found.get(trial.key) for trial in TRIALS]


@pytest.fixture(params=["sqlite to postgresql", "postgresql to sqlite", "sqlite to sqlite"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """URLs of two empty stores."""

    def url(kind: str, name: str) -> str:
        if kind == "sqlite":
            return f"{tmp_path}/{name}.sqlite"
        cluster: Cluster = request.getfixturevalue("postgres_cluster")
        return cluster.new_database()

    source, _, target = request.param.split()
    return url(source, "source"), url(target, "target")


def test_copy_of_one_study_without_weights(tmp_path: Path) -> None:
    source = store_of(f"{tmp_path}/source.sqlite", done=(0, 1), failed=(2,))
    other = Trial(Arm("random", Random(), CoreConfig()), "train", "f" * 64, 9)
    cell = Planned("other", "standard", "aflw2000_to_biwi", "random", 0, {}, 9, other.key, "u" * 64)
    source.plan("other", DEFINITION, [cell], [other])
    source.add_test_set(replace(make_test_set(4), fingerprint="u" * 64))
    further = {"other": replace(outcome().evaluations["test"], fingerprint="u" * 64)}
    source.finish(replace(outcome(), key=other.key, weights=WEIGHTS, evaluations=further))
    target = Store(f"{tmp_path}/target.sqlite")
    assert copy_store(source, target, ["study"], weights=False) == (3, 0)
    before, after = content(source), content(target)
    assert after["bench_weights"] == []
    assert after["bench_predictions"] == [row for row in before["bench_predictions"] if other.key not in row]
    assert len(after["bench_studies"]) == len(after["bench_test_sets"]) == 1
    assert target.statuses([other.key]) == {}
    assert copy_store(source, target) == (1, 3)
    assert target.weights(other.key) == target.weights(TRIALS[0].key) == WEIGHTS


def test_weights_come_later_only_from_the_same_training(tmp_path: Path) -> None:
    first, second = (store_of(f"{tmp_path}/{name}.sqlite", done=(0,)) for name in ("first", "second"))
    target = Store(f"{tmp_path}/target.sqlite")
    copy_store(first, target, weights=False)
    copy_store(second, target)
    assert target.weights(TRIALS[0].key) is None
    assert copy_store(first, target) == (0, 1)
    assert target.weights(TRIALS[0].key) == WEIGHTS


def test_copy_is_the_same_and_a_second_one_changes_nothing(urls: tuple[str, str]) -> None:
    store_of(urls[0], done=(0, 1), failed=(2,))
    source, target = Store(urls[0], read_only=True), Store(urls[1])
    before = content(source)
    assert copy_store(source, target) == (3, 0)
    assert content(target) == before
    assert copy_store(source, target) == (0, 3)
    assert content(target) == before
    assert content(source) == before


@pytest.mark.parametrize("kill_at", range(1, 5))
def test_killed_copy_leaves_whole_trials_and_can_be_repeated(urls: tuple[str, str], kill_at: int, monkeypatch) -> None:
    """The kill comes in the middle of a trial: before its predictions are written."""
    store_of(urls[0], done=(0, 1, 2), failed=(3,))
    source, target = Store(urls[0], read_only=True), Store(urls[1])
    seen = 0

    def insert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        nonlocal seen
        if table is schema.predictions:
            seen += 1
            if seen == kill_at:
                raise KeyboardInterrupt
        real(connection, table, rows)

    real = copy.insert_new
    monkeypatch.setattr(copy, "insert_new", insert)
    if kill_at <= 3:
        with pytest.raises(KeyboardInterrupt):
            copy_store(source, target)
        tables = content(target)
        done = sum(status == "done" for status in statuses(target))
        assert done == kill_at - 1
        assert all(len(tables[f"bench_{name}"]) == done for name in ("epochs", "weights", "evaluations", "predictions"))
    copy_store(source, target)
    assert content(target) == content(source)


def test_trials_merge_by_key(urls: tuple[str, str]) -> None:
    store_of(urls[0], done=(0, 1), failed=(2, 3), mae=9.0)
    ours = store_of(urls[1], done=(0, 3), failed=(1,), mae=5.0)
    assert copy_store(Store(urls[0], read_only=True), ours) == (1, 3)
    # what is done in the target stays, a failure there is filled, a failure of the source changes nothing
    assert statuses(ours) == ["done", "done", "waiting", "done"]
    assert ours.results("study")["mae"].dropna().tolist() == [5.0, 9.0 + 1 / 3, 6.0]
    assert ours.weights(TRIALS[1].key) == WEIGHTS


def test_leases_do_not_come_along(urls: tuple[str, str]) -> None:
    theirs = store_of(urls[0], done=())
    theirs.claim(TRIALS[0].key, "them", 600)
    target = Store(urls[1])
    assert copy_store(Store(urls[0], read_only=True), target) == (0, 0)
    assert statuses(target) == ["waiting"] * 4
    assert target.claim(TRIALS[0].key, "us", 600)


@pytest.mark.slow
def test_evaluations_on_further_test_sets_are_added_to_trials_done_on_both_sides(urls: tuple[str, str]) -> None:
    theirs = store_of(urls[0], done=(0,), mae=9.0)
    theirs.add_test_set(replace(make_test_set(4), fingerprint="u" * 64))
    further = {"other": replace(outcome(mae=8.0).evaluations["test"], fingerprint="u" * 64)}
    theirs.finish(replace(outcome(), key=TRIALS[0].key, evaluations=further), trained=False)
    ours = store_of(urls[1], done=(0,), mae=5.0)
    assert copy_store(theirs, ours) == (0, 1)
    assert ours.metric(TRIALS[0].key, "t" * 64, "mae") == 5.0
    assert ours.metric(TRIALS[0].key, "u" * 64, "mae") == 8.0
    assert ours.predictions([TRIALS[0].key], "u" * 64)[TRIALS[0].key][0].shape == (4, 3, 3)


def test_source_that_does_not_exist_is_not_made(bench: Bench) -> None:
    result = bench("store", "copy", "their.sqlite", "our.sqlite")
    assert (result.status, "no store at their.sqlite" in result.err) == (2, True)
    assert list(Path().iterdir()) == []


def test_a_copy_that_fails_says_that_the_target_has_a_part(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    store_of("source.sqlite", done=(0, 1))

    def damaged(*_: object) -> bool:
        raise StoreError("store source.sqlite: database disk image is malformed")

    monkeypatch.setattr("benchmark.store.copy._copy_trial", damaged)
    result = bench("store", "copy", "source.sqlite", "target.sqlite")
    assert result.status == 2
    assert re.search(r"malformed; .*target\.sqlite has only what was copied before\n", result.err)


def test_no_target_is_made_for_a_study_that_does_not_exist(bench: Bench) -> None:
    store_of("source.sqlite", done=())
    result = bench("store", "copy", "source.sqlite", "target.sqlite", "--study", "studdy")
    assert (result.status, "did you mean 'study'" in result.err) == (2, True)
    assert not Path("target.sqlite").exists()


def test_a_text_that_the_target_cannot_keep_is_one_line(tmp_path: Path, postgres_cluster: Cluster) -> None:
    store = store_of(tmp_path / "a.sqlite", done=())
    store.finish(replace(outcome(error=("E" * 300, "too long")), key=TRIALS[0].key))
    with pytest.raises(InputError, match=r"^store postgresql.*too long") as error:
        copy_store(store, Store(postgres_cluster.new_database()))
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_command_line_gives_an_identical_report(bench: Bench, tiny_study: Path, data_root: Path) -> None:
    def report(*store: str) -> dict[Path, bytes]:
        shutil.rmtree("results/report", ignore_errors=True)
        assert bench("report", *store).status == 0
        return {path: path.read_bytes() for path in Path("results/report").rglob("*") if path.is_file()}

    run = bench("run", "--study", tiny_study, "--data-root", data_root, "--store", "first.sqlite")
    assert run.status == 0, run.err
    first = report("--store", "first.sqlite")
    into = bench("store", "copy", "first.sqlite", "sqlite:///results/bench.sqlite")
    assert (into.out, into.err) == ("6 trials added to sqlite:///results/bench.sqlite, 0 kept as stored there\n", "")
    assert report() == first
    # weights came along: nothing is trained again
    assert "6 trials: 0 trained" in bench("run", "--study", tiny_study, "--data-root", data_root).out
