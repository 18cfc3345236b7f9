"""An open store: transactions, its clock and inserts, whatever it holds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from benchmark.store.database import open_engine, writer
from benchmark.store.problems import clear, shown


def insert(table: sa.Table, dialect: sa.Dialect) -> Any:
    """An INSERT that can say what happens to rows whose primary key is taken, which SQLAlchemy has for each dialect."""
    return (postgresql if dialect.name == "postgresql" else sqlite).insert(table)


class StoreBase:
    """A database that is a results store.

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

    def _insert_new(self, table: sa.Table, rows: list[dict[str, Any]], connection: sa.Connection | None = None) -> None:
        """Insert rows unless their primary key is taken."""
        if not rows:
            return
        if connection is None:
            with self.writing() as own:
                self._insert_new(table, rows, own)
            return
        connection.execute(insert(table, self.engine.dialect).on_conflict_do_nothing(), rows)

    def _upsert(self, table: sa.Table) -> Any:
        """Insert rows, or change those whose primary key is taken."""
        new = insert(table, self.engine.dialect)
        keys = [column.name for column in table.primary_key]
        changed = {c.name: new.excluded[c.name] for c in table.c if c.name not in keys}
        return new.on_conflict_do_update(index_elements=keys, set_=changed)
