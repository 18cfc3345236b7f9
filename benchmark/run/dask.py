"""Trials on the workers of a Dask cluster, which have this program installed.

A worker looks for data sets by fingerprint, first in the folder that the task names (a shared file system), then in its
own cache.
"""

import asyncio
import logging
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from benchmark.run.environment import training_source
from benchmark.run.task import Task, execute, forget
from benchmark.run.workers import WorkerDiedError
from benchmark.store.outcome import Outcome
from mhpe.data.dataset import HeadPoseSet
from mhpe.errors import InputError
from mhpe.paths import cache_folder

CONNECT_SECONDS = 15
_ONE_AT_A_TIME = threading.Lock()
"""A worker may have several threads, but PyTorch's initial weights come from a generator they share."""


class DaskWorkers:
    """The workers of a Dask cluster; they may come and go while a study runs.

    ``data`` are prepared folders by fingerprint; each worker finds out what the ``device`` ``auto`` means.

    Raises:
        InputError: if Dask is not installed, no scheduler answers, there is no worker, or a worker does not have the
            data, or this program in this version.
    """

    def __init__(self, address: str, data: Mapping[str, Path], device: str) -> None:
        try:
            import distributed
        except ImportError:
            raise InputError("--dask needs Dask; pip install 'mhpe-bench[dask]'") from None
        for name in ("distributed", "distributed.client"):  # errors that matter are raised here, in one line
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.address, self.data, self.device = address, data, device
        try:
            asyncio.run(_answers(address))
            self._client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except Exception as error:  # Dask raises many kinds for an address that it cannot use
            raise InputError(f"--dask {address}: no scheduler answers there ({error})") from None
        self._executor = self._client.get_executor(pure=False)
        self._killed = distributed.KilledWorker
        try:
            with self._reachable():
                if not self._client.nthreads():
                    raise InputError(f"--dask {address}: the cluster has no worker; dask worker {address} starts one")
                self._check_versions()
                self._check_data()
        except InputError:
            self.close()
            raise

    @property
    def size(self) -> int:
        """Number of workers now."""
        with self._reachable():
            return max(1, len(self._client.nthreads()))

    def submit(self, task: Task) -> Future[Outcome]:
        """Begin a task; one whose worker dies is begun again by Dask, on another worker."""
        folders = {folder: name for name, folder in self.data.items()}
        future: Future[Outcome] = self._executor.submit(_execute, replace(task, device=self.device), folders)
        return future

    def result(self, future: Future[Outcome]) -> Outcome:
        """The outcome of a finished task.

        A WorkerDiedError if several workers died of it; an InputError if the scheduler, or the data, are gone.
        """
        try:
            return future.result()
        except self._killed:
            raise WorkerDiedError("several Dask workers died of it") from None
        except CancelledError:
            raise InputError(f"--dask {self.address}: the scheduler is gone") from None

    def forget(self, key: str) -> None:
        """Delete what is kept of a trial until it is stored."""
        forget(key)
        with self._reachable():
            self._client.run(forget, key, on_error="ignore")

    def close(self) -> None:
        """Leave the cluster. A worker ends the trial it is at after the epoch it is at."""
        self._executor.shutdown(wait=False)
        self._client.close()

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(f"--dask {self.address}: the connection was lost ({error})") from None

    def _check_versions(self) -> None:
        try:
            versions = self._client.run(training_source)
        except Exception as error:  # whatever a worker without this program raises
            raise InputError(f"--dask {self.address}: a worker cannot import this program ({error})") from None
        for worker, version in versions.items():
            if version != training_source():
                raise InputError(
                    f"--dask {self.address}: worker {worker} has another version of mhpe or samplers; install this one"
                )

    def _check_data(self) -> None:
        for worker, missing in self._client.run(_missing, dict(self.data)).items():
            if missing:
                raise InputError(f"--dask {self.address}: worker {worker}: {missing[0]}")


async def _answers(address: str) -> None:
    """Connect to a scheduler, and leave again.

    A Dask client that could not connect can block the next one for ever, if it is collected while that starts. So
    none is made for an address where nobody answers.
    """
    from distributed import Security
    from distributed.comm.core import connect

    connection = await connect(address, timeout=CONNECT_SECONDS, **Security().get_connection_args("scheduler"))
    await connection.close()


# What follows runs on the workers.


class _CancelledError(BaseException):  # not a failure of the trial
    """Nobody waits for the trial any more."""


def _execute(task: Task, fingerprints: Mapping[Path, str]) -> Outcome:
    with _ONE_AT_A_TIME:
        here = {
            folder: _find(folder, fingerprints[folder]) for folder in (task.train_folder, *task.test_folders.values())
        }
        tests = {name: here[folder] for name, folder in task.test_folders.items()}
        return execute(replace(task, train_folder=here[task.train_folder], test_folders=tests), _end_if_cancelled)


def _end_if_cancelled(*_: object) -> None:
    from distributed import get_worker

    worker = get_worker()
    state = worker.state.tasks.get(worker.get_current_task())
    if state is None or state.state == "cancelled":
        raise _CancelledError


def _missing(data: Mapping[str, Path]) -> list[str]:
    """What is wrong with the data sets that this worker cannot find."""
    found = []
    for fingerprint, folder in data.items():
        try:
            _find(folder, fingerprint)
        except InputError as error:
            found.append(str(error))
    return found


def _find(folder: Path, fingerprint: str) -> Path:
    """The folder of a prepared data set on this machine; an InputError if there is none."""
    prepared = cache_folder() / "prepared"
    for place in (folder, prepared / folder.name):
        with suppress(InputError):
            if HeadPoseSet.load(place).fingerprint == fingerprint:
                return place
    raise InputError(
        f"no data set {folder.name} in {folder.parent} or {prepared}; set MHPE_CACHE to a folder that all machines "
        "share, or copy the set there"
    )
