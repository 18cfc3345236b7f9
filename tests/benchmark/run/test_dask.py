"""Trials on a Dask cluster."""

import os
import re
import shutil
import signal
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from benchmark.run import dask as cluster
from benchmark.run.dask import DaskWorkers
from benchmark.run.task import Task
from mhpe.config import CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.datasets import prepared
from mhpe.errors import InputError
from samplers.random import Random
from tests.benchmark.run.place import TRIALS, Place, contents
from tests.benchmark.run.test_processes import statuses
from tests.benchmark.zygote import Process, Zygote, waiting

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Scheduler:
    """A scheduler in a process of its own."""

    address: str
    process: Process


@pytest.fixture
def scheduler(zygote: Zygote, tmp_path: Path) -> Scheduler:
    words = ("--host", "127.0.0.1", "--port", 0, "--no-dashboard", "--no-show")
    process = zygote.start("distributed.cli.dask_scheduler:main", *words, cwd=tmp_path)
    for _ in waiting("the scheduler"):
        if found := re.search(r"Scheduler at: +(tcp://127\.0\.0\.1:\d+)", process.output):
            return Scheduler(found[1], process)
    raise AssertionError


def start_worker(zygote: Zygote, scheduler: Scheduler, folder: Path) -> Process:
    """A worker process with a cache of its own."""
    folder.mkdir()
    words = (scheduler.address, "--nthreads", 1, "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
    process = zygote.start("distributed.cli.dask_worker:main", *words, cwd=folder, MHPE_CACHE=folder / "cache")
    for _ in waiting("a worker"):
        if "Registered to:" in process.output:
            return process
    raise AssertionError


def test_study_survives_the_death_of_a_worker(
    place: Place,
    zygote: Zygote,
    scheduler: Scheduler,
    tmp_path: Path,
) -> None:
    workers = [start_worker(zygote, scheduler, tmp_path / name) for name in ("a", "b")]
    place.train_longer()
    run = place.run("--dask", scheduler.address)
    for _ in waiting("results, and a training on the worker that is killed"):
        if "done" in statuses(place).values() and any((tmp_path / "a" / "cache" / "checkpoints").glob("*.pt")):
            break
    before = list(statuses(place).values()).count("done")
    os.kill(workers[0].pid, signal.SIGKILL)
    assert run.wait() == 0, run.output
    assert 0 < before < TRIALS
    assert f"{TRIALS} trials: {TRIALS} trained, 0 reused" in run.output
    found = contents(place.store)
    assert len(found["evaluations"]) == len(found["weights"]) == TRIALS
    # finished trials leave no checkpoints on the worker that lives, but for one that was sent there as the other died
    assert len(list((tmp_path / "b" / "cache" / "checkpoints").glob("*"))) <= 1


def test_scheduler_that_ends_is_one_clear_line(
    place: Place,
    zygote: Zygote,
    scheduler: Scheduler,
    tmp_path: Path,
) -> None:
    start_worker(zygote, scheduler, tmp_path / "a")
    place.train_longer()
    run = place.run("--dask", scheduler.address)
    for _ in waiting("a result"):
        if "done" in statuses(place).values():
            break
    os.kill(scheduler.process.pid, signal.SIGKILL)
    assert run.wait() == 2, run.output
    assert run.output.splitlines()[-1].startswith(f"bench: --dask {scheduler.address}: ")
    print(run.output)
    assert "Traceback" not in run.output
    assert "running" not in statuses(place).values()  # what was not finished can be done elsewhere at once


def test_missing_scheduler_and_workers_are_named(scheduler: Scheduler, monkeypatch) -> None:
    address = scheduler.address
    with pytest.raises(InputError, match=f"--dask {address}: the cluster has no worker; dask worker {address}"):
        DaskWorkers(address, {}, "cpu")
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(InputError, match=r"--dask tcp://127.0.0.1:9: no scheduler answers there"):
        DaskWorkers("tcp://127.0.0.1:9", {}, "cpu")


@pytest.mark.parametrize("address", ["nonsense://x", "tls://localhost:1", "tcp://"])
def test_addresses_that_cannot_be_used_are_named(address: str) -> None:
    with pytest.raises(InputError, match=f"--dask {address}: no scheduler answers there"):
        DaskWorkers(address, {}, "cpu")


@pytest.fixture
def far_away(tmp_path: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch):
    """A data set, and a cluster (in this process) that shares no file system with it."""
    distributed = pytest.importorskip("distributed")
    data = prepared("aflw2000", 16, data_root)
    monkeypatch.setenv("MHPE_CACHE", str(tmp_path / "far"))
    find = cluster._find
    monkeypatch.setattr(cluster, "_find", lambda folder, name: find(Path("/nowhere") / folder.name, name))
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0") as made:
        yield data, made.scheduler_address


def task(data: HeadPoseSet) -> Task:
    core = CoreConfig(image_size=16, k=2, epochs=1, encoder={"m": 4, "widths": (8,)})
    return Task("0" * 20, "random", Random().model_dump(), None, core, 0, data.folder, {"test": data.folder})


def test_workers_without_the_data_are_named(far_away, tmp_path: Path) -> None:
    data, address = far_away
    with pytest.raises(
        InputError, match=rf"--dask {address}: worker .*: no data set {data.folder.name} in .* MHPE_CACHE"
    ):
        DaskWorkers(address, {data.fingerprint: data.folder}, "cpu")
    late = DaskWorkers(address, {}, "cpu")  # the worker joined after the check
    late.data = {data.fingerprint: data.folder}
    with pytest.raises(InputError, match="no data set aflw2000-16px"):
        late.result(late.submit(task(data)))
    shutil.copytree(data.folder, tmp_path / "far" / "prepared" / data.folder.name)
    outcome = late.result(late.submit(task(data)))
    assert outcome.error is None
    assert outcome.evaluations["test"].fingerprint == data.fingerprint
    late.close()


def test_cancelled_trial_ends_after_its_epoch(far_away, tmp_path: Path) -> None:
    data, address = far_away
    shutil.copytree(data.folder, tmp_path / "far" / "prepared" / data.folder.name)
    workers = DaskWorkers(address, {data.fingerprint: data.folder}, "cpu")
    short = task(data)
    future = workers.submit(replace(short, core=short.core.model_copy(update={"epochs": 100_000})))
    for _ in waiting("the training"):
        if list((data.folder.parents[2] / "far" / "checkpoints").glob("*.pt")):
            break
    workers.close()
    assert future.cancelled()
    again = DaskWorkers(address, {data.fingerprint: data.folder}, "cpu")  # the worker is free for another trial
    assert again.result(again.submit(task(data))).error is None
    again.close()


def test_another_version_on_a_worker_is_refused(far_away, monkeypatch) -> None:
    _, address = far_away
    here = threading.get_ident()
    monkeypatch.setattr(cluster, "training_source", lambda: "ours" if threading.get_ident() == here else "theirs")
    with pytest.raises(InputError, match=r"has another version of mhpe or samplers; install this one"):
        DaskWorkers(address, {}, "cpu")
