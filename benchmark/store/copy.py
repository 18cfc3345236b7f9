"""Merging one store into another."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from benchmark.store import schema
from benchmark.store.database import insert, insert_new
from benchmark.store.errors import patient
from benchmark.store.store import Store

ENDED = ("done", "failed")
EVALUATED = (schema.evaluations, schema.predictions)  # tables with rows for each test set of a finished trial
LEASE = {"worker": None, "lease_until": None, "lease_seconds": None}


def copy_store(source: Store, target: Store, studies: Collection[str] = (), weights: bool = True) -> tuple[int, int]:
    """Merge one store, read in one snapshot, into another, a trial at a time; an interrupted copy can be repeated.

    A trial that is done in the target stays as it is, and gets evaluations on further test sets, and its weights if an
    earlier copy left them out. One that waits, runs or has failed takes the source's result; a failure is taken where
    the target does not have the trial. Studies of the same name share their cells.

    With names of ``studies`` only these are copied, with the trials and test sets of their tables; points of their
    searches are copied by :func:`benchmark.search.storage.copy_searches`. Without ``weights``, nearly all of a store's
    size, trials can be reported but not used to predict.

    Returns:
        How many of the source's ended trials were added, and how many the target keeps as they are.
    """
    t, f, e = schema.trials.c, schema.test_sets.c.fingerprint, schema.evaluations.c
    s, p = schema.studies.c, schema.planned.c
    cells = p.study.in_(studies)
    trials = sa.select(p.trial).where(cells)
    tested = f.in_(sa.select(p.test_set).where(cells)) | f.in_(sa.select(e.test_set).where(e.trial.in_(trials)))
    with source.snapshot() as there:
        chosen = (schema.test_sets, tested), (schema.studies, s.name.in_(studies)), (schema.planned, cells)
        for table, of_studies in chosen:
            query = sa.select(table).where(of_studies) if studies else sa.select(table)
            _copy_rows(_dicts(there, query), table, target)
        ended = sa.select(t.key, t.status).order_by(t.key)
        if studies:
            ended = ended.where(t.key.in_(trials))
        added = kept = 0
        for key, status in there.execute(ended).all():
            taken = _copy_trial(there, key, target, weights)
            added += taken and status in ENDED
            kept += not taken and status in ENDED
    return added, kept


def _dicts(connection: sa.Connection, query: sa.Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]


@patient
def _copy_rows(rows: list[dict[str, Any]], table: sa.Table, target: Store) -> None:
    with target.writing() as here:
        insert_new(here, table, rows)


@patient
def _copy_trial(there: sa.Connection, key: str, target: Store, weights: bool) -> bool:
    """Copy a whole trial, or what the target does not have of one that is done; returns whether the trial was taken."""
    t = schema.trials.c
    (trial,) = _dicts(there, sa.select(schema.trials).where(t.key == key))
    trial |= LEASE | {"worker": trial["worker"]}
    if trial["status"] == "running":
        trial |= LEASE | {"status": "waiting", "started": None}
    with target.writing() as here:
        if trial["status"] == "done":
            here.execute(sa.delete(schema.trials).where(t.key == key, t.status != "done"))
        new = insert(schema.trials, here.dialect).on_conflict_do_nothing().returning(t.key)
        taken = here.execute(new, trial).first() is not None
        if trial["status"] == "done":
            stored = sa.exists().where(schema.weights.c.trial == key)
            ended = here.scalar(sa.select(t.finished).where(t.key == key, ~stored))
            new_weights = weights and ended == trial["finished"]  # of the same training, which came without them
            tables = [schema.epochs] * taken + [schema.weights] * new_weights
            for table in (*tables, *EVALUATED):
                insert_new(here, table, _dicts(there, sa.select(table).where(table.c.trial == key)))
    return taken
