"""Runs searches in processes of this machine, and watches them."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, Protocol

from benchmark.run.leases import Leases, worker_name
from benchmark.run.runner import DEATHS, Interrupted
from benchmark.run.workers import WorkerDiedError, WorkerProcess, devices
from benchmark.search.best import label
from benchmark.search.objective import Trainings
from benchmark.search.optimizer import Optimizer, open_storage
from benchmark.search.search import Search
from benchmark.search.worker import MakeObjective, work
from benchmark.store.search_store import Point, SearchStore
from mhpe.errors import InputError

POLL_SECONDS = 1.0
EARLY_DEATHS = 3
"""So many processes that die before they take a point, while no point ends, end the run."""


class SearchReporter(Protocol):
    """Told what a search does."""

    def start(self, total: int, done: int) -> None:
        """So many points in all, so many of them ended."""

    def point(self, status: str, text: str) -> None:
        """A point has ended as done, failed or pruned."""

    def note(self, text: str) -> None:
        """Something went wrong, but no result is lost."""


def run_searches(
    searches: Sequence[Search],
    store: SearchStore,
    jobs: int,
    device: str,
    reporter: SearchReporter,
    retry_failed: bool = False,
    make_objective: MakeObjective = Trainings,
) -> list[Point]:
    """Work on searches until all of their points have ended, here or in other processes.

    Args:
        searches: to run; the study they belong to is in the store.
        store: the results store; other processes may search in it at the same time.
        jobs: number of processes.
        device: ``cpu`` or ``cuda``.
        reporter: told how far it is.
        retry_failed: whether points that failed earlier are asked for again.
        make_objective: what gives the points' values.

    Returns:
        All points.

    Raises:
        Interrupted: for a KeyboardInterrupt.
        InputError: if the store fails, or processes die again and again before they take a point.
    """
    for search in searches:
        store.add_search(
            search.key, search.study, search.preset, search.train_set, search.sampler, search.definition,
            search.config.points,
        )  # fmt: skip
    keys = [search.key for search in searches]
    if retry_failed:
        store.reset_failed(keys)
    watched = _Watched(searches, store, reporter)
    if not watched.left():
        return store.points(keys)
    processes = [
        _Process(name, (store.url, searches), (retry_failed, make_objective))
        for name in devices(device, min(jobs, watched.left()))
    ]
    try:
        _watch(processes, watched)
    except KeyboardInterrupt:
        raise Interrupted(sum(point.ended for point in store.points(keys))) from None
    finally:
        for process in processes:
            process.end(store)
    return store.points(keys)


class _Process:
    """One process that works on the searches, replaced when it dies."""

    def __init__(self, device: str, before: tuple[Any, ...], after: tuple[Any, ...]) -> None:
        self.device, self._before, self._after = device, before, after
        self._process = WorkerProcess()
        self.start()

    def start(self) -> None:
        self.worker = worker_name()
        self.future: Future[None] = self._process.submit(work, *self._before, self.worker, self.device, *self._after)

    def end(self, store: SearchStore) -> None:
        """Kill it, and give back what it had."""
        self._process.close()
        Leases(store, self.worker).give_back()


class _Watched:
    """The points, and those of them that were reported."""

    def __init__(self, searches: Sequence[Search], store: SearchStore, reporter: SearchReporter) -> None:
        self.searches = {search.key: search for search in searches}
        self.store, self.reporter = store, reporter
        self.deaths: Counter[tuple[str, int]] = Counter()
        self._early_deaths = 0
        points = store.points(self.searches)
        self._reported = {(point.search, point.number) for point in points if point.ended}
        reporter.start(len(points), len(self._reported))

    def left(self) -> int:
        """Number of points that have not ended."""
        points = self.store.points(self.searches)
        for point in points:
            place = (point.search, point.number)
            if point.ended and place not in self._reported:
                self._reported.add(place)
                self._early_deaths = 0
                self.reporter.point(point.status, self._line(point))
        return sum(not point.ended for point in points)

    def died(self, worker: str) -> None:
        """Count a process's death; a point that several die of has failed.

        Raises:
            InputError: if several in a row have died before they took a point.
        """
        places = self.store.points_of(worker)
        self._early_deaths = 0 if places else self._early_deaths + 1
        if self._early_deaths == EARLY_DEATHS:
            raise InputError(
                f"{EARLY_DEATHS} processes of the search in a row died before they took a point: they were killed, "
                "ran out of memory, or crashed; fewer --jobs may help, and the same command goes on from there"
            )
        if not places:
            self.reporter.note("a process of the search died before it took a point; starting another one")
        for place in places:
            self.deaths[place] += 1
            search, number = self.searches[place[0]], place[1]
            if self.deaths[place] < DEATHS:
                self.reporter.note(f"point {number} of {search.sampler}: its process died; trying again")
                continue
            note = f"WorkerDied: its process was killed, ran out of memory, or crashed, {DEATHS} times"
            point = next(point for point in self.store.points([search.key]) if point.number == number)
            leases = Leases(self.store)
            Optimizer(self.store, open_storage(self.store, leases), search, leases).tell(point, "failed", None)
            self.store.end_point(search.key, number, "failed", None, note, worker)

    def _line(self, point: Point) -> str:
        search = self.searches[point.search]
        name = f"point {point.number}, {label(search.sampler, point.parameters or {})}"
        if point.value is None:
            return f"{name}: {point.note}"
        return f"{name}: {search.train_set} validation {search.config.objective} {point.value:.2f}°"


def _watch(processes: list[_Process], watched: _Watched) -> None:
    while watched.left():
        done, _ = wait([process.future for process in processes], POLL_SECONDS, FIRST_COMPLETED)
        for process in processes:
            if process.future in done:
                try:
                    process.future.result()
                except WorkerDiedError:
                    watched.died(process.worker)
                    process.end(watched.store)
                    process.start()
