"""Trainings of a search's points: added to a run as the optimizer chooses the points."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import optuna
from optuna.samplers import RandomSampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from benchmark.run.runner import Reporter, Run, Workers
from benchmark.run.task import PrunedError, Watch, evaluate
from benchmark.search.points import PRUNERS, Points, clear_errors, open_storage
from benchmark.search.search import Search
from benchmark.store import Store
from benchmark.store.errors import patient
from benchmark.study.grid import Plan
from benchmark.study.search_space import SearchConfig
from benchmark.study.study import Study
from mhpe.data import HeadPoseSet
from mhpe.errors import InputError
from mhpe.model.network import Network


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
    watched: bool = False  # whether its own pruner watches this training, here
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

    def watch(self, key: str) -> Watch | None:
        """The pruner, if the search has one."""
        point = next(point for point in self.open.values() if point.key == key)
        search = point.points.search
        if search.config.pruner == "none":
            return None
        point.watched = True
        epochs = search.searched.core.epochs
        return _Pruning(
            self.store.url, search.key, point.optuna._trial_id, search.config, search.parts.validation.folder, epochs,
            len(point.values) * epochs,
        )  # fmt: skip

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
        if (reason := point.points.pruned(point.optuna.params)) is not None:
            return self._end_point(point, TrialState.PRUNED, note=reason)
        try:
            trial = search.trial(point.optuna.params, len(point.values))
        except InputError as error:  # the sampler refuses this combination of values
            return self._end_point(point, TrialState.FAIL, note=str(error))
        self.store.add_trials([trial])
        point.key, point.watched = trial.key, False
        self.plan.trials[trial.key] = trial
        self.plan.tests[trial.key] = (search.parts.validation,)
        return [trial.key]

    def _go_on(self, point: _Open) -> list[str]:
        """What follows after a training of a point."""
        search = point.points.search
        value = self.store.metric(point.key, search.parts.validation.fingerprint, search.config.objective)
        if value is None:
            if (reason := self.store.pruned(point.key)) is not None:
                if not point.watched:  # another search's pruner ended it
                    return self._begin_training(point)
                return self._end_point(point, TrialState.PRUNED, note=reason)
            failure = self.store.failures([point.key]).get(point.key)
            if failure is None and self.store.statuses([point.key]).get(point.key) != "done":
                return [point.key]  # another process has taken it again since it ended
            return self._end_point(point, TrialState.FAIL, note=failure or "it could not be evaluated")
        point.values.append(value)
        if len(point.values) < search.config.seeds:
            return self._begin_training(point)
        return self._end_point(point, TrialState.COMPLETE, sum(point.values) / len(point.values))

    def _end_point(
        self, point: _Open, state: TrialState, value: float | None = None, note: str | None = None
    ) -> list[str]:
        point.points.end(point.optuna, state, value, note)
        del self.open[point.optuna._trial_id]
        return []


_load = cache(HeadPoseSet.load)


@dataclass(frozen=True)
class _Pruning:
    """Reports the objective after every epoch, and ends a training that the pruner thinks bad; sent to its process."""

    url: str
    search: str
    trial: int
    config: SearchConfig
    validation: Path
    epochs: int
    first_step: int

    def __call__(self, epoch: int, model: Network) -> None:
        """Called after an epoch."""
        value = evaluate(model, _load(self.validation)).metrics[self.config.objective]
        if self._is_bad(self.first_step + epoch, value) and epoch < self.epochs - 1:  # the last one is paid for
            raise PrunedError(
                f"by the {self.config.pruner} pruner after epoch {epoch + 1} of {self.epochs}: "
                f"{self.config.objective} {value:.2f} on the validation part"
            )

    @patient
    def _is_bad(self, step: int, value: float) -> bool:
        store, storage = _opened(self.url)
        with clear_errors(store):
            study = optuna.load_study(
                study_name=self.search, storage=storage, sampler=RandomSampler(), pruner=PRUNERS[self.config.pruner]()
            )
            trial = optuna.Trial(study, self.trial)
            trial.report(value, step)
            return trial.should_prune()


@cache
def _opened(url: str) -> tuple[Store, RDBStorage]:
    store = Store(url)
    return store, open_storage(store)
