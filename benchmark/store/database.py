"""A results store as a database: opening it, its transactions, its clock and inserts."""

import itertools
import os
import sqlite3
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from benchmark.store import schema
from benchmark.store.errors import NoStoreError, StoreError, clear, patient, shown
from mhpe.errors import InputError

BUSY_SECONDS = 60  # how long a writer waits for another one on SQLite
LOCK = 0x6D687065  # number of the lock that a process holds on PostgreSQL while it makes tables
KEYS_AT_ONCE = 5000  # most keys in one query: SQLite takes 32,766 values, psycopg 65,535


class Database:
    """A database that is a results store; it is made if there is none, unless it is opened read-only.

    Args:
        url: an SQLAlchemy URL of SQLite or PostgreSQL, or the path of an SQLite file.
        read_only: never write, and leave no file behind. The file and its folder may be write-protected.
        or_empty: where there is no store, be an empty one in memory; only with ``read_only``.

    Its ``url`` without passwords is ``shown``.

    Raises:
        NoStoreError: if ``read_only`` and there is no store.
        InputError: if the URL is malformed, the database cannot be reached or written, or it belongs to another
            program or another version of this one; it is then left as it was. All methods raise it, in one line,
            when the database fails; what they were writing is then not written at all.
    """

    def __init__(self, url: str, read_only: bool = False, or_empty: bool = False) -> None:
        self.url, self.read_only = url, read_only
        self.shown = shown(_url(url))
        try:
            self.engine = open_engine(url, read_only)
        except NoStoreError:
            if not or_empty:
                raise
            self.engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
            schema.tables.create_all(self.engine)
        weakref.finalize(self, self.engine.dispose)  # SQLite moves what is beside its file into it at the last close
        self._snapshot: sa.Connection | None = None

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that changes nothing."""
        with clear(self.engine.url), nullcontext(self._snapshot) if self._snapshot else self.engine.connect() as found:
            yield found

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """One transaction for all that is read inside: it sees one state, whatever others write. Not to be nested."""
        with self.reading() as connection:
            if connection.dialect.name == "postgresql":  # on SQLite every transaction sees one state
                connection.execution_options(isolation_level="REPEATABLE READ")
            self._snapshot = connection
            try:
                yield connection
            finally:
                self._snapshot = None

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction: all of its changes are written at its end, or none of them."""
        with clear(self.engine.url), self.engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
            yield connection

    @property
    def _now(self) -> sa.ColumnElement[float]:
        """The time in Unix seconds, on PostgreSQL by one clock for all machines that work on the store."""
        if self.engine.dialect.name == "postgresql":
            return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Float)
        return sa.literal(time.time(), sa.Float)

    @patient
    def _rows(self, query: sa.Select[Any]) -> list[Any]:
        with self.reading() as connection:
            return list(connection.execute(query))

    def _of_keys(self, query: sa.Select[Any], column: Any, keys: Iterable[str]) -> list[Any]:
        """The rows of a query in which a column is one of some keys, however many these are."""
        rest, found = iter(keys), list[Any]()
        while some := list(itertools.islice(rest, KEYS_AT_ONCE)):
            found += self._rows(query.where(column.in_(some)))
        return found


def insert(table: sa.Table, dialect: sa.Dialect) -> Any:
    """An INSERT that can say what happens to rows whose primary key is taken, which SQLAlchemy has for each dialect."""
    return import_module(f"sqlalchemy.dialects.{dialect.name}").insert(table)


def insert_new(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows unless their primary key is taken."""
    if rows:
        connection.execute(insert(table, connection.dialect).on_conflict_do_nothing(), rows)


def upsert(table: sa.Table, dialect: sa.Dialect) -> Any:
    """An INSERT that changes rows whose primary key is taken."""
    new = insert(table, dialect)
    keys = [column.name for column in table.primary_key]
    changed = {c.name: new.excluded[c.name] for c in table.c if c.name not in keys}
    return new.on_conflict_do_update(index_elements=keys, set_=changed)


def open_engine(store: str, read_only: bool = False) -> Engine:
    """Connect to a store, as :class:`Database` describes it."""
    url = _url(store)
    with clear(url):
        sqlite_file = Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
        missing = NoStoreError(f"no store at {sqlite_file or shown(url)}; bench run makes one")
        if read_only and sqlite_file and "uri" not in url.query and not sqlite_file.exists():
            raise missing
        try:
            engine = _connected(url, read_only)
        except (NoSuchModuleError, ModuleNotFoundError):
            raise InputError(
                f"store {shown(url)}: the driver is not installed; pip install 'mhpe-bench[postgres]'"
            ) from None
        except (TypeError, ValueError) as error:
            raise InputError(f"store {shown(url)}: an option of the URL is wrong: {error}") from None
        except OSError as error:
            raise StoreError(f"store {shown(url)}: {error.strerror or error}") from None
        try:
            with engine.connect() as connection:
                present = _is_store(connection, url)
            if not present and read_only:
                raise NoStoreError(f"{missing}; this database is empty" if sqlite_file else str(missing))
            if not present:
                _make_tables(engine, url)
        except BaseException:
            engine.dispose()  # which deletes the files that SQLite has made beside its own
            raise
    return engine


def _connected(url: URL, read_only: bool) -> Engine:
    options: dict[str, Any] = {"pool_pre_ping": True, "hide_parameters": True}
    if url.get_backend_name() == "postgresql":
        engine = sa.create_engine(url, **options)
        return engine.execution_options(postgresql_readonly=True) if read_only else engine
    if read_only and "uri" not in url.query:
        path = Path(str(url.database))
        place = f"{path.absolute().as_uri()}?{_reading_mode(path)}"
        options["creator"] = lambda: sqlite3.connect(place, uri=True, check_same_thread=False)
    elif not read_only:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, **options)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    if read_only:
        sa.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = ON"))
    return engine


def _reading_mode(path: Path) -> str:
    """How SQLite opens a file to read it, so that no file stays behind.

    A file in write-ahead mode is read with two others beside it. Only a connection that may write deletes them at its
    end. Where nobody can write, there are none to begin with, and the file can be read as one that never changes.
    """
    if Path(f"{path}-wal").exists():  # someone works on it, or was killed: its last changes are there
        return "mode=ro"
    effective = os.access in os.supports_effective_ids
    writable = all(os.access(place, os.W_OK, effective_ids=effective) for place in (path, path.parent))
    return "mode=rw" if writable else "mode=ro&immutable=1"


def _url(store: str) -> URL:
    if "://" not in store:
        url = URL.create("sqlite", database=str(Path(store).expanduser()) if store else None)
    else:
        try:
            url = make_url(store)
        except (ArgumentError, ValueError):
            right = "sqlite:///results/bench.sqlite would be one"
            raise InputError(f"the store is not a valid SQLAlchemy URL; {right}") from None
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise InputError(f"store {shown(url)}: a store is a sqlite:/// or postgresql:// database")
    in_memory = not url.database or ":memory:" in url.database or url.query.get("mode") == "memory"
    if url.get_backend_name() == "sqlite" and in_memory:
        raise InputError(f"store {shown(url)}: it would end with this process; name a file")
    return url


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says, not at the first change
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    """Transactions that write wait for their turn before they read; the write-ahead log is begun outside of any."""
    if begin := connection.get_execution_options().get("begin", "BEGIN"):
        connection.exec_driver_sql(begin)


def _is_store(connection: sa.Connection, url: URL) -> bool:
    """Whether a database is a store; False for an empty one, an InputError for another program's or version's."""
    present = sa.inspect(connection).get_table_names()
    if not present:
        return False
    rows = connection.execute(sa.select(schema.meta)).all() if schema.meta.name in present else []
    found: dict[str, str] = dict(rows)
    if found.get("program") != schema.PROGRAM:  # Optuna's tables may lie beside ours, but not alone
        raise InputError(f"store {shown(url)}: this database belongs to another program; name a new one")
    if (version := found.get("version")) != str(schema.VERSION):
        made = f"another version of mhpe-bench (its tables are of version {version}, not {schema.VERSION})"
        raise InputError(f"store {shown(url)}: made by {made}; name a new store")
    return True


def _make_tables(engine: Engine, url: URL) -> None:
    """Make the tables, unless another process did so in the meantime."""
    if engine.dialect.name == "sqlite":
        _use_write_ahead_log(engine)
    with engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        if not _is_store(connection, url):
            schema.tables.create_all(connection)
            values = {"program": schema.PROGRAM, "version": str(schema.VERSION)}
            connection.execute(sa.insert(schema.meta), [{"name": k, "value": v} for k, v in values.items()])


@patient
def _use_write_ahead_log(engine: Engine) -> None:
    with clear(engine.url), engine.execution_options(begin="").connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
