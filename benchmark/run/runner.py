"""Runs the trials of a plan that have no result yet, and stores every result when it arrives."""

import os
import socket
import time
import traceback
import uuid
from collections import Counter, deque
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from benchmark.run.dask import DaskWorkers
from benchmark.run.leases import held, lease_seconds
from benchmark.run.task import Task
from benchmark.run.workers import LocalWorkers, WorkerDiedError
from benchmark.store import Store
from benchmark.store.outcome import Outcome
from benchmark.study.grid import Plan
from benchmark.study.names import counted
from mhpe.errors import InputError

Workers = LocalWorkers | DaskWorkers
POLL_SECONDS = 1.0
LOOK_SECONDS = 5.0  # shortest time between two queries of all unfinished trials
LOOK_SHARE = 0.05  # largest share of a run's time for these queries
SILENCE_SECONDS = 600.0  # time without a finished trial after which a line says what is running
DEATHS = 2  # number of deaths of its process that make a trial a failed one


class Reporter(Protocol):
    """Receives progress events of a run."""

    def start(self, total: int, done: int) -> None:
        """``total`` trials are planned; ``done`` of them have ended, here or in other processes."""

    def finished(self, outcome: Outcome, name: str) -> None:
        """The trial called ``name`` has ended."""

    def note(self, text: str) -> None:
        """Something went wrong, but no result is lost."""

    def waiting(self, count: int) -> None:
        """The last ``count`` trials are being trained by other processes; the run waits for them."""


@dataclass
class Totals:
    """Counts of a run's trials."""

    done: int = 0  # complete before the run
    trained: int = 0  # trained in the run
    evaluated: int = 0  # finished earlier, evaluated in the run on further test sets
    elsewhere: int = 0  # done by other processes during the run
    failed: dict[str, str] = field(default_factory=dict)  # names and errors of failed trials, earlier ones included


class Interrupted(KeyboardInterrupt):
    """A run was interrupted; its text says what is stored."""


@dataclass(eq=False)
class Run:
    """Trains and evaluates a plan's missing trials in a store, where other processes may work at the same time.

    The first five attributes are its arguments, the others its state. A search of parameters is a run that adds trials
    while it goes on.
    """

    plan: Plan
    store: Store
    workers: Workers
    reporter: Reporter
    retry_failed: bool = False
    worker: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}")
    lease_seconds: float = field(default_factory=lease_seconds)
    left: dict[str, None] = field(default_factory=dict)  # trials that have not ended, as far as this process knows
    # those of them that nobody is training, as far as this process knows
    queue: deque[str] = field(default_factory=deque)
    trained: set[str] = field(default_factory=set)  # those of them that only need an evaluation
    running: dict[Future[Outcome], Task] = field(default_factory=dict)  # tasks that the workers have, the oldest first
    begun: dict[str, float] = field(default_factory=dict)  # when each of this run's trials was begun
    deaths: Counter[str] = field(default_factory=Counter)  # how often a worker died of a trial
    totals: Totals = field(default_factory=Totals)
    next_look: float = 0.0
    last_line: float = field(default_factory=time.monotonic)

    def more(self) -> list[str] | None:
        """Keys of further trials, which are in the plan and the store; None if no more will come.

        Called before trials are given to workers, and again until nothing is new.
        """
        return None

    def counts(self) -> tuple[int, int]:
        """Number of planned trials, and of those that have ended."""
        total = len(self.plan.trials)
        return total, total - len(self.left)

    def run(self) -> Totals:
        """Run until all trials have ended, here or elsewhere; the workers are closed at the end.

        Raises:
            Interrupted: for a KeyboardInterrupt.
            InputError: if the store fails, a data set is missing, or no worker can work.
        """
        self.left = dict.fromkeys(self.plan.trials)
        try:
            self.totals.done = self._look()
            at_first = set(self.left)
            with held(self.store, self.worker, self.lease_seconds), closing(self.workers):
                while self._add_more() or self.left or self.running:
                    self._begin()
                    self.reporter.start(*self.counts())
                    self._wait()
        except KeyboardInterrupt:  # which may have come between a trial's end and its being counted: the store knows
            stored = len(self._complete(self.store.statuses(self.plan.trials)))
            text = f"{stored} of {len(self.plan.trials)} trials are stored in {self.store.shown}"
            raise Interrupted(text) from None
        self.totals.elsewhere = len(at_first - self.begun.keys())
        earlier = self.store.failures(self.plan.trials)
        self.totals.failed |= {self._name(key): error for key, error in earlier.items()}
        return self.totals

    def _add_more(self) -> bool:
        """Add further trials; returns whether more may come later."""
        while new := self.more():
            self.left |= dict.fromkeys(new)
            self._look()
        return new is not None

    def _complete(self, status: Mapping[str, str]) -> set[str]:
        """The trials among some, given with their status, that are trained and evaluated on all of their test sets."""
        done = [key for key in status if status[key] == "done"]
        evaluated = self.store.evaluated(done)
        return {key for key in done if all((key, test.fingerprint) in evaluated for test in self.plan.tests[key])}

    def _look(self) -> int:
        """Query the store for all unfinished trials; returns the number of complete ones. Slow for many trials."""
        begin = time.monotonic()
        status = self.store.statuses(self.left)
        complete = self._complete(status)
        ended = {key for key in status if status[key] == "failed" and not self.retry_failed} | complete
        self.left = {key: None for key in self.left if key not in ended}
        self.trained = {key for key in self.left if status[key] == "done"}
        if bare := self.trained - self.store.with_weights(self.trained):
            raise InputError(
                f"store {self.store.shown}: the weights of {counted(len(bare), 'trial')} were not copied into it, and "
                "further test sets need them; bench store copy adds them from the store that has them"
            )
        free = self.store.takeable(self.left, self.worker, self.retry_failed)
        free -= {task.key for task in self.running.values()}
        # Those whose process died come last.
        self.queue = deque(sorted((key for key in self.left if key in free), key=self.deaths.__getitem__))
        now = time.monotonic()
        self.next_look = now + max(LOOK_SECONDS, (now - begin) / LOOK_SHARE)
        return len(complete)

    def _begin(self) -> None:
        """Give trials to idle workers."""
        idle = self.workers.size - len(self.running)
        if time.monotonic() > self.next_look or (idle > 0 and not self.queue):
            self._look()
        while idle > 0 and self.queue:
            idle -= self._take(self.queue.popleft())

    def _take(self, key: str) -> bool:
        """Give a trial to a worker, unless another process was faster."""
        weights = self.store.weights(key) if key in self.trained else None
        if weights is None and not self.store.claim(key, self.worker, self.lease_seconds, self.retry_failed):
            return False
        self.begun[key] = time.monotonic()
        task = Task.of(self.plan, key, weights)
        self.running[self.workers.submit(task)] = task
        return True

    def _wait(self) -> None:
        """Wait for a worker, or until other processes may have left something to do."""
        if not self.running:
            total, done = self.counts()
            if self.left or done < total:
                self.reporter.waiting(max(total - done, len(self.left)))
                time.sleep(POLL_SECONDS)
            return
        all_busy = len(self.running) >= self.workers.size
        ready = wait(self.running, SILENCE_SECONDS if all_busy else POLL_SECONDS, FIRST_COMPLETED)
        for future in ready.done:
            self._end(future)
            self.last_line = time.monotonic()
        if time.monotonic() - self.last_line >= SILENCE_SECONDS:
            self._note_what_runs()

    def _note_what_runs(self) -> None:
        self.last_line = time.monotonic()
        oldest = next(iter(self.running.values())).key
        minutes = (self.last_line - self.begun[oldest]) / 60
        others = f" and {len(self.running) - 1} more" if len(self.running) > 1 else ""
        name = self._name(oldest)
        self.reporter.note(f"nothing has ended for a while; {name} has been running for {minutes:.0f} min{others}")

    def _end(self, future: Future[Outcome]) -> None:
        task = self.running.pop(future)
        key, name = task.key, self._name(task.key)
        try:
            outcome = self.workers.result(future)
        except WorkerDiedError as error:
            self.deaths[key] += 1
            if self.deaths[key] < DEATHS:
                self.queue.append(key)
                self.reporter.note(f"{name}: {error}; trying again")
                return
            outcome = _failure(key, "WorkerDied", f"{error}, {self.deaths[key]} times")
        except (InputError, KeyboardInterrupt):  # no trial's failure
            raise
        except BaseException as error:  # such as an outcome that cannot be sent
            outcome = _failure(key, type(error).__name__, str(error), traceback.format_exc())
        self._store(outcome, name, trained=task.weights is None)

    def _store(self, outcome: Outcome, name: str, trained: bool) -> None:
        written = self.store.finish(outcome, self.worker, trained)
        if written or outcome.error is None:  # a failed one starts again: its checkpoint may be what makes it fail
            self.workers.forget(outcome.key)
        if not written:
            del self.begun[outcome.key]  # the other process may lose it, or not evaluate it
            self.reporter.note(f"{name}: another process has taken it in the meantime")
            return
        self.left.pop(outcome.key, None)  # unless the store has said so already
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
    """Outcome of a trial whose worker gave none."""
    return Outcome(key, environment={"host": socket.gethostname()}, error=(kind, message), traceback=trace)
