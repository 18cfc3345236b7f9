"""The results store."""

import io
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from benchmark.store import Store, schema
from benchmark.store.errors import StoreError
from benchmark.store.outcome import Evaluation, Outcome
from benchmark.store.schema import METRICS, from_bytes, to_bytes
from benchmark.study.arms import Arm
from benchmark.study.trial import Planned, Trial
from mhpe.config import CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.errors import InputError
from mhpe.train import Epoch
from samplers.random import Random

TRIAL = Trial(Arm("random", Random(), CoreConfig()), "train", "f" * 64, 0)


def make_test_set(count: int) -> HeadPoseSet:
    rotations = np.broadcast_to(np.eye(3, dtype=np.float32), (count, 3, 3))
    ids = tuple(f"image{i}" for i in range(count))
    return HeadPoseSet(
        "test", Path(), np.zeros((count, 8, 8, 3), np.uint8), rotations, np.zeros((count, 3), np.float32),
        ids, np.arange(count), "t" * 64, {"name": "test"},
    )  # fmt: skip


def outcome(error: tuple[str, str] | None = None, mae: float = 5.0) -> Outcome:
    evaluation = Evaluation(
        "t" * 64, dict.fromkeys(METRICS, mae), np.zeros((4, 3, 3), np.float32), np.zeros((4, 3), np.float32)
    )
    epochs = [Epoch(0, {"total": 1.0}, 0.01, 3.0)]
    return Outcome(
        TRIAL.key,
        {"test": evaluation},
        epochs,
        b"weights",
        12.0,
        1000,
        {"host": "here"},
        error,
        None,
        {"coverage": 0.5},
    )


def planned() -> Planned:
    return Planned("study", "standard", "aflw2000_to_biwi", "random", 0, {}, 0, TRIAL.key, "t" * 64)


@pytest.fixture
def store(store_url: str) -> Store:
    store = Store(store_url)
    store.add_test_set(make_test_set(4))
    store.plan("study", {"title": "A study"}, [planned()], [TRIAL])
    return store


def test_a_trials_way_through_the_store(store: Store) -> None:
    assert store.statuses([TRIAL.key]) == {TRIAL.key: "waiting"}
    assert store.claim(TRIAL.key, "me", 60)
    assert not store.claim(TRIAL.key, "you", 60)
    store.finish(outcome())
    assert store.statuses([TRIAL.key]) == {TRIAL.key: "done"}
    assert store.evaluated([TRIAL.key]) == {(TRIAL.key, "t" * 64)}
    assert store.weights(TRIAL.key) == b"weights"
    row = store.results("study").iloc[0]
    assert row["mae"] == 5.0
    assert store.draws("study")["coverage"].tolist() == [0.5]
    rotations, strengths = store.predictions([TRIAL.key], "t" * 64)[TRIAL.key]
    assert (rotations.shape, strengths.shape) == ((4, 3, 3), (4, 3))
    assert not store.claim(TRIAL.key, "you", 60)


def test_a_finished_trial_stays_as_it_is(store: Store) -> None:
    store.finish(outcome())
    store.finish(outcome(mae=9.0))
    store.finish(outcome(error=("ValueError", "late")))
    row = store.results("study").iloc[0]
    assert (row["mae"], row["status"]) == (5.0, "done")


def test_failures_are_rows(store: Store) -> None:
    store.claim(TRIAL.key, "me", 60)
    store.finish(outcome(error=("NotFiniteError", "the loss is not finite")), "me")
    assert store.failures([TRIAL.key]) == {TRIAL.key: "NotFiniteError: the loss is not finite"}
    assert not store.claim(TRIAL.key, "you", 60)
    assert store.claim(TRIAL.key, "you", 60, retry_failed=True)
    store.finish(outcome())
    assert store.failures([TRIAL.key]) == {}
    assert store.results("study").iloc[0]["error_type"] is None


def test_a_dead_workers_lease_ends(store: Store) -> None:
    assert store.claim(TRIAL.key, "dead", 0.05)
    time.sleep(0.1)
    store.extend_leases("another", 60)
    assert store.claim(TRIAL.key, "me", 60)
    store.extend_leases("me", 60)
    assert not store.claim(TRIAL.key, "you", 60)


def test_planning_again_changes_nothing(store: Store, store_url: str) -> None:
    store.finish(outcome())
    store.plan("study", {"title": "A new title"}, [planned()], [TRIAL])
    assert store.statuses([TRIAL.key]) == {TRIAL.key: "done"}
    assert store.studies() == {"study": {"title": "A new title"}}
    again = Store(store_url)
    assert len(again.results("study")) == 1


def test_cells_of_an_earlier_version_leave_the_plan_at_the_same_preset(store: Store) -> None:
    elsewhere = [
        replace(planned(), study="other"),
        replace(planned(), preset="quick"),
        replace(planned(), protocol="elsewhere"),
    ]
    seeds = [replace(planned(), arm="kept", seed=seed) for seed in (0, 1)]
    store.plan("other", {"title": "Another"}, elsewhere[:1], [])
    store.plan("study", {"title": "A study"}, [*elsewhere[1:], *seeds], [])
    asked = []

    def present(protocol: str, arm: str, seed: int, identity: dict[str, Any]) -> bool:
        asked.append((protocol, arm, seed))
        return arm == "kept" and identity == TRIAL.identity

    assert store.plan("study", {"title": "A study"}, [seeds[0]], [], present) == 2
    assert sorted(asked) == [
        (planned().protocol, "kept", 1),
        (planned().protocol, "random", 0),
        ("elsewhere", "random", 0),
    ]

    def arms(study: str) -> list[tuple[str, str, str, int]]:
        rows = store.results(study)[["preset", "protocol", "arm", "seed"]]
        return sorted(rows.itertuples(index=False, name=None))

    assert arms("study") == [
        ("quick", planned().protocol, "random", 0),
        ("standard", planned().protocol, "kept", 0),
        ("standard", planned().protocol, "kept", 1),
    ]
    assert arms("other") == [("standard", planned().protocol, "random", 0)]
    assert store.statuses([TRIAL.key]) == {TRIAL.key: "waiting"}


def test_foreign_and_broken_stores_are_refused_and_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.sqlite"
    with sqlite3.connect(foreign) as connection:
        connection.execute("create table trials (x)")
    junk = tmp_path / "junk.sqlite"
    junk.write_bytes(b"this is no database at all, but long enough to look at" * 50)
    for path, message in ((foreign, "belongs to another program"), (junk, "not a database")):
        before = path.read_bytes()
        with pytest.raises(InputError, match=message):
            Store(f"sqlite:///{path}")
        assert path.read_bytes() == before


def test_bad_urls_and_places(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"store sqlite:///.*: "):
        Store(f"sqlite:///{tmp_path}/file/results.sqlite")
    with pytest.raises(InputError, match="not a valid SQLAlchemy URL"):
        Store("sqlite://:bad://")
    with pytest.raises(InputError, match=r"sqlite:/// or postgresql:// database") as error:
        Store("mysql+pymysql://user:secret@host/db")
    assert "secret" not in str(error.value)
    with pytest.raises(InputError, match="the driver is not installed"):
        Store("postgresql+nodriver://user:secret@host/db")


def test_arrays_are_stored_without_pickles() -> None:
    array = np.random.default_rng(0).normal(size=(5, 3, 3)).astype(np.float32)
    np.testing.assert_array_equal(from_bytes(to_bytes(array), "f", 3, 3), array)
    with pytest.raises(ValueError, match=r"pickle|Object"):
        to_bytes(np.array([{}], dtype=object))


def test_predictions_of_a_head_without_concentration(tmp_path: Path) -> None:
    store = Store(f"{tmp_path}/store.sqlite")
    store.add_test_set(make_test_set(4))
    store.plan("study", {"title": "A study"}, [planned()], [TRIAL])
    result = outcome()
    predicted = result.evaluations["test"]
    plain = replace(predicted, strengths=np.full_like(predicted.strengths, np.nan))
    store.finish(replace(result, evaluations={"test": plain}))
    rotations, strengths = store.predictions([TRIAL.key], "t" * 64)[TRIAL.key]
    assert np.isfinite(rotations).all()
    assert np.isnan(strengths).all()


def pickled() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([{}] * 4), allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize("column", ["rotations", "strengths", "labels"])
@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda array: b"", "no .npy array"),
        (lambda array: b"no array", "no .npy array"),
        (lambda array: to_bytes(array)[:-4], "no .npy array"),
        (lambda array: pickled(), "no .npy array"),
        (lambda array: to_bytes(array.reshape(2, -1)), "shape"),
        (lambda array: to_bytes(array[..., :2]), "shape"),
        (lambda array: to_bytes(array.astype(np.int8)), "int8"),
        (lambda array: to_bytes(array[:3]), "images"),
        (
            lambda array: to_bytes(np.where(np.arange(array.size).reshape(array.shape), array, np.nan).astype("f")),
            "finite",
        ),
    ],
)
def test_damaged_arrays_are_one_line(tmp_path: Path, column: str, damage: Callable[..., bytes], why: str) -> None:
    store = Store(f"{tmp_path}/store.sqlite")
    store.add_test_set(make_test_set(4))
    store.plan("study", {"title": "A study"}, [planned()], [TRIAL])
    store.finish(outcome())
    table, name = (schema.test_sets, "angles") if column == "labels" else (schema.predictions, column)
    stored = np.load(io.BytesIO(store._value(sa.select(table.c[name]))))
    with store.writing() as connection:
        connection.execute(sa.update(table).values({name: damage(stored)}))
    with pytest.raises(StoreError, match=why) as error:
        store.test_set("t" * 64) if column == "labels" else store.predictions([TRIAL.key], "t" * 64)
    assert "damaged" in str(error.value)
    assert "\n" not in str(error.value)


def test_failed_evaluation_of_a_finished_trial_is_seen_until_it_is_mended(store: Store) -> None:
    store.finish(outcome())
    further = replace(planned(), protocol="biwi_to_aflw2000", test_set="u" * 64)
    store.plan("study", {"title": "A study"}, [further], [])
    assert store.finish(outcome(error=("NotFiniteError", "predictions are not finite")), trained=False)
    assert store.statuses([TRIAL.key]) == {TRIAL.key: "done"}

    def cells() -> dict[str, dict[str, object]]:
        return store.results("study").set_index("protocol")[["status", "mae"]].to_dict("index")

    assert cells()["aflw2000_to_biwi"] == {"status": "done", "mae": 5.0}
    assert cells()["biwi_to_aflw2000"]["status"] == "failed"
    assert set(store.results("study")["error_type"]) == {"NotFiniteError"}
    store.add_test_set(replace(make_test_set(4), fingerprint="u" * 64))
    further = {"other": replace(outcome().evaluations["test"], fingerprint="u" * 64)}
    store.finish(replace(outcome(), evaluations=further), trained=False)
    assert cells()["biwi_to_aflw2000"] == {"status": "done", "mae": 5.0}
    assert set(store.results("study")["error_type"]) == {None}


def test_more_trials_than_one_query_takes_values(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.store.database.KEYS_AT_ONCE", 3)
    trials = [replace(TRIAL, seed=seed) for seed in range(10)]
    keys = [trial.key for trial in trials]
    store = Store(store_url)
    store.add_test_set(make_test_set(4))
    store.plan("study", {"title": "A study"}, [replace(planned(), seed=t.seed, trial=t.key) for t in trials], trials)
    for key in keys[:7]:
        store.finish(replace(outcome(), key=key))
    store.finish(replace(outcome(error=("ValueError", "no")), key=keys[7]))
    assert store.statuses(keys) == dict.fromkeys(keys[:7], "done") | {
        keys[7]: "failed", keys[8]: "waiting", keys[9]: "waiting",
    }  # fmt: skip
    assert store.evaluated(iter(keys)) == {(key, "t" * 64) for key in keys[:7]}
    assert store.failures(keys) == {keys[7]: "ValueError: no"}
    assert store.takeable(keys, "me") == {*keys[:7], *keys[8:]}
    assert store.predictions(keys, "t" * 64).keys() == set(keys[:7])
    assert store.identities(keys) == {trial.key: trial.identity for trial in trials}


@pytest.mark.slow
def test_fifty_thousand_keys_are_no_error(store_url: str) -> None:
    assert Store(store_url).statuses(f"{number:020x}" for number in range(50_000)) == {}


def test_lease_of_a_process_whose_clock_is_ahead_is_not_believed(tmp_path: Path, monkeypatch) -> None:
    store = Store(str(tmp_path / "results.sqlite"))  # a server has one clock for all
    store.plan("study", {"title": "A study"}, [planned()], [TRIAL])
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 3600)
    assert store.claim(TRIAL.key, "ahead", 60)
    monkeypatch.setattr("time.time", lambda: now)
    assert store.takeable([TRIAL.key], "me") == {TRIAL.key}
    assert store.claim(TRIAL.key, "me", 60)
    monkeypatch.setattr("time.time", lambda: now - 50)  # clocks differ a little
    assert not store.claim(TRIAL.key, "you", 60)
