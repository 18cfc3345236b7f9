"""What searches do with the store: taking, ending and reading points, and locks."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from benchmark.store import schema
from benchmark.store.errors import patient
from benchmark.store.store import Store, free, lease, lease_ended, may_end
from mhpe.errors import InputError

LOCK_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Point:
    """One parameter value of a search.

    Attributes:
        search: key of the search.
        number: from 0.
        status: waiting, running, done, failed or pruned.
        optuna_number: of Optuna's trial; None before Optuna was asked.
        parameters: that Optuna suggested, those of a failed point that is tried again included.
        value: of the objective, degrees; None before the end, or if there is none.
        note: why it was pruned or has failed.
    """

    search: str
    number: int
    status: str
    optuna_number: int | None
    parameters: dict[str, Any] | None
    value: float | None
    note: str | None

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do."""
        return self.status in ("done", "failed", "pruned")


class SearchStore(Store):
    """A results store with the points of searches."""

    leased = (*Store.leased, schema.points, schema.locks)

    @patient
    def add_search(
        self,
        key: str,
        study: str,
        preset: str,
        train_set: str,
        sampler: str,
        definition: Mapping[str, Any],
        points: int,
    ) -> None:
        """Write down a search and its points, unless they are there.

        Of more points than that, those that have ended or that a live process is at stay. The others go; what Optuna
        suggested for them it suggests again should there be more points later.
        """
        row = {"key": key, "study": study, "preset": preset, "train_set": train_set, "sampler": sampler}
        with self.writing() as connection:
            now = connection.execute(sa.select(self._now)).scalar_one()
            self._insert_new(schema.searches, [row | {"definition": dict(definition), "created": now}], connection)
            new = [{"search": key, "number": number, "status": "waiting"} for number in range(points)]
            self._insert_new(schema.points, new, connection)
            self._delete_surplus(key, points, connection)

    def _delete_surplus(self, search: str, points: int, connection: sa.Connection) -> None:
        """Delete points that nobody is at until so many are left, first those that have no parameters yet."""
        p = schema.points.c
        here = p.search == search
        surplus = connection.execute(sa.select(sa.func.count()).where(here)).scalar_one() - points
        free = (p.status == "waiting") | ((p.status == "running") & (p.lease_until < self._now))
        order = (p.parameters.is_not(None), p.number.desc())
        last = sa.select(p.number).where(here, free).order_by(*order).limit(max(0, surplus))
        connection.execute(sa.delete(schema.points).where(here, free, p.number.in_(last)))

    @patient
    def points(self, searches: Iterable[str]) -> list[Point]:
        """All points of some searches, by number."""
        p = schema.points.c
        query = sa.select(*(p[name] for name in Point.__dataclass_fields__)).where(p.search.in_(list(searches)))
        with self.reading() as connection:
            return [Point(*row) for row in connection.execute(query.order_by(p.number, p.search))]

    @patient
    def claim_point(self, searches: Iterable[str], worker: str, lease_seconds: float) -> Point | None:
        """Take the first point that waits, or whose worker's lease has ended. Of several callers one gets it."""
        p = schema.points.c
        ours = sa.select(p.search, p.number).where(p.search.in_(list(searches)))
        with self.writing() as connection:  # what follows reads the clock, which must not run while this waits
            untaken = free(schema.points, worker, self._now)
            first = ours.where(untaken).order_by(p.number, p.search).limit(1)
            values = lease(worker, self._now, lease_seconds) | {"status": "running"}
            if connection.dialect.name == "postgresql":
                first = first.with_for_update(skip_locked=True)
            row = connection.execute(first).one_or_none()
            if row is None:
                return None
            here = (p.search == row.search) & (p.number == row.number)
            connection.execute(sa.update(schema.points).where(here).values(values))
            found = connection.execute(sa.select(*(p[name] for name in Point.__dataclass_fields__)).where(here))
            return Point(*found.one())

    @patient
    def set_asked(self, search: str, number: int, optuna_number: int, parameters: Mapping[str, Any]) -> None:
        """Write down what Optuna suggested for a point."""
        self._change(search, number, {"optuna_number": optuna_number, "parameters": dict(parameters)})

    @patient
    def end_point(
        self,
        search: str,
        number: int,
        status: str,
        value: float | None,
        note: str | None,
        worker: str | None = None,
    ) -> None:
        """Write down a point's end, as :meth:`finish` does a trial's: only a value counts from whoever has it not."""
        p = schema.points.c
        values = {"status": status, "value": value, "note": note, "lease_until": None, "finished": self._now}
        here = (p.search == search) & (p.number == number) & may_end(p, worker, status == "done")
        with self.writing() as connection:
            connection.execute(sa.update(schema.points).where(here).values(values))

    @patient
    def reset_failed(self, searches: Iterable[str]) -> None:
        """Let points that have failed be tried again, with the same parameters and a new trial of Optuna's."""
        p = schema.points.c
        again = sa.update(schema.points).where(p.search.in_(list(searches)), p.status == "failed")
        with self.writing() as connection:
            connection.execute(again.values(status="waiting", optuna_number=None, note=None))

    def _change(self, search: str, number: int, values: dict[str, Any]) -> None:
        p = schema.points.c
        here = sa.update(schema.points).where(p.search == search, p.number == number)
        with self.writing() as connection:
            connection.execute(here.values(values))

    @patient
    def points_of(self, worker: str) -> list[tuple[str, int]]:
        """Search and number of the points that a worker is at."""
        p = schema.points.c
        query = sa.select(p.search, p.number).where(p.worker == worker, p.status == "running")
        with self.reading() as connection:
            return [(search, number) for search, number in connection.execute(query)]

    @contextmanager
    def lock(self, name: str, worker: str, lease_seconds: float) -> Iterator[None]:
        """Context that one worker at a time is in; the lock of a dead worker opens when its lease ends."""
        with self.writing() as connection:
            self._insert_new(schema.locks, [{"name": name}], connection)
        while not self._take_lock(name, worker, lease_seconds):
            time.sleep(LOCK_POLL_SECONDS)
        try:
            yield
        finally:
            with suppress(InputError):  # it opens by itself
                self._open_lock(name, worker)

    @patient
    def _take_lock(self, name: str, worker: str, lease_seconds: float) -> bool:
        k = schema.locks.c
        with self.writing() as connection:
            untaken = k.worker.is_(None) | lease_ended(k, worker, self._now)
            taken = sa.update(schema.locks).where(k.name == name, untaken)
            return connection.execute(taken.values(lease(worker, self._now, lease_seconds))).rowcount == 1

    @patient
    def _open_lock(self, name: str, worker: str) -> None:
        k = schema.locks.c
        opened = sa.update(schema.locks).where(k.name == name, k.worker == worker)
        with self.writing() as connection:
            connection.execute(opened.values(worker=None, lease_until=None))
