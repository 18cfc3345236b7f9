"""Opening a store: to read only, at once, and messages for databases that cannot be used."""

import logging
import multiprocessing
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import optuna
import pytest

from benchmark.store import Store
from benchmark.store.database import open_engine
from benchmark.store.errors import NoStoreError
from mhpe.errors import InputError
from tests.benchmark.conftest import Bench
from tests.benchmark.postgres import PASSWORD, Cluster
from tests.benchmark.store.test_store import TRIAL, make_test_set, outcome, planned


@pytest.fixture
def full_store(tmp_path: Path) -> Path:
    """A closed SQLite store with a finished trial."""
    path = tmp_path / "full" / "results.sqlite"
    filled(str(path)).engine.dispose()
    return path


def filled(url: str) -> Store:
    """A store with a finished trial."""
    store = Store(url)
    store.add_test_set(make_test_set(4))
    store.plan("study", {"title": "A study"}, [planned()], [TRIAL])
    store.finish(outcome())
    return store


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


@pytest.mark.slow
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


def open_at_once(url: str, start: float) -> str:
    time.sleep(max(0, start - time.time()))
    return Store(url).shown


def test_several_processes_may_open_a_new_store_at_once(store_url: str) -> None:
    with ProcessPoolExecutor(3, multiprocessing.get_context("fork")) as processes:
        opened = [processes.submit(open_at_once, store_url, time.time() + 0.3) for _ in range(3)]
        assert len({process.result() for process in opened}) == 1
    assert Store(store_url).studies() == {}


def of_another_version(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE bench_meta SET value = '999' WHERE name = 'version'")


def of_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE trials (x)")


def of_another_program_with_meta(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE meta (something, different)")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def no_database(path: Path) -> None:
    path.write_bytes(b"this is no database at all, but long enough to look at" * 50)


@pytest.mark.parametrize("verb", ["report", "run"])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            of_another_version,
            "made by another version of mhpe-bench (its tables are of version 999, not 1); name a new store",
        ),
        (of_another_program, "this database belongs to another program; name a new one"),
        (of_another_program_with_meta, "this database belongs to another program; name a new one"),
        (truncated, "database disk image is malformed; the file is damaged; restore a copy of it or name a new store"),
        (no_database, "file is not a database; name a new store"),
    ],
)
def test_unusable_files_are_named_and_left_alone(
    bench: Bench, full_store: Path, damage, message: str, verb: str
) -> None:
    damage(full_store)
    before, files = full_store.read_bytes(), sorted(full_store.parent.iterdir())
    result = bench(verb, "--store", f"sqlite:///{full_store}", *(["--study", "gaussian_sigma"] * (verb == "run")))
    assert (result.status, result.err) == (2, f"bench: store sqlite:///{full_store}: {message}\n")
    assert full_store.read_bytes() == before
    assert sorted(full_store.parent.iterdir()) == files


@pytest.mark.parametrize("full", [True, False])
def test_writing_in_a_read_only_folder_is_refused(full_store: Path, full: bool) -> None:
    with write_protected(full_store) as path:
        if not full:
            path = path.with_name("new.sqlite")
        with as_a_user_without_rights(), pytest.raises(InputError, match=r"be writable") as error:
            Store(str(path)).claim("0" * 20, "me", 60)
        assert "\n" not in str(error.value)


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.endswith("-shm")}


@contextmanager
def write_protected(store: Path) -> Iterator[Path]:
    """A copy of a store, and of the files beside it, where nobody may write; asserts that it stays as it is."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in store.parent.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
            (folder / file.name).chmod(0o444)
        folder.chmod(0o555)
        before, names = files(folder), sorted(folder.iterdir())
        yield folder / store.name
        assert (files(folder), sorted(folder.iterdir())) == (before, names)
        folder.chmod(0o755)


def test_write_protected_store_is_read(full_store: Path) -> None:
    with write_protected(full_store) as path, as_a_user_without_rights():
        store = Store(str(path), read_only=True)
        assert store.results("study")["mae"].tolist() == [5.0]
        assert store.find_trial(TRIAL.key[:4]).status == "done"
        with pytest.raises(InputError):
            store.claim(TRIAL.key, "me", 60)
        store.engine.dispose()


def test_last_changes_of_a_killed_process_are_read_without_rights_to_write(tmp_path: Path) -> None:
    path = tmp_path / "killed" / "results.sqlite"
    child = multiprocessing.get_context("fork").Process(target=lambda: (filled(str(path)), os._exit(0)))
    child.start()
    child.join()
    assert Path(f"{path}-wal").stat().st_size > 0
    with write_protected(path) as protected, as_a_user_without_rights():
        store = Store(str(protected), read_only=True)
        assert store.results("study")["mae"].tolist() == [5.0]
        store.engine.dispose()


def test_reading_leaves_no_file(full_store: Path) -> None:
    before = sorted(full_store.parent.iterdir())
    store = Store(str(full_store), read_only=True)
    assert list(store.studies()) == ["study"]
    with pytest.raises(InputError, match="readonly"):
        store.release("me")
    store.engine.dispose()
    assert sorted(full_store.parent.iterdir()) == before


def test_an_empty_database_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "copied.sqlite").touch()
    with pytest.raises(NoStoreError, match=r"no store at .*; this database is empty"):
        Store(str(tmp_path / "copied.sqlite"), read_only=True)


def test_there_is_nothing_to_read_in_a_store_that_does_not_exist(store_url: str, tmp_path: Path) -> None:
    with pytest.raises(NoStoreError, match=r"no store at .*; bench run makes one"):
        Store(store_url, read_only=True)
    empty = Store(store_url, read_only=True, or_empty=True)
    assert empty.studies() == {}
    assert empty.results("study").empty
    assert list(tmp_path.iterdir()) == []
    Store(store_url)
    assert Store(store_url, read_only=True).studies() == {}


def test_read_only_store_on_a_server_is_not_changed(postgres_cluster: Cluster) -> None:
    url = postgres_cluster.new_database()
    filled(url)
    store = Store(url, read_only=True)
    assert store.results("study")["mae"].tolist() == [5.0]
    with pytest.raises(InputError, match="read-only transaction"):
        store.release("me")


def test_a_snapshot_is_of_one_moment(store_url: str) -> None:
    writing = Store(store_url)
    reading = Store(store_url, read_only=True)
    with reading.snapshot():
        assert reading.studies() == {}
        writing.plan("study", {"title": "A study"}, [planned()], [TRIAL])
        assert reading.studies() == {}
        assert reading.statuses([TRIAL.key]) == {}
    assert list(reading.studies()) == ["study"]


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


@pytest.mark.slow
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
