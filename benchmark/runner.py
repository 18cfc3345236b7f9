"""Runs what a plan still lacks, in several processes, and stores every result as it comes."""

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import joblib

from benchmark.execution import Outcome, Task, execute
from benchmark.planning import Plan
from benchmark.store import Store

LEASE_SECONDS = 60.0
HEARTBEAT_SECONDS = 15.0
POLL_SECONDS = 2.0


class Reporter(Protocol):
    """Told what a run does."""

    def start(self, total: int, done: int) -> None:
        """A run begins: so many trials in all, so many of them done before."""

    def finished(self, outcome: Outcome, name: str) -> None:
        """A trial of that name has ended."""

    def waiting(self, count: int) -> None:
        """So many trials are in the hands of other processes; waiting for them."""


@dataclass
class Totals:
    """What a run did.

    Attributes:
        done: trials that were complete already.
        trained: trials trained now.
        evaluated: finished trials evaluated now on further test sets.
        failed: names and errors of failed trials, earlier ones included.
    """

    done: int = 0
    trained: int = 0
    evaluated: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def run(plan: Plan, store: Store, jobs: int, device: str, reporter: Reporter, retry_failed: bool = False) -> Totals:
    """Train and evaluate what the store lacks.

    Args:
        plan: the study's grid.
        store: where results go; other processes may work on it at the same time.
        jobs: number of processes.
        device: where to train.
        reporter: told how far it is.
        retry_failed: whether trials that failed earlier are tried again.
    """
    return _Run(plan, store, jobs, device, reporter, retry_failed).run()


class _Run:
    def __init__(
        self, plan: Plan, store: Store, jobs: int, device: str, reporter: Reporter, retry_failed: bool
    ) -> None:
        self.plan, self.store, self.jobs, self.device = plan, store, jobs, device
        self.reporter, self.retry_failed = reporter, retry_failed
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        self.tried: set[str] = set()  # what fails in this run is not tried again in it
        self.totals = Totals()

    def run(self) -> Totals:
        missing, _ = self._state()
        self.totals.done = len(self.plan.trials) - len(missing)
        self.reporter.start(len(self.plan.trials), self.totals.done)
        with _Heartbeat(self.store, self.worker):
            while missing:
                self._work(missing)
                missing, elsewhere = self._state()
                if missing and not any(self._takeable(key) for key in missing):
                    self.reporter.waiting(elsewhere)
                    time.sleep(POLL_SECONDS)
        earlier = self.store.failures(self.plan.trials)
        self.totals.failed |= {self._name(key): error for key, error in earlier.items()}
        return self.totals

    def _state(self) -> tuple[list[str], int]:
        """Trials that are neither complete nor failed for good, and how many of them run elsewhere."""
        status = self.store.statuses(self.plan.trials)
        evaluated = self.store.evaluated(self.plan.trials)
        missing = []
        for key in self.plan.trials:
            complete = all((key, test.fingerprint) in evaluated for test in self.plan.tests[key])
            ended = status[key] in ("done", "failed")
            given_up = (ended and key in self.tried) or (status[key] == "failed" and not self.retry_failed)
            if not given_up and not (status[key] == "done" and complete):
                missing.append(key)
        return missing, sum(status[key] == "running" for key in missing)

    def _takeable(self, key: str) -> bool:
        return self.store.statuses([key])[key] != "running"

    def _work(self, missing: list[str]) -> None:
        tasks = (joblib.delayed(execute)(task) for task in self._tasks(missing))
        parallel = joblib.Parallel(
            n_jobs=self.jobs, return_as="generator_unordered", pre_dispatch=self.jobs, batch_size=1
        )
        for outcome in parallel(tasks):
            name = self._name(outcome.key)
            if outcome.error is not None:
                self.totals.failed[name] = ": ".join(outcome.error)
            if outcome.epochs or outcome.error is not None:
                self.store.finish(outcome)
                self.totals.trained += outcome.error is None
            else:
                self.store.add_evaluations(outcome.key, outcome.evaluations.values())
                self.totals.evaluated += 1
            self.reporter.finished(outcome, name)

    def _tasks(self, missing: list[str]) -> Iterator[Task]:
        """Tasks for the trials that this process may take, each claimed when a worker is free."""
        for key in missing:
            train_folder, test_folders = self.plan.folders(key)
            weights = None
            if self.store.statuses([key])[key] == "done":
                weights = self.store.weights(key)
            elif not self.store.claim(key, self.worker, LEASE_SECONDS, self.retry_failed):
                continue
            self.tried.add(key)
            yield Task.of(self.plan.trials[key], train_folder, test_folders, self.device, weights)

    def _name(self, key: str) -> str:
        trial = self.plan.trials[key]
        return f"{trial.arm.label}, {trial.train_set}, seed {trial.seed}"


class _Heartbeat:
    """Keeps the leases of this process's trials alive while it lives."""

    def __init__(self, store: Store, worker: str) -> None:
        self.store, self.worker = store, worker
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "_Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT_SECONDS):
            self.store.extend_leases(self.worker, LEASE_SECONDS)
