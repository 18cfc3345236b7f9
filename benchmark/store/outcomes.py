"""What came of trials: written in one transaction each, and asked for while a study runs."""

from collections.abc import Iterable
from dataclasses import asdict

import sqlalchemy as sa

from benchmark.store import schema
from benchmark.store.arrays import to_bytes
from benchmark.store.base import StoreBase
from benchmark.store.leasing import may_end
from benchmark.store.outcome import Evaluation, Outcome
from benchmark.store.problems import patient


class Outcomes(StoreBase):
    """The part of a store that is about results of trials."""

    @patient
    def finish(self, outcome: Outcome, worker: str | None = None) -> bool:
        """Write all of a trial's outcome in one transaction; a finished trial stays as it is.

        Args:
            outcome: of the training.
            worker: whose it is. A failure counts only while the worker has the trial: after the end of its lease
                another one may be at it. Without a worker it counts only while nobody has the trial.

        Returns:
            Whether it was written.
        """
        t = schema.trials.c
        failed = outcome.error is not None
        values = {
            "status": "failed" if failed else "done",
            "finished": self._now,
            "seconds": outcome.seconds,
            "parameters": outcome.parameters,
            "environment": outcome.environment,
            "diagnostics": outcome.diagnostics or None,
            "error_type": outcome.error[0] if outcome.error else None,
            "error_message": outcome.error[1] if outcome.error else None,
            "traceback": outcome.traceback,
            "worker": worker,
            "lease_until": None,
        }
        update = sa.update(schema.trials).where(t.key == outcome.key, may_end(t, worker, not failed)).values(values)
        with self.writing() as connection:
            written = connection.execute(update).rowcount == 1
            if failed or not written:
                return written
            for table in (schema.epochs, schema.weights, schema.evaluations, schema.predictions):
                connection.execute(sa.delete(table).where(table.c.trial == outcome.key))
            self._insert_new(
                schema.epochs, [{"trial": outcome.key, **asdict(epoch)} for epoch in outcome.epochs], connection
            )
            self._insert_new(schema.weights, [{"trial": outcome.key, "safetensors": outcome.weights}], connection)
            self._add_evaluations(outcome.key, outcome.evaluations.values(), connection)
        return True

    @patient
    def add_evaluations(self, key: str, evaluations: Iterable[Evaluation]) -> None:
        """Add evaluations of a finished trial on further test sets; those that are there stay."""
        t = schema.trials.c
        mended = sa.update(schema.trials).where(t.key == key, t.status == "done")
        with self.writing() as connection:
            self._add_evaluations(key, evaluations, connection)
            connection.execute(mended.values(error_type=None, error_message=None, traceback=None))

    @patient
    def fail_evaluation(self, outcome: Outcome) -> None:
        """Write down why a finished trial could not be evaluated on a further test set; its results stay."""
        t = schema.trials.c
        kind, message = outcome.error or (None, None)
        here = sa.update(schema.trials).where(t.key == outcome.key, t.status == "done")
        with self.writing() as connection:
            connection.execute(here.values(error_type=kind, error_message=message, traceback=outcome.traceback))

    def record(self, outcome: Outcome, worker: str, trained: bool) -> bool:
        """Write down what came of a task: a training's outcome as :meth:`finish` does, or that of an evaluation alone.

        Returns:
            Whether it was written.
        """
        if trained:
            return self.finish(outcome, worker)
        if outcome.error is None:
            self.add_evaluations(outcome.key, outcome.evaluations.values())
        else:
            self.fail_evaluation(outcome)
        return True

    @patient
    def prune(self, trial: str, reason: str, worker: str | None = None) -> None:
        """Write down that the worker that has a trial ended it before its last epoch; it is not finished."""
        t = schema.trials.c
        values = {"status": "pruned", "finished": self._now, "error_type": "Pruned", "error_message": reason}
        here = sa.update(schema.trials).where(t.key == trial, may_end(t, worker, result=False))
        with self.writing() as connection:
            connection.execute(here.values(**values, lease_until=None))

    def _add_evaluations(self, key: str, evaluations: Iterable[Evaluation], connection: sa.Connection) -> None:
        for evaluation in evaluations:
            place = {"trial": key, "test_set": evaluation.fingerprint}
            self._insert_new(schema.evaluations, [place | evaluation.metrics], connection)
            arrays = {"rotations": to_bytes(evaluation.rotations), "strengths": to_bytes(evaluation.strengths)}
            self._insert_new(schema.predictions, [place | arrays], connection)

    @patient
    def statuses(self, keys: Iterable[str]) -> dict[str, str]:
        """Status of each trial that the store knows."""
        t = schema.trials.c
        with self.reading() as connection:
            return dict(connection.execute(sa.select(t.key, t.status).where(t.key.in_(list(keys)))).all())

    @patient
    def failures(self, keys: Iterable[str]) -> dict[str, str]:
        """Type and message of the error of each failed trial."""
        t = schema.trials.c
        query = sa.select(t.key, t.error_type, t.error_message).where(t.key.in_(list(keys)), t.status == "failed")
        with self.reading() as connection:
            return {key: f"{kind}: {message}" for key, kind, message in connection.execute(query)}

    @patient
    def evaluated(self, keys: Iterable[str]) -> set[tuple[str, str]]:
        """Pairs of trial and test set (fingerprint) that are evaluated."""
        e = schema.evaluations.c
        with self.reading() as connection:
            return set(connection.execute(sa.select(e.trial, e.test_set).where(e.trial.in_(list(keys)))).all())

    @patient
    def weights(self, key: str) -> bytes | None:
        """A trial's weights in safetensors format."""
        w = schema.weights.c
        with self.reading() as connection:
            return connection.execute(sa.select(w.safetensors).where(w.trial == key)).scalar_one_or_none()

    @patient
    def pruned(self, trial: str) -> str | None:
        """Why a trial was pruned; None if it was not."""
        t = schema.trials.c
        with self.reading() as connection:
            query = sa.select(t.error_message).where(t.key == trial, t.status == "pruned")
            return connection.execute(query).scalar_one_or_none()

    @patient
    def metric(self, trial: str, test_set: str, name: str) -> float | None:
        """A metric of a trial on a test set (fingerprint), degrees."""
        e = schema.evaluations.c
        with self.reading() as connection:
            query = sa.select(e[name]).where(e.trial == trial, e.test_set == test_set)
            return connection.execute(query).scalar_one_or_none()
