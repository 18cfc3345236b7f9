"""The processes of this machine that trials are trained in."""

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Mapping
from concurrent.futures import BrokenExecutor, Future
from dataclasses import replace
from functools import cache
from multiprocessing import forkserver, resource_tracker
from typing import Protocol

import torch
from loky import ProcessPoolExecutor

from benchmark.run.task import Task, execute, forget
from benchmark.store.outcome import Outcome

START_METHOD = "forkserver" if sys.platform == "linux" else "spawn"
"""On Linux processes are forked from a server that has imported everything but started nothing."""


class WorkerDiedError(Exception):
    """The process that worked on a task has ended: killed, out of memory, or crashed."""


class Workers(Protocol):
    """Where tasks are done: processes here, or a Dask cluster."""

    @property
    def size(self) -> int:
        """How many tasks can be done at the same time."""

    def submit(self, task: Task) -> Future[Outcome]:
        """Begin a task; there must not be more than ``size`` unfinished ones."""

    def result(self, future: Future[Outcome]) -> Outcome:
        """The outcome of a finished task.

        Raises:
            WorkerDiedError: if its process ended without one.
        """

    def forget(self, key: str) -> None:
        """Delete what is kept of a trial until it is stored."""

    def close(self) -> None:
        """End all processes, and the tasks that they are at."""


def devices(device: str, jobs: int) -> list[str]:
    """The device of each process: the graphics cards in turn, or the processor for all."""
    if device != "cuda":
        return [device] * jobs
    return [f"cuda:{number % torch.cuda.device_count()}" for number in range(jobs)]


class LocalWorkers:
    """Processes of this machine, each with its device and in a pool of its own: the one that dies is known.

    Args:
        jobs: number of processes.
        device: ``cpu`` or ``cuda``.
    """

    def __init__(self, jobs: int, device: str) -> None:
        self._slots = [_Slot(name) for name in devices(device, jobs)]

    @property
    def size(self) -> int:
        """Number of processes."""
        return len(self._slots)

    def submit(self, task: Task) -> Future[Outcome]:
        """Begin a task in a process that is free."""
        return next(slot for slot in self._slots if slot.free).submit(task)

    def result(self, future: Future[Outcome]) -> Outcome:
        """The outcome of a finished task.

        Raises:
            WorkerDiedError: if its process ended without one.
        """
        try:
            return future.result()
        except BrokenExecutor:
            raise WorkerDiedError("its process was killed, ran out of memory, or crashed") from None

    def forget(self, key: str) -> None:
        """Delete what is kept of a trial until it is stored."""
        forget(key)

    def close(self) -> None:
        """Kill the processes."""
        for slot in self._slots:
            slot.pool.shutdown(kill_workers=True)


class _Slot:
    """One process, replaced when it dies."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.pool = process_pool()
        self._future: Future[Outcome] | None = None

    @property
    def free(self) -> bool:
        return self._future is None or self._future.done()

    def submit(self, task: Task) -> Future[Outcome]:
        task = replace(task, device=self.device)
        try:
            self._future = self.pool.submit(execute, task)
        except BrokenExecutor:  # it died at its last task, or since
            self.pool = process_pool()
            self._future = self.pool.submit(execute, task)
        return self._future


def process_pool() -> ProcessPoolExecutor:
    """One process that ends with this one."""
    # Loky replaces a process whose memory has grown, between two tasks: nothing that a user should act on.
    warnings.filterwarnings("ignore", message="A worker was restarted while some jobs were given")
    context = multiprocessing.get_context(START_METHOD)
    context.set_forkserver_preload([execute.__module__])
    if START_METHOD == "forkserver":
        _start_server()
    return ProcessPoolExecutor(1, context=context, initializer=_prepare, initargs=(dict(os.environ),))


@cache
def _start_server() -> None:
    """Start the server that processes are forked from, and wait until it has imported everything.

    Ctrl-C is not for the server, but ends the waiting: then no request is left that would fail noisily without this
    process.
    """
    resource_tracker.ensure_running()  # which would end the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # the server inherits it
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    first = multiprocessing.get_context("forkserver").Process(target=os.getpid)
    first.start()
    first.join()


def _prepare(environment: Mapping[str, str]) -> None:
    """Make a fresh process one that ends with its parent, and leaves Ctrl-C to it."""
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def end_with_parent() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=end_with_parent, daemon=True).start()
