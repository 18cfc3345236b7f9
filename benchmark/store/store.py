"""The results store: a database of studies, trials and their results, and everything that changes it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from benchmark.store import schema
from benchmark.store.database import insert_new, upsert
from benchmark.store.errors import patient
from benchmark.store.outcome import Outcome
from benchmark.store.reading import Reading

if TYPE_CHECKING:
    from benchmark.study.trial import Planned, Present, Trial
    from mhpe.data import HeadPoseSet


class Store(Reading):
    """A results store.

    Each change is one transaction. ``worker`` is the name of the process that takes a trial.
    """

    # Studies

    @patient
    def add_test_set(self, data: "HeadPoseSet") -> None:
        """Store a test set's labels; reports then need no data."""
        row = {name: getattr(data, name) for name in ("fingerprint", "name", "meta")}
        row["image_ids"] = list(data.image_ids)
        row |= {name: schema.to_bytes(getattr(data, name)) for name in ("identities", "rotations", "angles")}
        with self.writing() as connection:
            insert_new(connection, schema.test_sets, [row])

    @patient
    def plan(
        self,
        study: str,
        definition: dict[str, Any],
        cells: "Sequence[Planned]",
        trials: "Iterable[Trial]",
        present: "Present | None" = None,
    ) -> int:
        """Store a study's definition, cells and trials; cells that are stored get their present trial.

        ``cells`` and their ``trials`` may be a part of the study. ``present`` says which trials are the study's as it
        is now: at the cells' preset, planned cells with others are deleted, and at other presets those of arms that
        the definition no longer has (unless it searches), so that a table never mixes two versions of a study; the
        trials stay. Without it no cell is deleted. Returns the number of deleted cells.
        """
        rows = {trial.key: trial for trial in trials}
        known = self.statuses(rows)
        # In one order: processes that insert the same rows would wait for each other.
        new = [_waiting(rows[key]) for key in sorted(rows.keys() - known.keys())]
        with self.writing() as connection:
            insert_new(connection, schema.trials, new)
            connection.execute(upsert(schema.studies, connection.dialect), [{"name": study, "definition": definition}])
            connection.execute(upsert(schema.planned, connection.dialect), [vars(cell) for cell in cells])
            arms = () if definition.get("search") else definition.get("baselines", ())  # a search adds its best points
            return 0 if present is None or not cells else _delete_others(connection, cells, present, arms)

    @patient
    def add_trials(self, trials: "Iterable[Trial]") -> None:
        """Store trials that belong to no cell of a study."""
        with self.writing() as connection:
            insert_new(connection, schema.trials, [_waiting(trial) for trial in trials])

    # Claims

    @patient
    def claim(self, key: str, worker: str, lease_seconds: float, retry_failed: bool = False) -> bool:
        """Take a trial that waits, or whose lease has ended; returns whether this caller got it."""
        with self.writing() as connection:
            # Made here: the clock that they read must not run while the transaction waits for its turn.
            untaken = _free(worker, self._now, retry_failed)
            values = _lease(worker, self._now, lease_seconds) | {"status": "running", "started": self._now}
            taken = sa.update(schema.trials).where(schema.trials.c.key == key, untaken).values(values)
            return connection.execute(taken).rowcount == 1

    def takeable(self, keys: Iterable[str], worker: str, retry_failed: bool = False) -> set[str]:
        """The trials among ``keys`` that a claim would take now or that are done."""
        t = schema.trials.c
        untaken = _free(worker, self._now, retry_failed) | (t.status == "done")
        return {row.key for row in self._of_keys(sa.select(t.key).where(untaken), t.key, keys)}

    def extend_leases(self, worker: str, lease_seconds: float) -> None:
        """Extend the leases of all trials that a worker holds."""
        with self.writing() as connection:
            held = sa.update(schema.trials).where(_held(worker))
            connection.execute(held.values(_lease(worker, self._now, lease_seconds)))

    def release(self, worker: str) -> None:
        """Give back all trials that a worker holds; others can take them before the leases end."""
        with self.writing() as connection:
            back = sa.update(schema.trials).where(_held(worker))
            connection.execute(back.values(worker=None, lease_until=None, status="waiting"))

    # Results

    @patient
    def finish(self, outcome: Outcome, worker: str | None = None, trained: bool = True) -> bool:
        """Store the outcome of a training, or of further evaluations of a finished trial; returns whether it did so.

        A finished trial and its evaluations stay as they are. A training that failed counts only while ``worker``,
        which did it, holds the trial, or, without a worker, while nobody does.
        """
        t = schema.trials.c
        kind, message = outcome.error or (None, None)
        values: dict[str, Any] = {"error_type": kind, "error_message": message, "traceback": outcome.traceback}
        if not trained:
            ours = t.status == "done"
        elif kind is None:
            ours = t.status != "done"
        else:
            ours = t.status.not_in(("running", "done")) if worker is None else _held(worker)
        with self.writing() as connection:
            if trained:
                values |= {
                    "status": "done" if kind is None else "failed",
                    "finished": self._now,
                    "seconds": outcome.seconds,
                    "parameters": outcome.parameters,
                    "environment": outcome.environment,
                    "diagnostics": outcome.diagnostics or None,
                    "worker": worker,
                    "lease_until": None,
                }
            changed = connection.execute(sa.update(schema.trials).where(t.key == outcome.key, ours).values(values))
            written = changed.rowcount == 1
            if written and kind is None:
                _insert_results(connection, outcome, trained)
        return written


def _insert_results(connection: sa.Connection, outcome: Outcome, trained: bool) -> None:
    """Insert what a training, or a further evaluation, gave; evaluations that are stored stay."""
    if trained:
        for table in (schema.epochs, schema.weights, schema.evaluations, schema.predictions):
            connection.execute(sa.delete(table).where(table.c.trial == outcome.key))
        insert_new(connection, schema.epochs, [{"trial": outcome.key, **asdict(epoch)} for epoch in outcome.epochs])
        insert_new(connection, schema.weights, [{"trial": outcome.key, "safetensors": outcome.weights}])
    for evaluation in outcome.evaluations.values():
        place = {"trial": outcome.key, "test_set": evaluation.fingerprint}
        insert_new(connection, schema.evaluations, [place | evaluation.metrics])
        arrays = {name: schema.to_bytes(getattr(evaluation, name)) for name in ("rotations", "strengths")}
        insert_new(connection, schema.predictions, [place | arrays])


def _lease(worker: str, now: sa.ColumnElement[float], seconds: float) -> dict[str, Any]:
    """The columns of a trial that a worker holds from now on."""
    return {"worker": worker, "lease_until": now + seconds, "lease_seconds": seconds}


def _free(worker: str, now: sa.ColumnElement[float], retry_failed: bool) -> sa.ColumnElement[bool]:
    """Whether a worker may take a trial: one that waits, or whose lease has ended.

    A worker's own leases count as ended, because the answer to a claim can be lost. A lease that ends later than twice
    its length from now was made by a process whose clock is ahead, and counts as ended, too.
    """
    t = schema.trials.c
    ended = ("done",) if retry_failed else ("done", "failed")  # one that an earlier version pruned is free
    free = (t.lease_until < now) | (t.lease_until > now + 2 * t.lease_seconds) | (t.worker == worker)
    return t.status.not_in(ended) & ((t.status != "running") | free)


def _held(worker: str) -> sa.ColumnElement[bool]:
    """Whether a worker holds a trial."""
    return (schema.trials.c.worker == worker) & (schema.trials.c.status == "running")


def _waiting(trial: "Trial") -> dict[str, Any]:
    """The row of a trial that has not begun."""
    return {
        "key": trial.key,
        "status": "waiting",
        "sampler": trial.arm.sampler.name,
        "seed": trial.seed,
        "train_set": trial.train_set,
        "identity": trial.identity,
    }


def _delete_others(
    connection: sa.Connection, cells: "Sequence[Planned]", present: "Present", arms: Collection[str]
) -> int:
    """Delete a study's cells that are no longer part of it: at the presets of ``cells``, and of other than its arms."""
    p, t = schema.planned.c, schema.trials.c
    study, kept = cells[0].study, {(cell.preset, cell.protocol, cell.arm, cell.seed) for cell in cells}
    here = sa.or_(p.preset.in_({cell.preset for cell in cells}), p.arm.not_in(arms) if arms else sa.false())
    place = p.preset, p.protocol, p.arm, p.seed
    query = (
        sa.select(*place, t.identity)
        .join_from(schema.planned, schema.trials, p.trial == t.key)
        .where(p.study == study, here)
    )
    found = [row for row in connection.execute(query) if tuple(row[:4]) not in kept]
    others = [row[:4] for row in found if not present(row.protocol, row.arm, row.seed, row.identity)]
    for cell in others:
        this = [column == value for column, value in zip(place, cell, strict=True)]
        connection.execute(sa.delete(schema.planned).where(p.study == study, *this))
    return len(others)
