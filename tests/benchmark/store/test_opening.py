"""Opening a store: migration, refusal, and what is said of databases that cannot be used."""

import logging
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import optuna
import pytest
import sqlalchemy as sa

from benchmark.store import Store, schema
from benchmark.store.database import open_engine
from mhpe.errors import InputError
from tests.benchmark.conftest import Bench
from tests.benchmark.postgres import PASSWORD, Cluster

VERSION_1 = Path(__file__).parents[1] / "stores" / "version_1.sql"
"""A store of schema version 1: two finished and two failed trials."""
OLD_TABLES = ("studies", "planned", "test_sets", "trials", "epochs", "weights", "evaluations", "predictions")


@pytest.fixture
def old_store(tmp_path: Path) -> Path:
    path = tmp_path / "old.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_1.read_text())
    connection.close()
    return path


def rows(path: Path) -> dict[str, list[dict]]:
    """Rows of the tables of version 1 under their names of then, without what a migration adds."""
    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        present = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        names = {table: f"bench_{table}" if f"bench_{table}" in present else table for table in OLD_TABLES}
        return {
            table: [
                {name: value for name, value in dict(row).items() if name != "diagnostics"}
                for row in connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2")
            ]
            for table, name in names.items()
        }


@contextmanager
def as_a_user_without_rights() -> Iterator[None]:
    """What root may do says nothing about permissions."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_older_store_opens_and_keeps_its_rows(old_store: Path, bench: Bench) -> None:
    before = rows(old_store)
    store = Store(str(old_store))
    assert len(store.results("tiny").dropna(subset="mae")) == 2
    assert rows(old_store) == before
    assert len(before["trials"]) == 4
    report = bench("report", "--store", f"sqlite:///{old_store}")
    assert report.status == 0
    assert "NotFiniteError (seed 0, 1)" in Path("results/report/tables/tiny.csv").read_text()


@pytest.mark.parametrize(
    "place",
    [":memory:", "", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true",
     "sqlite:///file:name?mode=memory&cache=shared&uri=true"],
)  # fmt: skip
def test_store_in_memory_is_refused(place: str) -> None:
    with pytest.raises(InputError, match=r"^store sqlite://.*: it would end with this process; name a file$"):
        open_engine(place)


def test_wrong_option_of_a_url_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^store .*: an option of the URL is wrong: could not convert .*'abc'$"):
        open_engine(f"sqlite:///{tmp_path}/new.sqlite?timeout=abc")


def columns(engine: sa.Engine) -> dict[str, set[str]]:
    return {
        table: {column["name"] for column in sa.inspect(engine).get_columns(table)} for table in schema.tables.tables
    }


def index_names(engine: sa.Engine) -> set[str | None]:
    inspector = sa.inspect(engine)
    return {
        index["name"]
        for table in schema.tables.tables
        for index in [*inspector.get_indexes(table), inspector.get_pk_constraint(table)]
    }


def test_migrated_store_has_the_tables_of_a_new_one(old_store: Path, tmp_path: Path) -> None:
    migrated, new = Store(str(old_store)).engine, Store(str(tmp_path / "new.sqlite")).engine
    assert columns(migrated) == columns(new)
    assert index_names(migrated) == index_names(new)
    assert set(sa.inspect(migrated).get_table_names()) == set(schema.tables.tables)
    with migrated.connect() as connection:
        assert connection.execute(sa.text("PRAGMA foreign_key_check")).all() == []
        assert connection.execute(sa.text("PRAGMA integrity_check")).scalar_one() == "ok"


def test_migration_on_postgresql(postgres_cluster: Cluster) -> None:
    url = postgres_cluster.new_database()
    new = Store(url)
    tables, indexes = columns(new.engine), index_names(new.engine)
    with new.engine.begin() as connection:
        for table in ("meta", *OLD_TABLES):
            connection.execute(sa.text(f"ALTER TABLE bench_{table} RENAME TO {table}"))
            connection.execute(sa.text(f"ALTER INDEX bench_{table}_pkey RENAME TO {table}_pkey"))
        connection.execute(sa.text("ALTER INDEX ix_bench_trials_status RENAME TO ix_trials_status"))
        connection.execute(sa.text("ALTER TABLE trials DROP COLUMN diagnostics"))
        connection.execute(sa.text("UPDATE meta SET value = '1' WHERE name = 'schema_version'"))
        connection.execute(sa.text("INSERT INTO studies VALUES ('kept', '{}')"))
    again = Store(url)
    assert list(again.studies()) == ["kept"]
    assert (columns(again.engine), index_names(again.engine)) == (tables, indexes)


def test_optunas_tables_lie_beside_ours(store_url: str) -> None:
    storage = Store(store_url).engine.url.render_as_string(hide_password=False)
    study = optuna.create_study(storage=storage, study_name="theirs")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    again = Store(store_url)
    assert again.studies() == {}
    assert len(optuna.load_study(study_name="theirs", storage=storage).trials) == 2


def test_optunas_tables_alone_are_another_programs(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/theirs.sqlite"
    optuna.create_study(storage=url)
    with pytest.raises(InputError, match="this database belongs to another program"):
        Store(url)


@pytest.mark.parametrize("old", [False, True])
def test_several_processes_may_open_a_new_or_old_store_at_once(store_url: str, old_store: Path, old: bool) -> None:
    if old and not store_url.startswith("sqlite"):
        pytest.skip("the older store is an SQLite file")
    url = f"sqlite:///{old_store}" if old else store_url
    with ThreadPoolExecutor(8) as threads:
        engines = list(threads.map(open_engine, [url] * 8))
    for engine in engines:
        with engine.connect() as connection:
            version = connection.execute(
                sa.text("SELECT value FROM bench_meta WHERE name = 'schema_version'")
            ).scalar_one()
            assert version == str(schema.SCHEMA_VERSION)


def newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE name = 'schema_version'")


def of_another_program(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE trials (x)")


def of_another_program_with_meta(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE meta (something, different)")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def no_database(path: Path) -> None:
    path.write_bytes(b"this is no database at all, but long enough to look at" * 50)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (newer, "its schema has version 999, this program knows up to 3; a newer version of mhpe-bench would open it"),
        (of_another_program, "this database belongs to another program; name a new one"),
        (of_another_program_with_meta, "this database belongs to another program; name a new one"),
        (truncated, "database disk image is malformed; the file is damaged; restore a copy of it or name a new store"),
        (no_database, "file is not a database; name a new store"),
    ],
)
def test_unusable_files_are_named_and_left_alone(bench: Bench, old_store: Path, damage, message: str) -> None:
    damage(old_store)
    before, files = old_store.read_bytes(), sorted(old_store.parent.iterdir())
    result = bench("report", "--store", f"sqlite:///{old_store}")
    assert (result.status, result.err) == (2, f"bench: store sqlite:///{old_store}: {message}\n")
    assert old_store.read_bytes() == before
    assert sorted(old_store.parent.iterdir()) == files


@pytest.mark.parametrize("version", [1, schema.SCHEMA_VERSION, None])
def test_read_only_folder_is_named_and_left_alone(old_store: Path, version: int | None) -> None:
    if version == schema.SCHEMA_VERSION:
        Store(str(old_store)).engine.dispose()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.sqlite"
        if version is not None:
            path.write_bytes(old_store.read_bytes())
        Path(folder).chmod(0o555)
        before = {file.name: file.read_bytes() for file in Path(folder).iterdir()}
        with as_a_user_without_rights(), pytest.raises(InputError, match=r"be writable") as error:
            Store(str(path)).claim("0" * 20, "me", 60)
        assert "\n" not in str(error.value)
        assert {file.name: file.read_bytes() for file in Path(folder).iterdir()} == before
        Path(folder).chmod(0o755)


@pytest.mark.parametrize("place", ["userinfo", "option"])
def test_wrong_password_is_said_and_not_shown(postgres_cluster: Cluster, bench: Bench, caplog, place: str) -> None:
    url = postgres_cluster.url("postgres", "wr0ng-word")
    if place == "option":
        url = url.replace(":wr0ng-word", "") + "?password=wr0ng-word"
    with caplog.at_level(logging.DEBUG):
        result = bench("report", "--store", url)
    assert result.status == 2
    assert result.err.startswith("bench: store postgresql+psycopg://bench")
    assert "password authentication failed" in result.err
    assert result.err.count("\n") == 1
    assert "wr0ng-word" not in result.err + result.out + caplog.text


def test_passwords_are_not_in_the_report(postgres_cluster: Cluster, bench: Bench, tiny_study: Path, data_root) -> None:
    url = postgres_cluster.new_database()
    run = bench("run", "--study", tiny_study, "--data-root", data_root, "--seeds", 1, "--arm", "random", "--store", url)
    assert run.status == 0, run.err
    report = bench("report", "--store", url)
    assert report.status == 0
    assert PASSWORD not in run.out + run.err + report.out + report.err
    written = [path.read_bytes() for path in Path("results/report").rglob("*") if path.is_file()]
    assert written
    assert not any(PASSWORD.encode() in content for content in written)


def test_server_that_is_not_there_is_named(bench: Bench) -> None:
    result = bench("report", "--store", "postgresql://bench:secret@127.0.0.1:9/x")
    assert result.status == 2
    assert "Connection refused" in result.err
    assert "secret" not in result.err
