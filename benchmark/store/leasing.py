"""Who is at a trial: claims, their leases, and whose end of a trial counts."""

from collections.abc import Iterable
from typing import Any, ClassVar, cast

import sqlalchemy as sa

from benchmark.store import schema
from benchmark.store.base import StoreBase
from benchmark.store.problems import patient


def may_end(columns: Any, worker: str | None, result: bool) -> sa.ColumnElement[bool]:
    """Whether a worker's end of a trial or point counts: a result unless there is one, all else while it has it."""
    if result:
        ours = columns.status != "done"
    elif worker is None:
        ours = columns.status.not_in(("running", "done"))
    else:
        ours = (columns.status == "running") & (columns.worker == worker)
    return cast("sa.ColumnElement[bool]", ours)


class Leasing(StoreBase):
    """The part of a store that is about claims.

    Attributes:
        leased: tables whose rows a worker can have; :class:`benchmark.run.leases.Leases` keeps them for it.
    """

    leased: ClassVar[tuple[sa.Table, ...]] = (schema.trials,)

    @patient
    def claim(self, key: str, worker: str, lease_seconds: float, retry_failed: bool = False) -> bool:
        """Take a trial that waits, was pruned, or whose worker's lease has ended. Of several callers one succeeds."""
        with self.writing() as connection:
            taken = (  # made here: its clock must not run while the transaction waits for its turn
                sa.update(schema.trials)
                .where(schema.trials.c.key == key, self._free(worker, retry_failed))
                .values(status="running", worker=worker, started=self._now, lease_until=self._now + lease_seconds)
            )
            return connection.execute(taken).rowcount == 1

    @patient
    def takeable(self, keys: Iterable[str], worker: str, retry_failed: bool = False) -> set[str]:
        """Those of some trials that a claim would take now, and those that are done."""
        t = schema.trials.c
        free = self._free(worker, retry_failed) | (t.status == "done")
        with self.reading() as connection:
            return set(connection.execute(sa.select(t.key).where(t.key.in_(list(keys)), free)).scalars())

    def _free(self, worker: str, retry_failed: bool) -> sa.ColumnElement[bool]:
        """Whether a worker may take a trial. Its own are free to it, as the answer to a claim can be lost."""
        t = schema.trials.c
        left = (t.status == "running") & ((t.lease_until < self._now) | (t.worker == worker))
        free = [t.status.in_(("waiting", "pruned")), left]
        return sa.or_(*free, t.status == "failed") if retry_failed else sa.or_(*free)

    def extend_leases(self, worker: str, lease_seconds: float) -> None:
        """Keep all that a worker has from being taken by another one."""
        with self.writing() as connection:
            for table in self.leased:
                held = sa.update(table).where(_held(table, worker))
                connection.execute(held.values(lease_until=self._now + lease_seconds))

    def release(self, worker: str) -> None:
        """Give back all that a worker has, so that another one need not wait for the end of the lease."""
        with self.writing() as connection:
            for table in self.leased:
                back = {"worker": None, "lease_until": None} | ({"status": "waiting"} if "status" in table.c else {})
                connection.execute(sa.update(table).where(_held(table, worker)).values(back))


def _held(table: sa.Table, worker: str) -> sa.ColumnElement[bool]:
    """Whether a worker has a row."""
    held = table.c.worker == worker
    return held & (table.c.status == "running") if "status" in table.c else held
