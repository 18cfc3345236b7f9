"""The results store: a database of studies, trials and their results, and everything that changes it."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from benchmark.store import schema
from benchmark.store.arrays import to_bytes
from benchmark.store.database import upsert
from benchmark.store.errors import patient
from benchmark.store.outcome import Evaluation, Outcome
from benchmark.store.reading import Reading

if TYPE_CHECKING:
    from benchmark.study.cell import Planned, Present
    from benchmark.study.trial import Trial
    from mhpe.data import HeadPoseSet


class Store(Reading):
    """A results store.

    Each change is one transaction. ``worker`` is the name of the process that takes a trial.
    """

    # Studies

    @patient
    def add_test_set(self, data: "HeadPoseSet") -> None:
        """Keep a test set's labels, so that reports need no data."""
        row = {
            "fingerprint": data.fingerprint,
            "name": data.name,
            "meta": data.meta,
            "image_ids": list(data.image_ids),
            "identities": to_bytes(data.identities),
            "rotations": to_bytes(data.rotations),
            "angles": to_bytes(data.angles),
        }
        with self.writing() as connection:
            self._insert_new(schema.test_sets, [row], connection)

    @patient
    def plan(
        self,
        study: str,
        definition: dict[str, Any],
        cells: "Sequence[Planned]",
        trials: "Iterable[Trial]",
        present: "Present | None" = None,
    ) -> int:
        """Store what a study consists of; cells that were planned before get their present trial.

        Args:
            study: name of the study.
            definition: of the study.
            cells: those to run, which may be a part of the study.
            trials: that fill them.
            present: returns which trials are the study's as it is now. At the cells' presets and protocols, planned
                cells with others are deleted, so that a table never mixes two versions of a study; the trials stay.
                By default no cell is deleted.

        Returns:
            The number of deleted cells.
        """
        rows = {trial.key: trial for trial in trials}
        new = [_waiting(rows[key]) for key in rows.keys() - self.statuses(rows).keys()]
        with self.writing() as connection:
            self._insert_new(schema.trials, new, connection)
            connection.execute(upsert(schema.studies, connection.dialect), [{"name": study, "definition": definition}])
            connection.execute(upsert(schema.planned, connection.dialect), [vars(cell) for cell in cells])
            return 0 if present is None or not cells else _delete_others(connection, cells, present)

    @patient
    def add_trials(self, trials: "Iterable[Trial]") -> None:
        """Store trials that belong to no cell of a study."""
        with self.writing() as connection:
            self._insert_new(schema.trials, [_waiting(trial) for trial in trials], connection)

    # Claims

    @patient
    def claim(self, key: str, worker: str, lease_seconds: float, retry_failed: bool = False) -> bool:
        """Take a trial that waits, was pruned, or whose worker's lease has ended. Of several callers one succeeds."""
        with self.writing() as connection:
            # Made here: the clock that they read must not run while the transaction waits for its turn.
            untaken = free(schema.trials, worker, self._now, retry_failed)
            values = lease(worker, self._now, lease_seconds) | {"status": "running", "started": self._now}
            taken = sa.update(schema.trials).where(schema.trials.c.key == key, untaken).values(values)
            return connection.execute(taken).rowcount == 1

    @patient
    def takeable(self, keys: Iterable[str], worker: str, retry_failed: bool = False) -> set[str]:
        """Those of some trials that a claim would take now, and those that are done."""
        t = schema.trials.c
        untaken = free(schema.trials, worker, self._now, retry_failed) | (t.status == "done")
        return {row.key for row in self._of_keys(sa.select(t.key).where(untaken), t.key, keys)}

    def extend_leases(self, worker: str, lease_seconds: float) -> None:
        """Keep everything that a worker holds from being taken by another one."""
        with self.writing() as connection:
            held = sa.update(schema.trials).where(_held(worker))
            connection.execute(held.values(lease(worker, self._now, lease_seconds)))

    def release(self, worker: str) -> None:
        """Give back everything that a worker holds, so that another one need not wait for the end of the lease."""
        with self.writing() as connection:
            back = sa.update(schema.trials).where(_held(worker))
            connection.execute(back.values(worker=None, lease_until=None, status="waiting"))

    # Results

    def record(self, outcome: Outcome, worker: str, trained: bool) -> bool:
        """Store the outcome of a task: of a training as :meth:`finish` does, or of an evaluation alone.

        Returns:
            Whether it was stored.
        """
        if trained:
            return self.finish(outcome, worker)
        if outcome.error is None:
            self.add_evaluations(outcome.key, outcome.evaluations.values())
        else:
            self.fail_evaluation(outcome)
        return True

    @patient
    def finish(self, outcome: Outcome, worker: str | None = None) -> bool:
        """Store a trial's whole outcome; a finished trial stays as it is.

        Args:
            outcome: of the training.
            worker: that trained it. Its failure counts only while it holds the trial: after the end of its lease
                another one may have it. Without a worker it counts only while nobody holds the trial.

        Returns:
            Whether it was stored.
        """
        t = schema.trials.c
        failed = outcome.error is not None
        kind, message = outcome.error or (None, None)
        update = sa.update(schema.trials).where(t.key == outcome.key, may_end(t, worker, not failed))
        with self.writing() as connection:
            values = {
                "status": "failed" if failed else "done",
                "finished": self._now,
                "seconds": outcome.seconds,
                "parameters": outcome.parameters,
                "environment": outcome.environment,
                "diagnostics": outcome.diagnostics or None,
                "error_type": kind,
                "error_message": message,
                "traceback": outcome.traceback,
                "worker": worker,
                "lease_until": None,
            }
            written = connection.execute(update.values(values)).rowcount == 1
            if failed or not written:
                return written
            for table in (schema.epochs, schema.weights, schema.evaluations, schema.predictions):
                connection.execute(sa.delete(table).where(table.c.trial == outcome.key))
            epochs = [{"trial": outcome.key, **asdict(epoch)} for epoch in outcome.epochs]
            self._insert_new(schema.epochs, epochs, connection)
            self._insert_new(schema.weights, [{"trial": outcome.key, "safetensors": outcome.weights}], connection)
            self._add_evaluations(outcome.key, outcome.evaluations.values(), connection)
        return True

    @patient
    def add_evaluations(self, key: str, evaluations: Iterable[Evaluation]) -> None:
        """Add evaluations of a finished trial on further test sets; stored ones stay."""
        t = schema.trials.c
        done = sa.update(schema.trials).where(t.key == key, t.status == "done")
        with self.writing() as connection:
            self._add_evaluations(key, evaluations, connection)
            connection.execute(done.values(error_type=None, error_message=None, traceback=None))

    @patient
    def fail_evaluation(self, outcome: Outcome) -> None:
        """Store why a finished trial could not be evaluated on a further test set; its results stay."""
        t = schema.trials.c
        kind, message = outcome.error or (None, None)
        here = sa.update(schema.trials).where(t.key == outcome.key, t.status == "done")
        with self.writing() as connection:
            connection.execute(here.values(error_type=kind, error_message=message, traceback=outcome.traceback))

    @patient
    def prune(self, trial: str, reason: str, worker: str | None = None) -> None:
        """Store that the worker that holds a trial ended it before its last epoch; it is not finished."""
        t = schema.trials.c
        here = sa.update(schema.trials).where(t.key == trial, may_end(t, worker, result=False))
        values = {"status": "pruned", "error_type": "Pruned", "error_message": reason, "lease_until": None}
        with self.writing() as connection:
            connection.execute(here.values(**values, finished=self._now))

    def _add_evaluations(self, key: str, evaluations: Iterable[Evaluation], connection: sa.Connection) -> None:
        for evaluation in evaluations:
            place = {"trial": key, "test_set": evaluation.fingerprint}
            self._insert_new(schema.evaluations, [place | evaluation.metrics], connection)
            arrays = {"rotations": to_bytes(evaluation.rotations), "strengths": to_bytes(evaluation.strengths)}
            self._insert_new(schema.predictions, [place | arrays], connection)


def may_end(columns: Any, worker: str | None, result: bool) -> sa.ColumnElement[bool]:
    """Whether a worker's end of a trial or point counts.

    A result is accepted unless one is stored; any other end only while the worker holds the lease.
    """
    if result:
        ours = columns.status != "done"
    elif worker is None:
        ours = columns.status.not_in(("running", "done"))
    else:
        ours = (columns.status == "running") & (columns.worker == worker)
    return cast("sa.ColumnElement[bool]", ours)


def lease(worker: str, now: sa.ColumnElement[float], seconds: float) -> dict[str, Any]:
    """The columns of a row that a worker holds from now on."""
    return {"worker": worker, "lease_until": now + seconds, "lease_seconds": seconds}


def lease_ended(columns: Any, worker: str, now: sa.ColumnElement[float]) -> sa.ColumnElement[bool]:
    """Whether a row's lease is over for a worker.

    Its own are, as the answer to a claim can be lost. One that ends later than twice its length from now was made by a
    process whose clock is ahead, and would keep the row for as long as the clock was wrong.
    """
    over = (columns.lease_until < now) | (columns.lease_until > now + 2 * columns.lease_seconds)
    return cast("sa.ColumnElement[bool]", over | (columns.worker == worker))


def free(
    table: sa.Table, worker: str, now: sa.ColumnElement[float], retry_failed: bool = False
) -> sa.ColumnElement[bool]:
    """Whether a worker may take a row."""
    t = table.c
    takeable = ("waiting", "pruned", "failed") if retry_failed else ("waiting", "pruned")
    return t.status.in_(takeable) | ((t.status == "running") & lease_ended(t, worker, now))


def _held(worker: str) -> sa.ColumnElement[bool]:
    """Whether a worker holds a trial."""
    return (schema.trials.c.worker == worker) & (schema.trials.c.status == "running")


def _waiting(trial: "Trial") -> dict[str, Any]:
    """The row of a trial that nobody has begun."""
    return {
        "key": trial.key,
        "status": "waiting",
        "sampler": trial.arm.sampler.name,
        "seed": trial.seed,
        "train_set": trial.train_set,
        "identity": trial.identity,
    }


def _delete_others(connection: sa.Connection, cells: "Sequence[Planned]", present: "Present") -> int:
    """Delete a study's other cells at the presets and protocols of some that are no longer part of it."""
    p, t = schema.planned.c, schema.trials.c
    study, kept = cells[0].study, {(cell.preset, cell.protocol, cell.arm, cell.seed) for cell in cells}
    places = {(preset, protocol) for preset, protocol, _, _ in kept}
    place, deleted = (p.preset, p.protocol, p.arm, p.seed), 0
    here = (p.study == study) & sa.tuple_(p.preset, p.protocol).in_(places)
    for *cell, trial in connection.execute(sa.select(*place, p.trial).where(here)).all():
        if tuple(cell) in kept:
            continue
        _, protocol, arm, seed = cell
        identity = connection.execute(sa.select(t.identity).where(t.key == trial)).scalar_one_or_none()
        if identity is not None and not present(protocol, arm, seed, identity):
            this = [column == value for column, value in zip(place, cell, strict=True)]
            connection.execute(sa.delete(schema.planned).where(p.study == study, *this))
            deleted += 1
    return deleted
