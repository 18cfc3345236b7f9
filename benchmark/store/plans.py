"""Studies in the store: their cells, the trials that fill them, and what came of these."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
import sqlalchemy as sa

from benchmark.store import schema
from benchmark.store.arrays import to_bytes
from benchmark.store.base import StoreBase
from benchmark.store.problems import patient
from benchmark.study.cell import Planned, Present
from benchmark.study.trial import Trial
from mhpe.data import HeadPoseSet


class Plans(StoreBase):
    """The part of a store that is about studies."""

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
        present: Present | None = None,
    ) -> int:
        """Write down what a study consists of; cells that were planned before get their present trial.

        Args:
            study: name of the study.
            definition: of the study.
            cells: those to run, which may be a part of the study.
            trials: that fill them.
            present: says which trials are the study's as it is now. At the cells' presets and protocols, planned cells
                with others are deleted, so that a table never mixes two versions of a study; the trials stay. By
                default none are.

        Returns:
            The number of deleted cells.
        """
        rows = {trial.key: self._waiting(trial) for trial in trials}
        with self.writing() as connection:
            self._insert_new(schema.trials, list(rows.values()), connection)
            connection.execute(self._upsert(schema.studies), [{"name": study, "definition": definition}])
            connection.execute(self._upsert(schema.planned), [asdict(cell) for cell in cells])
            places = {(cell.preset, cell.protocol) for cell in cells}
            return 0 if present is None else self._delete_others(connection, study, places, present)

    @staticmethod
    def _delete_others(connection: sa.Connection, study: str, places: set[tuple[str, str]], present: Present) -> int:
        p, t = schema.planned.c, schema.trials.c
        cells = sa.select(p.preset, p.protocol, p.arm, p.seed, t.identity).join_from(
            schema.planned, schema.trials, p.trial == t.key
        )
        there = connection.execute(cells.where((p.study == study) & sa.tuple_(p.preset, p.protocol).in_(places))).all()
        gone = [row[:4] for row in there if not present(row.protocol, row.arm, row.seed, row.identity)]
        for preset, protocol, arm, seed in gone:
            cell = (p.preset == preset) & (p.protocol == protocol) & (p.arm == arm) & (p.seed == seed)
            connection.execute(sa.delete(schema.planned).where((p.study == study) & cell))
        return len(gone)

    @patient
    def add_trials(self, trials: Iterable[Trial]) -> None:
        """Write down trials that belong to no cell of a study."""
        self._insert_new(schema.trials, [self._waiting(trial) for trial in trials])

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

    def identities(self, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What trials are, by key; see :attr:`benchmark.study.trial.Trial.identity`."""
        t = schema.trials.c
        with self.reading() as connection:
            return dict(connection.execute(sa.select(t.key, t.identity).where(t.key.in_(list(keys)))).all())

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
