"""What is done with the store: planning, claiming, finishing, reading."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, cast

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from benchmark.outcome import Evaluation, Outcome
from benchmark.store import schema
from benchmark.store.arrays import to_bytes
from benchmark.store.database import open_engine, writer
from benchmark.store.problems import clear, patient, shown
from benchmark.trial import Trial
from mhpe.data import HeadPoseSet


@dataclass(frozen=True)
class Planned:
    """One cell of a study's grid.

    Attributes:
        study: name of the study.
        preset: name of the core's preset.
        protocol: name of the protocol.
        arm: the arm's label.
        position: of the arm in the study.
        parameters: of the arm's sampler.
        seed: of the trial.
        trial: key of the trial that fills the cell.
        test_set: fingerprint of the protocol's test set.
    """

    study: str
    preset: str
    protocol: str
    arm: str
    position: int
    parameters: dict[str, Any]
    seed: int
    trial: str
    test_set: str


def may_end(columns: Any, worker: str | None, result: bool) -> sa.ColumnElement[bool]:
    """Whether a worker's end of a trial or point counts: a result unless there is one, all else while it has it."""
    if result:
        ours = columns.status != "done"
    elif worker is None:
        ours = columns.status.not_in(("running", "done"))
    else:
        ours = (columns.status == "running") & (columns.worker == worker)
    return cast("sa.ColumnElement[bool]", ours)


class Store:
    """A results store. Work of a running study is tried again for a minute while the database does not answer.

    Args:
        url: an SQLAlchemy URL, or the path of an SQLite file.

    Attributes:
        url: as it was given.
        engine: the database.
        shown: its URL without passwords.

    Raises:
        InputError: as :func:`benchmark.store.database.open_engine`. All methods raise it, in one line, when
            the database fails; what they were writing is then not written at all.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = open_engine(url)
        self.shown = shown(self.engine.url)
        self._writer = writer(self.engine)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that changes nothing."""
        with clear(self.engine.url), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """The same, which sees one state of the store, whatever others write in the meantime."""
        with self.reading() as connection:
            if connection.dialect.name == "postgresql":  # on SQLite every transaction does
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction: all of its changes are written at its end, or none of them."""
        with clear(self.engine.url), self._writer.begin() as connection:
            yield connection

    @property
    def _now(self) -> sa.ColumnElement[float]:
        """The time in Unix seconds, by one clock for all machines that work on the store."""
        if self.engine.dialect.name == "postgresql":
            return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Float)
        return sa.literal(time.time(), sa.Float)

    # planning

    @patient
    def add_test_set(self, data: HeadPoseSet) -> None:
        """Keep a test set's labels, so that reports need no data."""
        self._insert_new(
            schema.test_sets,
            [
                {
                    "fingerprint": data.fingerprint,
                    "name": data.name,
                    "meta": data.meta,
                    "image_ids": list(data.image_ids),
                    "identities": to_bytes(data.identities),
                    "rotations": to_bytes(data.rotations),
                    "angles": to_bytes(data.angles),
                }
            ],
        )

    @patient
    def plan(
        self,
        study: str,
        definition: dict[str, Any],
        cells: Sequence[Planned],
        trials: Iterable[Trial],
        arms: Iterable[str] | None = None,
    ) -> None:
        """Write down what a study consists of; cells that were planned before get their present trial.

        Args:
            study: name of the study.
            definition: of the study.
            cells: those to run, which may be a part of the study.
            trials: that fill them.
            arms: labels of all arms of the whole study, those that are not to run now included. At the cells'
                presets and protocols, planned cells of other arms are deleted; their trials stay. By default none are.
        """
        p = schema.planned.c
        rows = {trial.key: self._waiting(trial) for trial in trials}
        with self.writing() as connection:
            self._insert_new(schema.trials, list(rows.values()), connection)
            connection.execute(self._upsert(schema.studies), [{"name": study, "definition": definition}])
            if arms is not None:
                places = sa.tuple_(p.preset, p.protocol).in_({(cell.preset, cell.protocol) for cell in cells})
                gone = (p.study == study) & places & p.arm.not_in(list(arms))
                connection.execute(sa.delete(schema.planned).where(gone))
            connection.execute(self._upsert(schema.planned), [asdict(cell) for cell in cells])

    @staticmethod
    def _waiting(trial: Trial) -> dict[str, Any]:
        """The row of a trial that nobody has begun."""
        return {
            "key": trial.key,
            "status": "waiting",
            "sampler": trial.arm.sampler.name,
            "seed": trial.seed,
            "train_set": trial.train_set,
            "identity": trial.identity,
        }

    # running

    @patient
    def claim(self, key: str, worker: str, lease_seconds: float, retry_failed: bool = False) -> bool:
        """Take a trial that waits, was pruned, or whose worker's lease has ended. Of several callers one succeeds."""
        taken = (
            sa.update(schema.trials)
            .where(schema.trials.c.key == key, self._free(worker, retry_failed))
            .values(status="running", worker=worker, started=self._now, lease_until=self._now + lease_seconds)
        )
        with self.writing() as connection:
            return connection.execute(taken).rowcount == 1

    @patient
    def takeable(self, keys: Iterable[str], worker: str, retry_failed: bool = False) -> set[str]:
        """Those of some trials that a claim would take now, and those that are done."""
        t = schema.trials.c
        free = self._free(worker, retry_failed) | (t.status == "done")
        with self.reading() as connection:
            return set(connection.execute(sa.select(t.key).where(t.key.in_(list(keys)), free)).scalars())

    def _free(self, worker: str, retry_failed: bool) -> sa.ColumnElement[bool]:
        """Whether a worker may take a trial. Its own are free to it, as the answer to a claim can be lost."""
        t = schema.trials.c
        left = (t.status == "running") & ((t.lease_until < self._now) | (t.worker == worker))
        free = [t.status.in_(("waiting", "pruned")), left]
        return sa.or_(*free, t.status == "failed") if retry_failed else sa.or_(*free)

    def extend_leases(self, worker: str, lease_seconds: float) -> None:
        """Keep a worker's running trials from being taken by another one."""
        t = schema.trials.c
        with self.writing() as connection:
            connection.execute(
                sa.update(schema.trials)
                .where(t.worker == worker, t.status == "running")
                .values(lease_until=self._now + lease_seconds)
            )

    def release(self, worker: str) -> None:
        """Give back a worker's unfinished trials, so that another one need not wait for the end of the lease."""
        t = schema.trials.c
        with self.writing() as connection:
            connection.execute(
                sa.update(schema.trials)
                .where(t.worker == worker, t.status == "running")
                .values(status="waiting", worker=None, lease_until=None)
            )

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

    def _add_evaluations(self, key: str, evaluations: Iterable[Evaluation], connection: sa.Connection) -> None:
        for evaluation in evaluations:
            place = {"trial": key, "test_set": evaluation.fingerprint}
            self._insert_new(schema.evaluations, [place | evaluation.metrics], connection)
            arrays = {"rotations": to_bytes(evaluation.rotations), "strengths": to_bytes(evaluation.strengths)}
            self._insert_new(schema.predictions, [place | arrays], connection)

    # reading

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

    def studies(self) -> dict[str, dict[str, Any]]:
        """Definitions of all planned studies by name."""
        with self.reading() as connection:
            return dict(connection.execute(sa.select(schema.studies).order_by("name")).all())

    def results(self, study: str) -> pd.DataFrame:
        """All cells of a study in order: one row each, metrics missing where there is no result.

        A trial that is done but could not be evaluated is a failed one where it lacks the evaluation.
        """
        p, t, e = schema.planned.c, schema.trials.c, schema.evaluations.c
        columns: list[Any] = [p.preset, p.protocol, p.arm, p.position, p.parameters, p.seed, p.trial, p.test_set]
        not_evaluated = (t.status == "done") & e.trial.is_(None) & t.error_type.is_not(None)
        status = sa.case((not_evaluated, "failed"), else_=t.status).label("status")
        columns += [status, t.sampler, t.train_set, t.seconds, t.parameters.label("weights")]
        columns += [t.error_type, t.error_message]
        query = (
            sa.select(*columns, *(e[metric] for metric in schema.METRICS))
            .outerjoin_from(schema.planned, schema.trials, p.trial == t.key)
            .outerjoin(schema.evaluations, (e.trial == t.key) & (e.test_set == p.test_set))
            .where(p.study == study)
            .order_by(p.preset, p.protocol, p.position, p.seed)
        )
        with self.reading() as connection:
            result = connection.execute(query)
            frame = pd.DataFrame(result.all(), columns=list(result.keys()))
        return frame.astype(dict.fromkeys(schema.METRICS, float))

    # writing helpers

    def _insert_new(self, table: sa.Table, rows: list[dict[str, Any]], connection: sa.Connection | None = None) -> None:
        """Insert rows unless their primary key is taken."""
        if not rows:
            return
        if connection is None:
            with self.writing() as own:
                self._insert_new(table, rows, own)
            return
        connection.execute(self._insert(table).on_conflict_do_nothing(), rows)

    def _insert(self, table: sa.Table) -> Any:
        return (postgresql if self.engine.dialect.name == "postgresql" else sqlite).insert(table)

    def _upsert(self, table: sa.Table) -> Any:
        """Insert rows, or change those whose primary key is taken."""
        insert = self._insert(table)
        keys = [column.name for column in table.primary_key]
        changed = {c.name: insert.excluded[c.name] for c in table.c if c.name not in keys}
        return insert.on_conflict_do_update(index_elements=keys, set_=changed)
