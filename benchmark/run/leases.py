"""Leases on trials: by them a store knows that the process that took a trial still works on it."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from benchmark.store import Store
from mhpe.errors import InputError


def lease_seconds() -> float:
    """Seconds that a silent process keeps its trials: the variable ``BENCH_LEASE``, 60 by default and 1 at least."""
    text = os.environ.get("BENCH_LEASE", "60")
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds < float("inf"):
        raise InputError(f"BENCH_LEASE must be a number of seconds, at least 1, not {text!r}")
    return seconds


@contextmanager
def held(store: Store, worker: str, seconds: float) -> Iterator[None]:
    """Context in which a worker keeps the trials that it takes, and at whose end it gives back the unfinished ones."""
    try:
        with repeated(seconds / 4, lambda: store.extend_leases(worker, seconds)):
            yield
    finally:
        with suppress(InputError):  # where the store is gone, the leases end by themselves
            store.release(worker)


@contextmanager
def repeated(seconds: float, work: Callable[[], None]) -> Iterator[None]:
    """Context in which a thread does some work every few seconds; an error is ignored, as the next time may succeed."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(seconds):
            with suppress(Exception):
                work()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
