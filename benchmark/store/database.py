"""Opening a database and checking that it is a results store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, SQLAlchemyError

from benchmark.store import schema
from mhpe.errors import InputError

BUSY_SECONDS = 60
"""How long a writer waits for another one on SQLite."""


def open_engine(store: str) -> Engine:
    """Connect to a store, making its tables if the database is new.

    Args:
        store: an SQLAlchemy URL, or the path of an SQLite file.

    Raises:
        InputError: if the URL is malformed, the database cannot be reached or written, or it belongs to
            another program or to another version of this one. The database is left as it was.
    """
    url = _url(store)
    shown = url.render_as_string(hide_password=True)
    try:
        with _clear(shown):
            if url.get_backend_name() == "sqlite" and url.database:
                Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            engine = sa.create_engine(url, pool_pre_ping=True)
            if url.get_backend_name() == "sqlite":
                sa.event.listen(engine, "connect", _prepare_sqlite)
            with engine.begin() as connection:
                _check(connection, shown)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise InputError(f"store {shown}: the driver for this kind of database is not installed ({error})") from None
    return engine


def _url(store: str) -> URL:
    if "://" not in store:
        return URL.create("sqlite", database=str(Path(store).expanduser()))
    try:
        return make_url(store)
    except (ArgumentError, ValueError):
        raise InputError(
            "the store is not a valid SQLAlchemy URL; sqlite:///results/bench.sqlite would be one"
        ) from None


@contextmanager
def _clear(shown: str) -> Iterator[None]:
    """Turn a database's complaint into one line."""
    try:
        yield
    except DatabaseError as error:
        raise InputError(f"store {shown}: {' '.join(str(error.orig).split())}") from None
    except OSError as error:
        raise InputError(f"store {shown}: {error.strerror or error}") from None


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _check(connection: sa.Connection, shown: str) -> None:
    """Make the tables of a new store; refuse a foreign one."""
    present = set(sa.inspect(connection).get_table_names())
    if not present:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        schema.tables.create_all(connection)
        values = {"program": schema.PROGRAM, "schema_version": str(schema.SCHEMA_VERSION)}
        connection.execute(sa.insert(schema.meta), [{"name": k, "value": v} for k, v in values.items()])
        return
    try:
        found: dict[str, str] = dict(connection.execute(sa.select(schema.meta)).all()) if "meta" in present else {}
    except SQLAlchemyError:
        found = {}
    if found.get("program") != schema.PROGRAM:
        raise InputError(f"store {shown}: this database belongs to another program; name a new one")
    if found.get("schema_version") != str(schema.SCHEMA_VERSION):
        raise InputError(
            f"store {shown}: its schema has version {found.get('schema_version')}, "
            f"this program knows {schema.SCHEMA_VERSION}"
        )
