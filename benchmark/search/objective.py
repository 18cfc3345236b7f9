"""The value of a point: the mean error on the validation part over the point's seeds."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from benchmark.run.leases import Leases
from benchmark.run.task import Task, evaluate, execute, forget
from benchmark.search.optimizer import Optimizer
from benchmark.search.search import Search
from benchmark.store.search_store import Point, SearchStore
from benchmark.study.trial import Trial
from mhpe.data import HeadPoseSet
from mhpe.errors import InputError
from mhpe.model.network import Network

POLL_SECONDS = 1.0
Objective = Callable[[Point], float]
"""Gives a point's value in degrees, smaller is better."""


class PrunedError(BaseException):  # not a failure of the trial
    """The pruner has ended a point."""


class PointFailedError(Exception):
    """A training of a point has failed."""


class Trainings:
    """Trains and validates a point's trials, those that the store does not have.

    Args:
        search: the search.
        store: the results store.
        leases: of this process.
        optimizer: asked after every epoch if there is a pruner.
        device: where to train.
        retry_failed: whether trials that failed earlier are tried again.
    """

    def __init__(
        self,
        search: Search,
        store: SearchStore,
        leases: Leases,
        optimizer: Optimizer,
        device: str,
        retry_failed: bool = False,
    ) -> None:
        self.search, self.store, self.leases, self.optimizer = search, store, leases, optimizer
        self.device, self.retry_failed = device, retry_failed
        self._prunes = search.config.pruner != "none"

    def __call__(self, point: Point) -> float:
        """The mean over the point's seeds.

        Raises:
            PrunedError: if the pruner ends it.
            PointFailedError: if a training fails, or the sampler refuses the parameters.
            InputError: if the store fails.
        """
        seeds = self.search.config.seeds
        return sum(self._value(point, seed) for seed in range(seeds)) / seeds

    def _value(self, point: Point, seed: int) -> float:
        try:
            trial = self.search.trial(point.parameters or {}, seed)
        except InputError as error:  # the sampler refuses the values together
            raise PointFailedError(str(error)) from None
        self.store.add_trials([trial])
        while (value := self._known(trial)) is None:
            if self.store.statuses([trial.key])[trial.key] == "done":
                self._run(trial, point, self.store.weights(trial.key))
            elif self.leases.claim(trial.key, self.retry_failed):
                self._run(trial, point, None)
            else:
                time.sleep(POLL_SECONDS)  # another process is at the same trial
        return value

    def _known(self, trial: Trial) -> float | None:
        """The value of a trial that is finished; None for one to train."""
        if not self.retry_failed and (failure := self.store.failures([trial.key])):
            raise PointFailedError(failure[trial.key])
        if self._prunes and (reason := self.store.pruned(trial.key)) is not None:
            raise PrunedError(reason)
        return self.store.metric(trial.key, self.search.validation_fingerprint, self.search.config.objective)

    def _run(self, trial: Trial, point: Point, weights: bytes | None) -> None:
        """Train a trial, or only evaluate its weights, and store what comes of it."""
        task = Task.of(trial, self.search.fit, {"validation": self.search.validation}, weights)

        def watch(epoch: int, model: Network) -> None:
            if self._prunes:
                self._prune(trial, point, epoch, model)

        outcome = execute(replace(task, device=self.device), watch=watch)
        written = self.store.record(outcome, self.leases.worker, trained=weights is None)
        if outcome.error is not None:
            if not written:
                return  # the trial is another process's now
            raise PointFailedError(": ".join(outcome.error))
        forget(trial.key)

    def _prune(self, trial: Trial, point: Point, epoch: int, model: Network) -> None:
        metric = self.search.config.objective
        value = evaluate(model, self._validation).metrics[metric]
        epochs = self.search.searched.core.epochs
        bad = self.optimizer.should_prune(point, trial.seed * epochs + epoch, value)
        if bad and epoch < epochs - 1:  # after the last epoch nothing is saved by it
            reason = (
                f"by the {self.search.config.pruner} pruner after epoch {epoch + 1} of {epochs}: "
                f"{metric} {value:.2f} on the validation part"
            )
            self.store.prune(trial.key, reason, self.leases.worker)
            forget(trial.key)
            raise PrunedError(reason)

    @cached_property
    def _validation(self) -> HeadPoseSet:
        return HeadPoseSet.load(self.search.validation)
