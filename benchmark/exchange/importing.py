"""Import of an exported folder, which may come from anyone: nothing in it is trusted."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from benchmark.exchange.layout import (
    ENDED,
    FORMAT,
    MANIFEST,
    SHAPES,
    TABLES,
    binary,
    file_name,
    from_text,
    plain,
    title,
    trial_column,
)
from benchmark.exchange.trust import check_values
from benchmark.search.stored import check_point
from benchmark.store import schema
from benchmark.store.arrays import from_bytes
from benchmark.store.search_store import Point
from benchmark.store.store import Store
from mhpe.errors import InputError

EVALUATED = (schema.evaluations, schema.predictions)
"""What a trial that is done has of each test set."""
RESULTS = (schema.weights, *EVALUATED)
"""What only trials that are done have."""


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
    check_manifest(folder)
    with store.writing() as connection:
        return _Import(folder, connection).run()


def check_manifest(folder: Path) -> None:
    """Make sure that a folder is a complete export that this program can read.

    Raises:
        InputError: if it is not.
    """
    path = folder / MANIFEST
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        found = (facts["program"], facts["format"], facts["schema_version"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{folder} is no export of a store: it lacks a valid {MANIFEST}") from None
    if found != (schema.PROGRAM, FORMAT, schema.SCHEMA_VERSION):
        raise InputError(f"{path}: written by another version of this program; export again with this one")


class _Import:
    """One import: reads, checks and inserts a row at a time; whatever is wrong ends the transaction."""

    def __init__(self, folder: Path, connection: sa.Connection) -> None:
        self.folder, self.connection = folder, connection
        insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        self._insert = insert
        self._taken: set[str] = set()  # trials whose rows are inserted
        self._known: dict[str, str] = {}  # status of the folder's trials
        self._shared: set[str] = set()  # trials that are done here, too
        self._evaluated: dict[sa.Table, set[tuple[str, str]]] = {}  # trials and test sets of evaluations, predictions
        self._images: dict[str, int] = {}  # images of each test set of the folder
        self._searches: dict[str, dict[str, Any]] = {}  # definitions of the folder's searches

    def run(self) -> Merged:
        for table in TABLES:
            for where, row in self._rows(table):
                self._check(table, row, where)
                if self._wanted(table, row):
                    self._add(table, row, where)
        self._check_complete()
        return Merged(len(self._taken), len(self._known) - len(self._taken))

    def _wanted(self, table: sa.Table, row: dict[str, Any]) -> bool:
        trial = trial_column(table)
        if trial is None or row[trial.name] in self._taken:
            return True
        return table in EVALUATED and row[trial.name] in self._shared

    def _add(self, table: sa.Table, row: dict[str, Any], where: str) -> None:
        insert = self._insert(table)
        if table is schema.points:
            statement = insert.on_conflict_do_update(
                index_elements=list(table.primary_key), set_=row, where=table.c.status == "waiting"
            )
        else:
            statement = insert.on_conflict_do_nothing()
        try:
            self.connection.execute(statement, row)
        except (sa.exc.IntegrityError, sa.exc.DataError) as error:
            raise InputError(f"{where}: {' '.join(str(error.orig).split())}") from None

    def _rows(self, table: sa.Table) -> Iterator[tuple[str, dict[str, Any]]]:
        """The rows of a table's CSV file with their binary columns, and where each is."""
        path = _inside(self.folder, f"{title(table)}.csv")
        try:
            frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot read this table: {error}") from None
        columns = plain(table)
        if list(frame.columns) != [column.name for column in columns] or not isinstance(frame.index, pd.RangeIndex):
            raise InputError(f"{path}: its columns must be {', '.join(column.name for column in columns)}")
        for number, cells in enumerate(frame.itertuples(index=False, name=None), start=1):
            where = f"{path}, row {number}"
            row = {column.name: from_text(cell, column, where) for column, cell in zip(columns, cells, strict=True)}
            for column in binary(table):
                row[column.name] = self._content(table, column, row, where)
            yield where, row

    def _content(self, table: sa.Table, column: sa.Column[Any], row: dict[str, Any], where: str) -> bytes:
        names = [str(row[key.name]) for key in table.primary_key]
        if not all(name.isascii() and name.isalnum() for name in names):
            raise InputError(f"{where}: {' '.join(names)!r} is no key")
        path = _inside(self.folder, file_name(table, column, row))
        try:
            content = path.read_bytes()
            if column.name == "safetensors":
                safetensors.deserialize(content)
                return content
            array = from_bytes(content)
        except (OSError, ValueError, EOFError, MemoryError, safetensors.SafetensorError) as error:
            raise InputError(f"{path}: missing or damaged: {error}") from None
        if table is schema.test_sets:
            self._images.setdefault(row["fingerprint"], len(row["image_ids"]))
        images = self._images.get(row["test_set"] if "test_set" in row else row["fingerprint"])
        dtype, shape = SHAPES[column.name]
        if array.dtype != dtype or array.shape != (images, *shape) or not np.isfinite(array).all():
            raise InputError(f"{path}: must hold {dtype} of shape {(images, *shape)}, all of them finite")
        return content

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
                raise InputError(f"{self.folder / 'weights.csv'}: trial {key} is done but has no weights")
        evaluations, predictions = (self._evaluated.get(table, set()) for table in EVALUATED)
        for key, _ in evaluations ^ predictions:
            raise InputError(f"{self.folder / 'predictions.csv'}: not as evaluations.csv for trial {key}")


def _inside(folder: Path, name: str) -> Path:
    """A file of the folder, wherever links lead.

    Raises:
        InputError: if it lies outside.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{path}: leads out of the folder")
    return path
