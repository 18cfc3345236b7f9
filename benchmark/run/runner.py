"""Runs what a plan still lacks on the workers there are, and stores every result as it comes."""

import socket
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from benchmark.run.leases import Leases
from benchmark.run.task import Task
from benchmark.run.workers import WorkerDiedError, Workers
from benchmark.store import Store
from benchmark.store.outcome import Outcome
from benchmark.study.grid import Plan
from mhpe.errors import InputError

POLL_SECONDS = 1.0
DEATHS = 2
"""A trial whose process dies so often is a failed one."""


class Reporter(Protocol):
    """Told what a run does."""

    def start(self, total: int, done: int) -> None:
        """So many trials in all, so many of them done, here or by other processes."""

    def finished(self, outcome: Outcome, name: str) -> None:
        """A trial of that name has ended."""

    def note(self, text: str) -> None:
        """Something went wrong, but no result is lost."""

    def waiting(self, count: int) -> None:
        """So many trials are in the hands of other processes; waiting for them."""


@dataclass
class Totals:
    """What a run did.

    Attributes:
        done: trials that were complete already.
        trained: trials trained now.
        evaluated: finished trials evaluated now on further test sets.
        elsewhere: trials that other processes did in the meantime.
        failed: names and errors of failed trials, earlier ones included.
    """

    done: int = 0
    trained: int = 0
    evaluated: int = 0
    elsewhere: int = 0
    failed: dict[str, str] = field(default_factory=dict)


class Interrupted(KeyboardInterrupt):
    """A run was interrupted; everything that is finished is stored.

    Attributes:
        stored: trials of the plan that are complete.
    """

    def __init__(self, stored: int) -> None:
        super().__init__()
        self.stored = stored


def run(plan: Plan, store: Store, workers: Workers, reporter: Reporter, retry_failed: bool = False) -> Totals:
    """Train and evaluate what the store lacks.

    Args:
        plan: the study's grid.
        store: where results go; other processes may work on it at the same time.
        workers: who does the work; closed at the end.
        reporter: told how far it is.
        retry_failed: whether trials that failed earlier are tried again.

    Raises:
        Interrupted: for a KeyboardInterrupt.
        InputError: if the store fails, or the workers are gone.
    """
    running = _Run(plan, store, workers, reporter, retry_failed)
    try:
        return running.run()
    except KeyboardInterrupt:  # which may have come between a trial's end and its being counted: the store knows
        raise Interrupted(len(running.complete())) from None


class _Run:
    def __init__(self, plan: Plan, store: Store, workers: Workers, reporter: Reporter, retry_failed: bool) -> None:
        self.plan, self.store, self.workers = plan, store, workers
        self.reporter, self.retry_failed = reporter, retry_failed
        self.leases = Leases(store)
        self.at_work: dict[Future[Outcome], Task] = {}
        self.tried: set[str] = set()  # what fails in this run is not tried again in it
        self.deaths: Counter[str] = Counter()
        self.totals = Totals()

    def run(self) -> Totals:
        at_first = missing = self._missing(self.plan.trials)
        total = len(self.plan.trials)
        self.totals.done = len(self.complete() - set(missing))
        with self.leases, closing(self.workers):
            while missing or self.at_work:
                self.reporter.start(total, total - len(missing))
                self._begin(missing)
                self._wait(len(missing))
                missing = self._missing(missing)
        self.totals.elsewhere = len(set(at_first) - self.tried)
        earlier = self.store.failures(self.plan.trials)
        self.totals.failed |= {self._name(key): error for key, error in earlier.items()}
        return self.totals

    def complete(self) -> set[str]:
        """Trials that are trained and evaluated on all of their test sets."""
        return self._complete(self.store.statuses(self.plan.trials))

    def _complete(self, status: Mapping[str, str]) -> set[str]:
        evaluated = self.store.evaluated(status)
        return {
            key
            for key in status
            if status[key] == "done" and all((key, test.fingerprint) in evaluated for test in self.plan.tests[key])
        }

    def _missing(self, keys: Iterable[str]) -> list[str]:
        """Of some trials those that are neither complete nor failed for good; those being trained are among them."""
        status = self.store.statuses(keys)
        complete = self._complete(status)
        missing = []
        for key in keys:
            ended = status[key] in ("done", "failed")
            given_up = (ended and key in self.tried) or (status[key] == "failed" and not self.retry_failed)
            if not given_up and key not in complete:
                missing.append(key)
        return missing

    def _begin(self, missing: list[str]) -> None:
        """Hand trials to the workers that have nothing to do; those whose worker died come last."""
        idle = self.workers.size - len(self.at_work)
        if idle <= 0:
            return
        at_work = {task.key for task in self.at_work.values()}
        takeable = self.leases.takeable(missing, self.retry_failed)
        for key in sorted(missing, key=lambda key: self.deaths[key]):
            if idle and key in takeable and key not in at_work and self._take(key):
                idle -= 1

    def _take(self, key: str) -> bool:
        """Hand a trial to a worker, unless another process was faster."""
        weights = self.store.weights(key)  # of a trial that only lacks an evaluation
        if weights is None and not self.leases.claim(key, self.retry_failed):
            return False
        self.tried.add(key)
        train_folder, test_folders = self.plan.folders(key)
        task = Task.of(self.plan.trials[key], train_folder, test_folders, weights)
        self.at_work[self.workers.submit(task)] = task
        return True

    def _wait(self, missing: int) -> None:
        """Until a worker is ready, or other processes may have left something to do."""
        if not self.at_work:
            self.reporter.waiting(missing)
            time.sleep(POLL_SECONDS)
            return
        all_busy = len(self.at_work) >= self.workers.size
        ready = wait(self.at_work, None if all_busy else POLL_SECONDS, FIRST_COMPLETED)
        for future in ready.done:
            self._end(future)

    def _end(self, future: Future[Outcome]) -> None:
        task = self.at_work.pop(future)
        key, name = task.key, self._name(task.key)
        try:
            outcome = self.workers.result(future)
        except WorkerDiedError as error:
            self.deaths[key] += 1
            if self.deaths[key] < DEATHS:
                self.reporter.note(f"{name}: {error}; trying again")
                return
            outcome = _failure(key, "WorkerDied", f"{error}, {self.deaths[key]} times")
        except InputError:  # the workers are gone: no trial's failure
            raise
        except Exception as error:  # such as an outcome that cannot be sent
            outcome = _failure(key, type(error).__name__, str(error), traceback.format_exc())
        self._store(outcome, name, trained=task.weights is None)

    def _store(self, outcome: Outcome, name: str, trained: bool) -> None:
        written = self.store.record(outcome, self.leases.worker, trained)
        if outcome.error is None:
            self.workers.forget(outcome.key)
        if not written:
            self.tried.discard(outcome.key)  # the other process may lose it, or lack an evaluation
            self.reporter.note(f"{name}: another process has taken it in the meantime")
            return
        if outcome.error is not None:
            self.totals.failed[name] = ": ".join(outcome.error)
        elif trained:
            self.totals.trained += 1
        else:
            self.totals.evaluated += 1
        for note in outcome.notes:
            self.reporter.note(f"{name}: {note}")
        self.reporter.finished(outcome, name)

    def _name(self, key: str) -> str:
        trial = self.plan.trials[key]
        return f"{trial.arm.label}, {trial.train_set}, seed {trial.seed}"


def _failure(key: str, kind: str, message: str, trace: str | None = None) -> Outcome:
    """The outcome of a trial whose worker gave none."""
    return Outcome(key, environment={"host": socket.gethostname()}, error=(kind, message), traceback=trace)
