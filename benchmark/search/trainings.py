"""Trainings of a search's points: added to a run as the optimizer chooses the points."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from optuna.trial import FrozenTrial

from benchmark.run.runner import Reporter, Run, Workers
from benchmark.search.optimizer import Points
from benchmark.search.search import Search
from benchmark.search.storage import open_storage
from benchmark.store import Store
from benchmark.study.grid import Plan
from benchmark.study.study import Study
from mhpe.errors import InputError


def run_searches(
    study: Study,
    searches: Sequence[Search],
    store: Store,
    workers: Workers,
    reporter: Reporter,
    retry_failed: bool = False,
) -> None:
    """Work on a study's searches until all of their points have ended, here or in other processes.

    The workers are closed at the end. ``retry_failed`` means points that failed earlier, too. What was running at an
    interruption is continued by the next call.
    """
    storage = open_storage(store)
    points = [Points(store, storage, search, retry_failed) for search in searches]
    fit = {search.parts.fit.fingerprint: search.parts.fit for search in searches}
    for search in searches:
        store.add_test_set(search.parts.validation)
    plan = Plan(study, (), {}, {}, fit)
    _Searching(plan, store, workers, reporter, retry_failed, points=deque(points)).run()


@dataclass
class _Open:
    """A point that is being trained, seed after seed, here or in other processes."""

    points: Points
    optuna: FrozenTrial
    key: str = ""  # of its present training
    values: list[float] = field(default_factory=list)


@dataclass(eq=False)
class _Searching(Run):
    """A run of the trainings of points."""

    points: deque[Points] = field(default_factory=deque)  # of each search
    open: dict[int, _Open] = field(default_factory=dict)  # by the number of Optuna's trial in the store

    def more(self) -> list[str] | None:
        """Further trainings: of points that have begun, and of new points while workers have nothing to do."""
        new = [key for point in list(self.open.values()) if point.key not in self.left for key in self._go_on(point)]
        new += self._open_begun()
        idle = self.workers.size - len(self.running) - len(self.queue)
        if not new and idle > 0 and self._begin_point():
            new = self._open_begun()
        return new if self.open or new or any(points.left() for points in self.points) else None

    def counts(self) -> tuple[int, int]:
        """Number of planned trainings, and of those that have ended, in other processes, too."""
        total = sum(points.search.config.points * points.search.config.seeds for points in self.points)
        left = sum(points.left() * points.search.config.seeds for points in self.points)
        return total, total - left + sum(len(point.values) for point in self.open.values())

    def _begin_point(self) -> bool:
        """Begin a point of the next search that has one; returns whether one has."""
        for _ in range(len(self.points)):
            self.points.rotate(-1)
            if self.points[-1].begin():
                return True
        return False

    def _open_begun(self) -> list[str]:
        """Open the points that have begun, and close those that other processes have ended; returns new trainings."""
        begun = {trial._trial_id: _Open(points, trial) for points in self.points for trial in points.begun()}
        new = [number for number in begun if number not in self.open]
        self.open = {number: self.open.get(number, point) for number, point in begun.items()}
        wanted = {point.key for point in self.open.values()}
        self.left = {key: None for key in self.left if key in wanted}
        self.queue = deque(key for key in self.queue if key in wanted)
        return [key for number in new for key in self._begin_training(self.open[number])]

    def _begin_training(self, point: _Open) -> list[str]:
        """The next training of a point; none if its end is known."""
        search = point.points.search
        try:
            trial = search.trial(point.optuna.params, len(point.values))
        except InputError as error:  # the sampler refuses this combination of values
            return self._end_point(point, note=str(error))
        self.store.add_trials([trial])
        point.key = trial.key
        self.plan.trials[trial.key] = trial
        self.plan.tests[trial.key] = (search.parts.validation,)
        return [trial.key]

    def _go_on(self, point: _Open) -> list[str]:
        """What follows after a training of a point."""
        search = point.points.search
        value = self.store.metric(point.key, search.parts.validation.fingerprint, search.config.objective)
        if value is None:
            failure = self.store.failures([point.key]).get(point.key)
            if failure is None and self.store.statuses([point.key]).get(point.key) != "done":
                return [point.key]  # another process has taken it again since it ended
            return self._end_point(point, note=failure or "it could not be evaluated")
        point.values.append(value)
        if len(point.values) < search.config.seeds:
            return self._begin_training(point)
        return self._end_point(point, sum(point.values) / len(point.values))

    def _end_point(self, point: _Open, value: float | None = None, note: str | None = None) -> list[str]:
        point.points.end(point.optuna, value, note)
        del self.open[point.optuna._trial_id]
        return []
