"""Searches as the store has them: studies in Optuna's tables, which are in the same database as the store's tables.

A point is a trial there; one that is running has begun. Its trainings are trials of the store, and any process may do
them and end the point, so nothing is lost when the process that began it dies. The ``note`` of a trial says why it
failed. A failed trial is repeated, when that is wanted, by a further one with the same parameters; both are one point.
"""

import logging
import warnings
import weakref
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

import optuna
import sqlalchemy as sa
from filelock import FileLock
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from benchmark.search.points import Point, StoredSearch
from benchmark.store import Store
from benchmark.store.database import BUSY_SECONDS
from benchmark.store.errors import clear, patient

LOCK = 0x6D687066  # number of the advisory lock on PostgreSQL


@contextmanager
def lock(store: Store) -> Iterator[None]:
    """Context that one process at a time is in, of all that use the store."""
    with store.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            with connection.begin():
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
                yield
            return
        file = connection.exec_driver_sql("PRAGMA database_list").all()[0][2]
    with FileLock(f"{file}.lock"):
        yield


@contextmanager
def clear_errors(store: Store) -> Iterator[None]:
    """Context that turns errors of the database, raised through Optuna, into those of the store."""
    with clear(store.engine.url), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a feature is experimental
        try:
            yield
        except StorageInternalError as error:
            if isinstance(error.__cause__, sa.exc.SQLAlchemyError):
                raise error.__cause__ from None
            raise


@patient
def open_storage(store: Store) -> RDBStorage:
    """Optuna's tables in a store, made if they are missing."""
    optuna.logging.set_verbosity(logging.WARNING)
    arguments = {"timeout": BUSY_SECONDS} if store.engine.dialect.name == "sqlite" else {}
    url = store.engine.url.render_as_string(hide_password=False)
    with clear_errors(store), lock(store):
        storage = RDBStorage(url, {"connect_args": arguments, "pool_pre_ping": True})
    weakref.finalize(store, storage.engine.dispose)  # after which SQLite leaves one file
    return storage


@contextmanager
def existing_storage(store: Store) -> Iterator[RDBStorage | None]:
    """Context with Optuna's tables in a store, to be read; None if there are none."""
    with clear_errors(store):
        with store.reading() as connection:
            # The row that Optuna writes last of its tables: a storage opened before it is there would write it, too.
            version = sa.text("SELECT version_num FROM alembic_version")
            made = sa.inspect(connection).has_table("alembic_version") and connection.scalar(version)
        if not made:
            yield None
            return
        # The store's connections, as they may be of a kind that leaves no file behind.
        url, pool = store.engine.url.render_as_string(hide_password=False), {"pool": store.engine.pool}
        storage = RDBStorage(url, pool, skip_compatibility_check=True, skip_table_creation=True)
        try:
            yield storage
        finally:
            storage.remove_session()


def load_searches(store: Store, study: str) -> list[StoredSearch]:
    """All searches of a study, in the order in which they were begun."""
    with existing_storage(store) as storage:
        if storage is None:
            return []
        found = storage.get_all_studies()
        own = [each for each in found if each.user_attrs.get("definition", {}).get("study") == study]
        searches = []
        for each in sorted(own, key=lambda each: each.user_attrs["begun"]):
            points = tuple(_points(storage.get_all_trials(each._study_id)))
            total = max(len(points), each.user_attrs.get("points", 0))
            searches.append(StoredSearch(each.study_name, each.user_attrs["definition"], points, total))
        return searches


def copy_searches(source: Store, target: Store, studies: Collection[str] = ()) -> tuple[int, int]:
    """Copy the searches, of these studies or of all, that another store does not have; those that it has stay.

    Returns:
        How many searches were copied, and how many the target keeps as they are.
    """
    with existing_storage(source) as found:
        if found is None:
            return 0, 0
        there = open_storage(target)
        searches = [
            each._study_id
            for each in found.get_all_studies()
            if (made := each.user_attrs.get("definition")) and (not studies or made["study"] in studies)
        ]
        copied = sum(_copy_search(found, search, target, there) for search in searches)
        return copied, len(searches) - copied


@patient
def _copy_search(source: RDBStorage, study: int, target: Store, storage: RDBStorage) -> bool:
    """Copy a search that the target does not have; returns whether it was copied."""
    name, attributes = source.get_study_name_from_id(study), source.get_study_user_attrs(study)
    with clear_errors(target), lock(target):
        for present in storage.get_all_studies():
            if present.study_name == name:
                if "definition" in present.user_attrs:  # which is stored last: without it, a copy was interrupted
                    return False
                storage.delete_study(present._study_id)
        number = storage.create_new_study(source.get_study_directions(study), name)
        for trial in source.get_all_trials(study):
            storage.create_new_trial(number, trial)
        for each in sorted(attributes, key="definition".__eq__):
            storage.set_study_user_attr(number, each, attributes[each])
        return True


def last_attempts(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """The last trial of each point, in the order of the points."""
    return list({point_of(trial): trial for trial in trials}.values())


def point_of(trial: FrozenTrial) -> int:
    """Number of the first trial of the same point."""
    return int(trial.user_attrs.get("point", trial.number))


def _points(trials: Iterable[FrozenTrial]) -> list[Point]:
    # An earlier version pruned points, and says so in their notes.
    names = {TrialState.COMPLETE: "done", TrialState.PRUNED: "failed", TrialState.RUNNING: "running"}
    points = []
    for number, trial in enumerate(last_attempts(trials)):
        note = trial.user_attrs.get("note")
        status = "failed" if trial.state == TrialState.FAIL and note else names.get(trial.state, "waiting")
        points.append(Point(number, status, trial.params, trial.value if status == "done" else None, note))
    return points
