"""Trainings of a search's points: added to a run as the optimizer chooses the points."""

from collections import deque
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import optuna
from optuna.samplers import RandomSampler
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from benchmark.run.leases import repeated
from benchmark.run.runner import Reporter, Workers, run
from benchmark.run.task import PrunedError, Watch, evaluate
from benchmark.search.points import PRUNERS, Points, clear_errors, open_storage
from benchmark.search.search import Search
from benchmark.store import Store
from benchmark.store.errors import patient
from benchmark.study.grid import Plan
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

    The workers are closed at the end. ``retry_failed`` means points that failed earlier, too.

    Raises:
        Interrupted: for a KeyboardInterrupt. What was running is tried again by the next call.
        InputError: if the store fails, or the workers are gone.
    """
    storage = open_storage(store)
    points = [Points(store, storage, search) for search in searches]
    for each in points if retry_failed else ():
        each.retry_failed()
    trainings = _Trainings(study, points, store, workers)
    with trainings.held(storage):
        run(trainings.plan, store, workers, reporter, retry_failed, trainings)


@dataclass
class _Open:
    """A point that is being trained, seed after seed."""

    points: Points
    optuna: optuna.Trial
    key: str = ""  # of its present training
    watched: bool = False  # whether its own pruner watches this training
    values: list[float] = field(default_factory=list)


class _Trainings:
    """Feeds :func:`benchmark.run.runner.run`."""

    def __init__(self, study: Study, points: list[Points], store: Store, workers: Workers) -> None:
        self._points, self._store, self._workers = deque(points), store, workers
        self._open: list[_Open] = []
        fit = {each.search.parts.fit.fingerprint: each.search.parts.fit for each in points}
        self.plan = Plan(study, (), {}, {}, fit)
        self.total = sum(each.search.config.points * each.search.config.seeds for each in points)
        self._count()
        for each in points:
            store.add_test_set(each.search.parts.validation)

    def more(self, left: Container[str]) -> list[str] | None:
        """Further trainings: of points that have some left, and of new points while there are free workers."""
        new = [key for point in list(self._open) if point.key not in left for key in self._go_on(point)]
        while len(self._open) < self._workers.size and (point := self._take()):
            self._open.append(point)
            new += self._begin(point)
        go_on = self._count() or self._open or new
        return new if go_on else None

    def _count(self) -> int:
        """Count the ended trainings, other processes' included; returns how many are of points that have not ended."""
        left = sum(each.left() * each.search.config.seeds for each in self._points)
        self.done = self.total - left + sum(len(point.values) for point in self._open)
        return left

    def watch(self, key: str) -> Watch | None:
        """The pruner, if the search has one."""
        point = next(point for point in self._open if point.key == key)
        search = point.points.search
        if search.config.pruner == "none":
            return None
        point.watched = True
        epochs = search.searched.core.epochs
        return _Pruning(
            self._store.url, search.key, point.optuna._trial_id, search.config.pruner, search.config.objective,
            search.parts.validation.folder, epochs, len(point.values) * epochs,
        )  # fmt: skip

    def _take(self) -> _Open | None:
        """A point of the next search that has one."""
        for _ in range(len(self._points)):
            points = self._points[0]
            self._points.rotate(-1)
            if (trial := points.take()) is not None:
                return _Open(points, trial)
        return None

    def _begin(self, point: _Open) -> list[str]:
        """The next training of a point; none if its end is known."""
        search = point.points.search
        if (reason := point.points.pruned(point.optuna.params)) is not None:
            return self._end(point, TrialState.PRUNED, note=reason)
        try:
            trial = search.trial(point.optuna.params, len(point.values))
        except InputError as error:  # the sampler refuses this combination of values
            return self._end(point, TrialState.FAIL, note=str(error))
        self._store.add_trials([trial])
        point.key, point.watched = trial.key, False
        self.plan.trials[trial.key] = trial
        self.plan.tests[trial.key] = (search.parts.validation,)
        return [trial.key]

    def _go_on(self, point: _Open) -> list[str]:
        """What follows after a training of a point."""
        search = point.points.search
        value = self._store.metric(point.key, search.parts.validation.fingerprint, search.config.objective)
        if value is None:
            if (reason := self._store.pruned(point.key)) is not None:
                if not point.watched:  # another search's pruner ended it
                    return self._begin(point)
                return self._end(point, TrialState.PRUNED, note=reason)
            failure = self._store.failures([point.key]).get(point.key, "it could not be evaluated")
            return self._end(point, TrialState.FAIL, note=failure)
        point.values.append(value)
        if len(point.values) < search.config.seeds:
            return self._begin(point)
        return self._end(point, TrialState.COMPLETE, sum(point.values) / len(point.values))

    def _end(self, point: _Open, state: TrialState, value: float | None = None, note: str | None = None) -> list[str]:
        point.points.end(point.optuna, state, value, note)
        self._open.remove(point)
        return []

    @contextmanager
    def held(self, storage: RDBStorage) -> Iterator[None]:
        """Context in which no other process takes the open points; at its end all may."""

        def beat() -> None:
            for point in list(self._open):
                storage.record_heartbeat(point.optuna._trial_id)

        try:
            with repeated(float(storage.heartbeat_interval or 1), beat):
                yield
        finally:
            with suppress(InputError):  # without the store the heartbeats end by themselves
                for point in self._open:
                    point.points.end(point.optuna, TrialState.FAIL)


@dataclass(frozen=True)
class _Pruning:
    """Reports the objective after every epoch, and ends a training that the pruner thinks bad; sent to its process."""

    url: str
    search: str
    trial: int
    pruner: str
    metric: str
    validation: Path
    epochs: int
    first_step: int

    def __call__(self, epoch: int, model: Network) -> None:
        """Called after an epoch."""
        value = evaluate(model, _validation(self.validation)).metrics[self.metric]
        if self._is_bad(self.first_step + epoch, value) and epoch < self.epochs - 1:  # the last one is paid for
            raise PrunedError(
                f"by the {self.pruner} pruner after epoch {epoch + 1} of {self.epochs}: "
                f"{self.metric} {value:.2f} on the validation part"
            )

    @patient
    def _is_bad(self, step: int, value: float) -> bool:
        store, storage = _opened(self.url)
        with clear_errors(store):
            study = optuna.load_study(
                study_name=self.search, storage=storage, sampler=RandomSampler(), pruner=PRUNERS[self.pruner]()
            )
            if step not in storage.get_trial(self.trial).intermediate_values:
                storage.set_trial_intermediate_value(self.trial, step, value)
            return bool(study.pruner.prune(study, storage.get_trial(self.trial)))


@cache
def _opened(url: str) -> tuple[Store, RDBStorage]:
    store = Store(url)
    return store, open_storage(store)


@cache
def _validation(folder: Path) -> HeadPoseSet:
    return HeadPoseSet.load(folder)
