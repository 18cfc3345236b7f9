"""Worker processes on this machine, in which trials are trained."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import cache
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

import joblib
import torch
from joblib.externals.loky import get_reusable_executor

from benchmark.run import MOST_JOBS, end_with_parent
from benchmark.run.task import Task, execute, forget
from benchmark.store.outcome import Outcome
from mhpe.errors import InputError

START_METHOD = "forkserver" if sys.platform == "linux" else "spawn"
"""On Linux processes are forked from a server that has imported everything but started nothing."""

JOBS_ON_CARD = 8
"""Most processes on a graphics card by default. A light network leaves most of a card idle: 15 trainings of preset
``standard`` at once were 4.9 times as fast as one on an H200 (docs/performance.md)."""
BYTES_ON_CARD = 8 << 30  # free memory of a card for each of them; a step of preset ``paper`` takes less

T = TypeVar("T")


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
        self._processes = [(WorkerProcess(), name) for name in devices(device, jobs)]

    def submit(self, task: Task) -> Future[Outcome]:
        """Begin a task in a process that is free; there must be one."""
        process, device = next(item for item in self._processes if item[0].free)
        return process.submit(execute, replace(task, device=device))

    def result(self, future: Future[Outcome]) -> Outcome:
        """Outcome of a finished task; a WorkerDiedError if its process ended, an InputError if none can start."""
        return future.result()

    def forget(self, key: str) -> None:
        """Delete what is kept of a trial until it is stored."""
        forget(key)

    def close(self) -> None:
        """Kill the processes, whatever they work on."""
        for process, _ in self._processes:  # all of them before the first wait, which a second Ctrl-C may end
            process.kill()
        for process, _ in self._processes:
            process.join()


def devices(device: str, jobs: int) -> list[str]:
    """The device of each process: the graphics cards in turn, or the processor for all."""
    if device != "cuda":
        return [device] * jobs
    return [f"cuda:{number % torch.cuda.device_count()}" for number in range(jobs)]


END_SECONDS = 10.0  # time that a process has to end by itself once its connection is closed
_STATUS = threading.Lock()
"""Held while a process starts, which asks all others for their status, or ends: a status can be read only once."""


class WorkerProcess:
    """One process that calls functions, started when it is needed and again after its death.

    Pools of ``concurrent.futures`` and loky do not say which task killed a process, and can wait for ever for an answer
    that a kill has cut off; loky's replace a process whose memory grows, as it does in a training.
    """

    def __init__(self) -> None:
        self._process: Any = None  # its class depends on the start method
        self._future: Future[Any] | None = None

    @property
    def free(self) -> bool:
        """Whether it has nothing to do."""
        return self._future is None or self._future.done()

    def submit(self, function: Callable[..., T], *arguments: object) -> Future[T]:
        """Call a function in the process, which must be free: its answer, or whatever it raises.

        A :class:`WorkerDiedError` if the process ended before it answered, an InputError if it could not start.
        """
        if self._process is None or not self._process.is_alive():
            self._start()
        self._future = future = Future[T]()
        threading.Thread(target=self._ask, args=(future, function, arguments), daemon=True).start()
        return future

    def kill(self) -> None:
        """Kill the process; :meth:`join` waits for its end."""
        if self._process is not None:
            self._process.kill()

    def join(self) -> None:
        """Wait for the end of the process."""
        if self._process is not None:
            self._process.join()

    def _start(self) -> None:
        get_reusable_executor(reuse=True).shutdown()  # the processes that prepared data, which joblib keeps
        context: Any = multiprocessing.get_context(START_METHOD)
        if START_METHOD == "forkserver":
            _start_server()
        self._connection, other_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(other_end, dict(os.environ)), daemon=True)
        with _STATUS:
            self._process.start()
        other_end.close()  # so that the end of the process ends what is read from it
        self._started = False

    def _ask(self, future: Future[T], function: Callable[..., T], arguments: tuple[object, ...]) -> None:
        """Send a call to the process, and wait for its answer."""
        try:
            if not self._started:
                self._connection.recv()
                self._started = True
            self._connection.send((function, arguments))
            answer, error = self._connection.recv()
        except (EOFError, OSError):
            if not wait([self._process.sentinel], END_SECONDS):  # it lives, but its answers cannot be read any more
                self._process.kill()
            with _STATUS:
                self._process.join()
            end = _end_of(self._process.exitcode or 0)
            died = WorkerDiedError(f"its process {end}")
            future.set_exception(died if self._started else InputError(f"a worker process cannot start: it {end}"))
        except Exception as unsendable:
            future.set_exception(unsendable)
        else:
            future.set_exception(error) if error is not None else future.set_result(answer)


def _end_of(status: int) -> str:
    """How a process ended, in words."""
    if status >= 0:
        return f"ended with status {status}"
    name = signal.Signals(-status).name
    return f"was ended by {name}" + (", as the system does when memory is short" if name == "SIGKILL" else "")


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


def _serve(connection: Connection, environment: Mapping[str, str]) -> None:
    """Call functions until the other end is closed; the first message says that the process has started."""
    _prepare(environment)
    connection.send(None)
    with suppress(EOFError):
        while True:
            answer = _call(connection)
            try:
                connection.send(answer)
            except Exception as unsendable:  # such as an answer that cannot be pickled
                text = f"the answer cannot be sent: {type(unsendable).__name__}: {unsendable}"
                connection.send((None, TypeError(text)))


def _call(connection: Connection) -> tuple[Any, BaseException | None]:
    """The answer to the next call, or the error that the call raises."""
    try:
        function, arguments = connection.recv()
    except EOFError:
        raise
    except BaseException as error:  # whatever the import of a module raises
        return None, InputError(f"a worker process cannot start its task: {type(error).__name__}: {error}")
    try:
        return function(*arguments), None
    except BaseException as error:
        return None, error


def _prepare(environment: Mapping[str, str]) -> None:
    """Prepare a new process: it ends with its parent, and only the parent handles Ctrl-C."""
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
