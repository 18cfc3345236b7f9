"""Leases on trials: how a store knows that the process that took a trial is still there."""

import os
import socket
import threading
import uuid
from collections.abc import Iterable
from contextlib import suppress

from benchmark.store import Store
from mhpe.errors import InputError


def lease_seconds() -> float:
    """How long a silent process keeps its trials: ``BENCH_LEASE`` seconds, 60 by default.

    Raises:
        InputError: if the variable is not a number of at least 1.
    """
    text = os.environ.get("BENCH_LEASE", "60")
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds < float("inf"):
        raise InputError(f"BENCH_LEASE must be a number of seconds, at least 1, not {text!r}")
    return seconds


def worker_name() -> str:
    """A new name for a process that takes trials."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"


class Leases:
    """This process's claims on trials, kept alive while it lives and given back at its end.

    Args:
        store: holds the trials.
        worker: name of this process, a new one by default.

    Attributes:
        seconds: how long it may be silent.
    """

    def __init__(self, store: Store, worker: str | None = None) -> None:
        self.store = store
        self.worker = worker or worker_name()
        self.seconds = lease_seconds()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "Leases":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.give_back()

    def give_back(self) -> None:
        """Let others take what this process has not finished."""
        with suppress(InputError):  # where the store is gone, the leases end by themselves
            self.store.release(self.worker)

    def takeable(self, keys: Iterable[str], retry_failed: bool) -> set[str]:
        """Those of some trials that nobody is at, finished ones included."""
        return self.store.takeable(keys, self.worker, retry_failed)

    def claim(self, key: str, retry_failed: bool) -> bool:
        """Take a trial that nobody has."""
        return self.store.claim(key, self.worker, self.seconds, retry_failed)

    def _beat(self) -> None:
        while not self._stop.wait(self.seconds / 4):
            with suppress(InputError):  # the next beat may reach the store
                self.store.extend_leases(self.worker, self.seconds)
