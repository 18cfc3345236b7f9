"""A store that does not answer for a while, is locked, or has no room: nothing is lost, nothing half written."""

import sqlite3
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmark.run.leases import held, lease_seconds
from benchmark.store import Store, schema
from mhpe.errors import InputError
from tests.benchmark.postgres import Cluster
from tests.benchmark.store.test_store import TRIAL, make_test_set, outcome, planned


def filled(url: str) -> Store:
    """A store with one trial that waits."""
    store = Store(url)
    store.add_test_set(make_test_set(4))
    store.plan("study", {"title": "A study"}, [planned()], [TRIAL])
    return store


def counts(store: Store) -> dict[str, int]:
    """Rows that a finished trial has."""
    tables = (schema.epochs, schema.weights, schema.evaluations, schema.predictions)
    with store.engine.connect() as connection:
        return {t.name: connection.execute(sa.select(sa.func.count()).select_from(t)).scalar_one() for t in tables}


@pytest.mark.slow
def test_outcome_waits_for_a_server_that_is_gone_for_a_while(postgres_cluster: Cluster, caplog) -> None:
    store = filled(postgres_cluster.new_database())
    assert store.claim(TRIAL.key, "me", 60)
    postgres_cluster.stop()
    back = threading.Timer(2, postgres_cluster.start)
    back.start()
    store.finish(outcome())
    back.join()
    assert store.statuses([TRIAL.key]) == {TRIAL.key: "done"}
    assert set(counts(store).values()) == {1}
    assert "trying again" in caplog.text


def test_claim_whose_answer_was_lost_is_still_ones_own(store_url: str) -> None:
    store = filled(store_url)
    assert store.claim(TRIAL.key, "me", 60)
    assert store.claim(TRIAL.key, "me", 60)
    assert not store.claim(TRIAL.key, "you", 60)


def test_server_that_stays_away_is_one_clear_line(postgres_cluster: Cluster, monkeypatch) -> None:
    monkeypatch.setattr("benchmark.store.errors.PATIENCE_SECONDS", 0.2)
    store = filled(postgres_cluster.new_database())
    postgres_cluster.stop()
    try:
        with pytest.raises(InputError, match=r"^store postgresql.*Connection refused") as error:
            store.finish(outcome())
        assert "\n" not in str(error.value)
        with held(store, "me", 2):  # neither heartbeat nor release may raise
            pass
    finally:
        postgres_cluster.start()
    assert store.statuses([TRIAL.key]) == {TRIAL.key: "waiting"}


@pytest.mark.slow
def test_locked_file_is_waited_for(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("benchmark.store.database.BUSY_SECONDS", 0.05)
    store = filled(str(tmp_path / "results.sqlite"))
    other = sqlite3.connect(tmp_path / "results.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.5, other.rollback).start()
    store.finish(outcome())
    assert store.statuses([TRIAL.key]) == {TRIAL.key: "done"}
    monkeypatch.setattr("benchmark.store.errors.PATIENCE_SECONDS", 0.2)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(InputError, match="database is locked; another process writes to it and does not end"):
        store.claim(TRIAL.key, "me", 60)
    other.rollback()


def test_full_disk_is_said_at_once_and_leaves_no_half_trial(tmp_path: Path, caplog) -> None:
    store = filled(str(tmp_path / "results.sqlite"))
    store.claim(TRIAL.key, "me", 60)
    store.engine.dispose()
    room = 1

    def limit(connection, _) -> None:
        connection.execute(f"PRAGMA max_page_count = {room}")

    sa.event.listen(store.engine, "connect", limit)
    big = outcome()
    big.weights = bytes(500_000)
    with pytest.raises(InputError, match=r"full; make room; what is finished is stored, and the same command goes on"):
        store.finish(big)
    assert "trying again" not in caplog.text
    assert store.statuses([TRIAL.key]) == {TRIAL.key: "running"}
    assert set(counts(store).values()) == {0}
    store.engine.dispose()
    room = 10_000
    store.finish(big)
    assert store.statuses([TRIAL.key]) == {TRIAL.key: "done"}
    assert set(counts(store).values()) == {1}


def lease_until(store: Store) -> float:
    with store.engine.connect() as connection:
        return connection.execute(sa.select(schema.trials.c.lease_until)).scalar_one()


def test_leases_are_extended_and_given_back(store_url: str) -> None:
    store = filled(store_url)
    with held(store, "me", 2):
        assert store.claim(TRIAL.key, "me", 2)
        first = lease_until(store)
        while lease_until(store) == first:  # until a heartbeat
            time.sleep(0.05)
        assert lease_until(store) > first
        assert store.takeable([TRIAL.key], "you") == set()
    assert store.statuses([TRIAL.key]) == {TRIAL.key: "waiting"}
    assert store.takeable([TRIAL.key], "you") == {TRIAL.key}


@pytest.mark.parametrize("text", ["", "soon", "0.5", "nan", "inf"])
def test_wrong_lease_is_named(monkeypatch, text: str) -> None:
    monkeypatch.setenv("BENCH_LEASE", text)
    with pytest.raises(InputError, match="BENCH_LEASE must be a number of seconds, at least 1, not"):
        lease_seconds()
