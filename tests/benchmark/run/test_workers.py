"""Worker processes: their devices, and what is made of their deaths."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import types
from collections.abc import Iterator
from pathlib import Path

import joblib
import pandas as pd
import psutil
import pytest
import sqlalchemy as sa
import torch

from benchmark.run import workers
from benchmark.run.workers import START_METHOD, WorkerDiedError, WorkerProcess, devices, process_count
from benchmark.store import Store, schema
from mhpe.errors import InputError
from tests.benchmark.conftest import TINY, Bench

pytestmark = pytest.mark.slow

FATAL = '''
import os
import signal
from pathlib import Path

from samplers import Sampler


class Fatal(Sampler):
    """Kills its process, as the system does when memory is short: every time, or only the first time."""

    name = "fatal"
    marker: str = ""

    def draw(self, query, k, generator):
        if not self.marker or not Path(self.marker).exists():
            if self.marker:
                Path(self.marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return (query.index[:, None].expand(-1, k) + 1) % len(self.candidates)


class Greedy(Sampler):
    """Asks for more memory than there is."""

    name = "greedy"

    def draw(self, query, k, generator):
        raise MemoryError("cannot [allocate] 1 PiB")
'''


@pytest.fixture
def study(tmp_path: Path) -> list[object]:
    """Words for a study with all of these samplers."""
    (tmp_path / "fatal.py").write_text(FATAL)
    path = tmp_path / "tiny.yaml"
    arms = f"  - sampler: fatal\n  - {{sampler: fatal, label: once, marker: {tmp_path}/marker}}\n  - sampler: greedy\n"
    path.write_text(TINY.replace("image_size: 32", "image_size: 16") + arms)
    return ["--study", path, "--sampler-file", tmp_path / "fatal.py"]


def test_dead_and_failed_workers_cost_their_own_trials_only(bench: Bench, study: list, data_root: Path) -> None:
    call = ("run", *study, "--data-root", data_root, "--seeds", 1, "--jobs", 2)
    result = bench(*call)
    assert result.status == 1
    # random, two gaussians, and the one that died once
    assert "6 trials: 4 trained, 0 reused, 2 failed" in result.out
    died = "its process was ended by SIGKILL, as the system does when memory is short"
    assert f"bench: fatal, aflw2000, seed 0: {died}; trying again\n" in result.err
    assert f"bench: once, aflw2000, seed 0: {died}; trying again\n" in result.err
    assert f"bench: failed: fatal, aflw2000, seed 0: WorkerDied: {died}, 2 times\n" in result.err
    assert (
        "bench: failed: greedy, aflw2000, seed 0: MemoryError: cannot [allocate] 1 PiB (fatal.py, line 29)\n"
        in result.err
    )

    t = schema.trials.c
    with Store("results/bench.sqlite").engine.connect() as connection:
        failed = {row.sampler: row for row in connection.execute(sa.select(schema.trials).where(t.status == "failed"))}
    assert set(failed) == {"fatal", "greedy"}
    assert failed["fatal"].error_type == "WorkerDied"
    assert "MemoryError" in failed["greedy"].traceback
    assert all(row.environment["host"] for row in failed.values())
    report = bench("report")
    assert re.search(r"fatal.*WorkerDied \(seed 0\)", report.out)
    assert "6 trials: 0 trained, 4 reused, 2 failed" in bench(*call).out


def test_same_trial_same_predictions(bench: Bench, tiny_study: Path, data_root: Path) -> None:
    """With one process or two, alone or in a study."""

    def predictions(name: str, *words: object) -> pd.Series:
        words = ("run", "--study", tiny_study, "--data-root", data_root, "--store", name, *words)
        assert bench(*words).status == 0
        table = schema.predictions.c
        with Store(name).engine.connect() as connection:
            rows = connection.execute(sa.select(table.trial, table.rotations, table.strengths)).all()
        return pd.Series({row.trial: (row.rotations, row.strengths) for row in rows})

    one = predictions("one.sqlite", "--jobs", 1)
    assert len(one) == 6
    assert predictions("two.sqlite", "--jobs", 2).to_dict() == one.to_dict()
    alone = predictions("alone.sqlite", "--jobs", 2, "--arm", "gaussian(sigma=30)", "--seeds", 1)
    assert len(alone) == 1
    assert alone.to_dict() == one[alone.index].to_dict()


def test_graphics_cards_are_used_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert devices("cuda", 5) == ["cuda:0", "cuda:1", "cuda:0", "cuda:1", "cuda:0"]
    assert devices("cuda", 1) == ["cuda:0"]
    assert devices("cpu", 3) == ["cpu"] * 3


@pytest.fixture
def process() -> Iterator[WorkerProcess]:
    made = WorkerProcess()
    yield made
    made.kill()
    made.join()


def test_worker_process_answers_raises_and_is_replaced_when_it_dies(process: WorkerProcess) -> None:
    assert process.submit(abs, -3).result() == 3
    with pytest.raises(ValueError, match="invalid literal"):
        process.submit(int, "x").result()
    with pytest.raises(SystemExit):
        process.submit(sys.exit, 3).result()
    with pytest.raises(TypeError, match="cannot be sent"):
        process.submit(open, os.devnull).result()
    with pytest.raises(WorkerDiedError, match="ended with status 3"):
        process.submit(os._exit, 3).result()
    assert process.submit(abs, -4).result() == 4


class Unreadable:
    """An answer that the other process cannot read."""

    def __reduce__(self) -> tuple[object, ...]:
        return open, ("/nowhere/at all",)


def test_a_process_whose_answer_cannot_be_read_is_replaced(
    process: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "END_SECONDS", 0.1)
    with pytest.raises(WorkerDiedError, match="SIGKILL"):
        process.submit(Unreadable).result(60)
    assert process.submit(abs, -4).result(60) == 4


def test_processes_that_prepared_data_are_gone_before_the_training(process: WorkerProcess) -> None:
    prepared = joblib.Parallel(2)(joblib.delayed(os.getpid)() for _ in range(4))
    assert all(map(psutil.pid_exists, prepared))
    assert process.submit(abs, -3).result() == 3
    assert not any(map(psutil.pid_exists, prepared))


def test_worker_killed_while_it_sends_its_answer_has_died(process: WorkerProcess) -> None:
    future = process.submit(begin_to_answer_and_die)
    with pytest.raises(WorkerDiedError, match="SIGKILL"):
        future.result(timeout=60)


def begin_to_answer_and_die() -> bytes:
    threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGKILL)).start()
    return bytes(300_000_000)  # which takes longer to send


def test_worker_that_cannot_import_its_task_says_so(process: WorkerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("only_here")
    exec("def function(): ...", vars(module))
    monkeypatch.setitem(sys.modules, "only_here", module)
    with pytest.raises(InputError, match="cannot start its task: ModuleNotFoundError: No module named 'only_here'"):
        process.submit(module.function).result()


BEGIN = """
import signal
from benchmark.run.workers import WorkerProcess
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever runs the tests may ignore it
print("ready", flush=True)
try:
    WorkerProcess().submit(abs, 1).result()
except KeyboardInterrupt:
    raise SystemExit(130)
"""


@pytest.mark.skipif(START_METHOD != "forkserver", reason="no fork server here")
@pytest.mark.parametrize("seconds", [0.1, 1])
def test_interrupt_while_workers_start_is_quiet(seconds: float) -> None:
    call = [sys.executable, "-c", BEGIN]
    with subprocess.Popen(
        call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)  # the server takes longer to import PyTorch
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the server gets it too
        _, problems = process.communicate(timeout=60)
    assert process.returncode == 130
    assert problems == ""


@pytest.mark.parametrize(
    ("free", "cores", "jobs"), [([80], 16, 8), ([24], 16, 3), ([4], 16, 1), ([80, 80], 16, 16), ([80, 80, 80], 2, 3)]
)
def test_a_card_is_shared_as_far_as_its_memory_and_the_cores_allow(
    free: list[int], cores: int, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(free))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda card: (free[card] << 30, 96 << 30))
    monkeypatch.setattr("joblib.cpu_count", lambda: cores)
    assert process_count(None, "cuda") == jobs
    assert process_count(5, "cuda") == 5
