"""Worker processes on this machine, in which trials are trained."""

import multiprocessing
import os
import re
import signal
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from functools import cache
from multiprocessing import forkserver, resource_tracker
from typing import Any

import joblib
import torch
from joblib.externals.loky import BrokenProcessPool, ProcessPoolExecutor, get_reusable_executor

from benchmark.run import MOST_JOBS
from benchmark.run.task import Task, execute, forget
from benchmark.store.outcome import Outcome
from mhpe.errors import InputError

START_METHOD = "forkserver" if sys.platform == "linux" else "spawn"
"""On Linux processes are forked from a server that has imported everything but started nothing."""

JOBS_ON_CARD = 8
"""Most processes on a graphics card by default. A light network leaves most of a card idle: 15 trainings of preset
``standard`` at once were 4.9 times as fast as one on an H200 (docs/performance.md)."""
BYTES_ON_CARD = 8 << 30  # free memory of a card for each of them; a step of preset ``paper`` takes less


class WorkerDiedError(Exception):
    """The process that worked on a task has ended: killed, out of memory, or crashed."""


def process_count(wanted: int | None, device: str) -> int:
    """Number of processes to train in; by default one per core, or as many as the graphics cards have room for."""
    if wanted is not None and not 1 <= wanted <= MOST_JOBS:
        raise InputError(f"jobs: a number of processes from 1 to {MOST_JOBS} is wanted, not {wanted}")
    if wanted is not None or device == "cpu":
        return wanted or int(joblib.cpu_count())
    free = [torch.cuda.mem_get_info(card)[0] for card in range(torch.cuda.device_count())]
    on_cards = sum(max(1, min(bytes_free // BYTES_ON_CARD, JOBS_ON_CARD)) for bytes_free in free)
    return max(len(free), min(on_cards, int(joblib.cpu_count())))


class LocalWorkers:
    """``jobs`` worker processes on this machine, each with its device: ``device`` is ``cpu`` or ``cuda``."""

    def __init__(self, jobs: int, device: str) -> None:
        self.size = jobs
        self._idle = [_Worker(name) for name in devices(device, jobs)]
        self._busy: dict[Future[Outcome], _Worker] = {}

    def submit(self, task: Task) -> Future[Outcome]:
        """Begin a task in an idle process; there must be one."""
        worker = self._idle.pop()
        future = worker.submit(task)
        self._busy[future] = worker
        return future

    def result(self, future: Future[Outcome]) -> Outcome:
        """Outcome of a finished task; a WorkerDiedError if its process ended, an InputError if none can start."""
        worker = self._busy.pop(future)
        self._idle.append(worker)
        return worker.result(future)

    def forget(self, key: str) -> None:
        """Delete what is kept of a trial until it is stored."""
        forget(key)

    def close(self) -> None:
        """Kill the processes, whatever they work on."""
        for worker in (*self._idle, *self._busy.values()):
            worker.close()


def devices(device: str, jobs: int) -> list[str]:
    """The device of each process: the graphics cards in turn, or the processor for all."""
    if device != "cuda":
        return [device] * jobs
    return [f"cuda:{number % torch.cuda.device_count()}" for number in range(jobs)]


class _Worker:
    """One process, started when it is needed and again after its death: which task a death is due to is then known."""

    def __init__(self, device: str) -> None:
        self.device = device
        self._executor: Any = None

    def submit(self, task: Task) -> Future[Outcome]:
        if self._executor is None:
            get_reusable_executor(reuse=True).shutdown()  # the processes that prepared data, which joblib keeps
            if START_METHOD == "forkserver":
                _start_server()
            context = multiprocessing.get_context(START_METHOD)
            self._executor = ProcessPoolExecutor(1, context=context, initializer=_prepare, initargs=(dict(os.environ),))
            self._started = self._executor.submit(os.getpid)
        try:
            future: Future[Outcome] = self._executor.submit(execute, replace(task, device=self.device))
        except BrokenProcessPool:  # it died while it had nothing to do
            self.close()
            return self.submit(task)
        return future

    def result(self, future: Future[Outcome]) -> Outcome:
        try:
            return future.result()
        except BrokenProcessPool as error:
            self.close()
            codes = re.findall(r"exit codes of the workers are \{(.+)\}", str(error))
            end = f"its process ended ({', '.join(codes) or 'unexpectedly'}), perhaps because memory is short"
            if self._started.exception() is not None:
                raise InputError(f"a worker process cannot start: {end}") from error
            raise WorkerDiedError(end) from None

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(kill_workers=True)
            self._executor = None


@cache
def _start_server() -> None:
    """Start the server that processes are forked from, and wait until it has imported everything.

    Ctrl-C is not for the server. Without the waiting, a request of a process that is gone would fail noisily.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([execute.__module__])
    resource_tracker.ensure_running()  # which would end the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # the server inherits it
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    first = context.Process(target=os.getpid)
    first.start()
    first.join()


# What follows runs in the worker process.


def _prepare(environment: Mapping[str, str]) -> None:
    """Prepare a new process: it ends with its parent, and only the parent handles Ctrl-C."""
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def end_with_parent() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=end_with_parent, daemon=True).start()
