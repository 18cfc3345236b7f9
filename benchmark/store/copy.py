"""Merging one store into another."""

from typing import Any

import sqlalchemy as sa

from benchmark.store import schema
from benchmark.store.database import insert, insert_new
from benchmark.store.errors import patient
from benchmark.store.store import Store

ENDED = ("done", "failed", "pruned")
EVALUATED = (schema.evaluations, schema.predictions)
"""Tables with rows for each test set of a finished trial."""
LEASE = {"worker": None, "lease_until": None, "lease_seconds": None}


def copy_store(source: Store, target: Store) -> tuple[int, int]:
    """Merge one store, read in one snapshot, into another, a trial at a time; an interrupted copy can be repeated.

    A trial that is done in the target stays as it is, and gets evaluations on further test sets. One that waits, runs
    or has failed takes the source's result; a failure is taken where the target does not have the trial. Studies of
    the same name share their cells.

    Returns:
        How many of the source's ended trials were added, and how many the target keeps as they are.
    """
    t = schema.trials.c
    with source.snapshot() as there:
        for table in (schema.test_sets, schema.studies, schema.planned):
            _copy_rows(_rows(there, table), table, target)
        added = kept = 0
        for key, status in there.execute(sa.select(t.key, t.status).order_by(t.key)).all():
            taken = _copy_trial(there, key, target)
            added += taken and status in ENDED
            kept += not taken and status in ENDED
    return added, kept


def _rows(connection: sa.Connection, table: sa.Table, trial: str | None = None) -> list[dict[str, Any]]:
    """A table's rows; with a key those of this trial."""
    query = sa.select(table)
    if trial is not None:
        query = query.where(table.c["key" if table is schema.trials else "trial"] == trial)
    return [dict(row) for row in connection.execute(query).mappings()]


@patient
def _copy_rows(rows: list[dict[str, Any]], table: sa.Table, target: Store) -> None:
    with target.writing() as here:
        insert_new(here, table, rows)


@patient
def _copy_trial(there: sa.Connection, key: str, target: Store) -> bool:
    """Copy a whole trial, or evaluations that the target does not have; returns whether the trial was taken."""
    (trial,) = _rows(there, schema.trials, key)
    trial |= LEASE | {"worker": trial["worker"]}
    if trial["status"] == "running":
        trial |= LEASE | {"status": "waiting", "started": None}
    t = schema.trials.c
    with target.writing() as here:
        if trial["status"] == "done":
            here.execute(sa.delete(schema.trials).where(t.key == key, t.status != "done"))
        new = insert(schema.trials, here.dialect).on_conflict_do_nothing().returning(t.key)
        taken = here.execute(new, trial).first() is not None
        if trial["status"] == "done":
            for table in (schema.epochs, schema.weights, *EVALUATED) if taken else EVALUATED:
                insert_new(here, table, _rows(there, table, key))
    return taken
