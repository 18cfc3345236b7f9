"""Import of an exported folder, which may come from anyone: nothing in it is trusted."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmark.exchange.folder import Folder
from benchmark.exchange.layout import ENDED, TABLES, binary, trial_column
from benchmark.exchange.trust import check_values
from benchmark.search.stored import check_point
from benchmark.store import schema
from benchmark.store.base import insert
from benchmark.store.search_store import Point
from benchmark.store.store import Store
from mhpe.errors import InputError

EVALUATED = (schema.evaluations, schema.predictions)
"""What a trial that is done has of each test set."""
RESULTS = (schema.weights, *EVALUATED)
"""What only trials that are done have."""
ROWS_AT_ONCE = 1000
"""Rows that are inserted by one call of the database."""
REFUSED = (sa.exc.IntegrityError, sa.exc.DataError)
"""What the database raises for a row that cannot be in its table."""
Row = tuple[str, dict[str, Any]]
"""Where a row is, for messages, and its values."""


@dataclass(frozen=True)
class Merged:
    """What an import did.

    Attributes:
        added: trials that were not there, or not finished.
        kept: trials that were done here, and stay as they are.
    """

    added: int
    kept: int


def import_store(store: Store, folder: Path) -> Merged:
    """Merge an exported folder into a store, in one transaction.

    A trial that is done in the store stays as it is; one that waits, runs or has failed takes the folder's
    result; a failure is taken where the store knows nothing of the trial. Evaluations on further test sets are
    added to trials that are done on both sides. Studies of the same name share their cells. A point of a search
    that waits in the store takes the folder's end.

    Raises:
        InputError: if a file is missing, damaged, or not what an export would hold. The store is unchanged.
    """
    exported = Folder(folder)
    with store.writing() as connection:
        return _Import(exported, connection).run()


class _Import:
    """One import: checks a row at a time, and inserts many; whatever is wrong ends the transaction."""

    def __init__(self, folder: Folder, connection: sa.Connection) -> None:
        self.folder, self.connection = folder, connection
        self._taken: set[str] = set()  # trials whose rows are inserted
        self._known: dict[str, str] = {}  # status of the folder's trials
        self._shared: set[str] = set()  # trials that are done here, too
        self._evaluated: dict[sa.Table, set[tuple[str, str]]] = {}  # trials and test sets of evaluations, predictions
        self._searches: dict[str, dict[str, Any]] = {}  # definitions of the folder's searches

    def run(self) -> Merged:
        for table in TABLES:
            # A trial is decided by those that are there already, and files are too large to gather.
            size = 1 if table is schema.trials or binary(table) else ROWS_AT_ONCE
            for rows in _batches(self._wanted_rows(table), size):
                self._insert(table, rows)
        self._check_complete()
        return Merged(len(self._taken), len(self._known) - len(self._taken))

    def _wanted_rows(self, table: sa.Table) -> Iterator[Row]:
        for where, row in self.folder.rows(table):
            self._check(table, row, where)
            if self._wanted(table, row):
                yield where, row

    def _wanted(self, table: sa.Table, row: dict[str, Any]) -> bool:
        trial = trial_column(table)
        if trial is None or row[trial.name] in self._taken:
            return True
        return table in EVALUATED and row[trial.name] in self._shared

    def _insert(self, table: sa.Table, rows: list[Row]) -> None:
        """Insert rows at once, or one by one where that names the one that the database refuses."""
        new = insert(table, self.connection.dialect)
        statement = new.on_conflict_do_nothing()
        if table is schema.points:
            changed = {column.name: new.excluded[column.name] for column in table.c if not column.primary_key}
            statement = new.on_conflict_do_update(
                index_elements=list(table.primary_key), set_=changed, where=table.c.status == "waiting"
            )
        if len(rows) > 1:
            with suppress(*REFUSED), self.connection.begin_nested():
                self.connection.execute(statement, [row for _, row in rows])
                return
        for where, row in rows:
            try:
                self.connection.execute(statement, row)
            except REFUSED as error:
                raise InputError(f"{where}: {' '.join(str(error.orig).split())}") from None

    def _check(self, table: sa.Table, row: dict[str, Any], where: str) -> None:
        """What the database does not check by itself."""
        if table in (schema.trials, schema.points) and row["status"] not in ENDED:
            raise InputError(f"{where}: status must be {', '.join(ENDED)}, not {row['status']!r}")
        check_values(table, row, where)
        if table is schema.trials:
            self._claim(row)
        elif (trial := trial_column(table)) is not None:
            self._check_trial(table, row, row[trial.name], where)
        if table is schema.test_sets:
            self._check_same_images(row, where)
        if table is schema.searches:
            self._searches[row["key"]] = row["definition"]
        if table is schema.points:
            self._check_point(row, where)

    def _check_trial(self, table: sa.Table, row: dict[str, Any], trial: str, where: str) -> None:
        if trial not in self._known:
            raise InputError(f"{where}: trial {trial!r} is not in trials.csv")
        if table in RESULTS and self._known[trial] != "done":
            raise InputError(f"{where}: trial {trial} is not done")
        if "test_set" in row:
            self._evaluated.setdefault(table, set()).add((trial, row["test_set"]))

    def _check_point(self, row: dict[str, Any], where: str) -> None:
        if row["search"] not in self._searches:
            raise InputError(f"{where}: search {row['search']!r} is not in searches.csv")
        row["optuna_number"] = None  # it means nothing elsewhere; the next search tells Optuna of the point
        point = Point(**{name: row[name] for name in Point.__dataclass_fields__})
        check_point(point, self._searches[row["search"]], where)

    def _claim(self, row: dict[str, Any]) -> None:
        """Decide whether a trial is taken, and make room for it."""
        t = schema.trials.c
        self._known[row["key"]] = row["status"]
        here = self.connection.execute(sa.select(t.status).where(t.key == row["key"])).scalar_one_or_none()
        if here is None or (here != "done" and row["status"] == "done"):
            self.connection.execute(sa.delete(schema.trials).where(t.key == row["key"]))
            self._taken.add(row["key"])
        elif here == row["status"] == "done":
            self._shared.add(row["key"])

    def _check_same_images(self, row: dict[str, Any], where: str) -> None:
        t = schema.test_sets.c
        query = sa.select(t.image_ids).where(t.fingerprint == row["fingerprint"])
        here = self.connection.execute(query).scalar_one_or_none()
        if here is not None and here != row["image_ids"]:
            raise InputError(f"{where}: the store has other images of this test set")

    def _check_complete(self) -> None:
        t, w = schema.trials.c, schema.weights.c
        lacking = (
            sa.select(t.key).outerjoin(schema.weights, w.trial == t.key).where(t.status == "done", w.trial.is_(None))
        )
        for key in self.connection.execute(lacking).scalars():
            if key in self._taken:
                raise InputError(f"{self.folder.path / 'weights.csv'}: trial {key} is done but has no weights")
        evaluations, predictions = (self._evaluated.get(table, set()) for table in EVALUATED)
        for key, _ in evaluations ^ predictions:
            raise InputError(f"{self.folder.path / 'predictions.csv'}: not as evaluations.csv for trial {key}")


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Rows, so many at a time; those before a wrong one come first, as the database may refuse one of them."""
    batch: list[Row] = []
    try:
        for row in rows:
            batch.append(row)
            if len(batch) == size:
                yield batch
                batch = []
    except InputError:
        yield batch
        raise
    yield batch
