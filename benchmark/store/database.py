"""Opening a database and checking that it is a results store."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from benchmark.store import schema
from benchmark.store.migrations import migrate
from benchmark.store.problems import clear, patient, shown
from mhpe.errors import InputError

BUSY_SECONDS = 60
"""How long a writer waits for another one on SQLite."""
LOCK = 0x6D687065
"""Number of the lock that a process holds on PostgreSQL while it makes or migrates a store."""


def open_engine(store: str) -> Engine:
    """Connect to a store; make its tables if the database is new, migrate them if they are of an older version.

    Args:
        store: an SQLAlchemy URL of SQLite or PostgreSQL, or the path of an SQLite file.

    Raises:
        InputError: if the URL is malformed, the database cannot be reached or written, or it belongs to
            another program or to a newer version of this one. The database is left as it was.
    """
    url = _url(store)
    with clear(url):
        try:
            engine = sa.create_engine(url, pool_pre_ping=True, hide_parameters=True)
        except (NoSuchModuleError, ModuleNotFoundError):
            raise InputError(
                f"store {shown(url)}: the driver is not installed; pip install 'mhpe-bench[postgres]'"
            ) from None
        except (TypeError, ValueError) as error:
            raise InputError(f"store {shown(url)}: an option of the URL is wrong: {error}") from None
        if engine.dialect.name == "sqlite":
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
            sa.event.listen(engine, "connect", _prepare_sqlite)
            sa.event.listen(engine, "begin", _begin_sqlite)
        with engine.connect() as connection:
            version = _version(connection, url)
        if version != schema.SCHEMA_VERSION:
            _build(engine, url)
    return engine


def sqlite_file(store: str) -> Path | None:
    """The file of a store, None for one on a server or of a URI that SQLite itself reads.

    Raises:
        InputError: if the URL is malformed.
    """
    url = _url(store)
    if url.get_backend_name() != "sqlite" or "uri" in url.query or not url.database:
        return None
    return Path(url.database)


def writer(engine: Engine) -> Engine:
    """The engine for transactions that write: on SQLite they wait for their turn before they read."""
    return engine.execution_options(immediate=True)


def _url(store: str) -> URL:
    if "://" not in store:
        url = URL.create("sqlite", database=str(Path(store).expanduser()) if store else None)
    else:
        url = _parsed(store)
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise InputError(f"store {shown(url)}: a store is a sqlite:/// or postgresql:// database")
    if url.get_backend_name() == "sqlite" and _in_memory(url):
        raise InputError(f"store {shown(url)}: it would end with this process; name a file")
    return url


def _parsed(store: str) -> URL:
    try:
        return make_url(store)
    except (ArgumentError, ValueError):
        raise InputError(
            "the store is not a valid SQLAlchemy URL; sqlite:///results/bench.sqlite would be one"
        ) from None


def _in_memory(url: URL) -> bool:
    return not url.database or ":memory:" in url.database or url.query.get("mode") == "memory"


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says, not at the first change
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _version(connection: sa.Connection, url: URL) -> int | None:
    """Version of the schema; None for an empty database.

    Raises:
        InputError: for another program's database, or a newer version.
    """
    present = sa.inspect(connection).get_table_names()
    if not present:
        return None
    # Up to version 2 the table was called meta. Optuna's tables may lie beside ours, but not alone.
    place = next((name for name in (schema.meta.name, "meta") if name in present), None)
    try:
        columns = sa.table(place, sa.column("name"), sa.column("value")).select() if place else None
        found: dict[str, str] = {} if columns is None else dict(connection.execute(columns).all())
    except SQLAlchemyError:
        found = {}
    if found.get("program") != schema.PROGRAM:
        raise InputError(f"store {shown(url)}: this database belongs to another program; name a new one")
    stated = found.get("schema_version", "")
    version = int(stated) if stated.isdigit() else 0
    if not 1 <= version <= schema.SCHEMA_VERSION:
        raise InputError(
            f"store {shown(url)}: its schema has version {stated}, this program knows up to "
            f"{schema.SCHEMA_VERSION}; a newer version of mhpe-bench would open it"
        )
    return version


def _build(engine: Engine, url: URL) -> None:
    """Make or migrate the tables, unless another process did so in the meantime."""
    if engine.dialect.name == "sqlite":
        _use_write_ahead_log(url)
    with writer(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        version = _version(connection, url)
        if version is None:
            schema.tables.create_all(connection)
            values = {"program": schema.PROGRAM, "schema_version": str(schema.SCHEMA_VERSION)}
            connection.execute(sa.insert(schema.meta), [{"name": k, "value": v} for k, v in values.items()])
        elif version < schema.SCHEMA_VERSION:
            migrate(connection, version)


@patient
def _use_write_ahead_log(url: URL) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    sa.event.listen(engine, "connect", _prepare_sqlite)
    with clear(url), engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    engine.dispose()
