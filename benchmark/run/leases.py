"""Leases on trials: by them a store knows that the process that took a trial still works on it."""

import os
import threading
from collections.abc import Iterator
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
    stop = threading.Event()

    def extend() -> None:
        while not stop.wait(seconds / 4):
            with suppress(Exception):  # the next time may succeed
                store.extend_leases(worker, seconds)

    thread = threading.Thread(target=extend, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        with suppress(InputError):  # where the store is gone, the leases end by themselves
            store.release(worker)
