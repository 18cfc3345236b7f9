"""Starts Python processes quickly: everything is imported once, and each process is a fork of this one.

Importing PyTorch takes seconds. Worker processes are forks too, instead of coming from a server of their own.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import psutil

PATIENCE_SECONDS = 240


class Zygote:
    """The process that all others are forked from."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmark.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self._started: list[Process] = []

    def start(self, call: str, *words: object, cwd: Path, **environment: object) -> "Process":
        """Call ``module:function`` in a new session, with command line words and further environment."""
        log = cwd / f"log-{len(self._started)}"
        environment = {name: str(value) for name, value in environment.items()}
        pid = self._ask(call=call, words=[*map(str, words)], cwd=str(cwd), environment=environment, log=str(log))
        self._started.append(Process(self, int(pid), log))
        return self._started[-1]

    def status(self, pid: int) -> int | None:
        """Exit status of a process, negative for a signal; None while it runs."""
        return self._ask(status_of=pid)

    def close(self) -> None:
        for process in self._started:
            if process.status() is None:
                os.killpg(process.pid, signal.SIGKILL)
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _ask(self, **request: object) -> int | None:
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@dataclass(frozen=True)
class Process:
    """A forked process, the leader of its group."""

    zygote: Zygote
    pid: int
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def status(self) -> int | None:
        return self.zygote.status(self.pid)

    def wait(self) -> int:
        """Exit status, once it has ended."""
        for _ in waiting(f"the end of {self.log}"):
            if (status := self.status()) is not None:
                return status
        raise AssertionError

    def workers(self) -> list[int]:
        """Children that were forked, not started as a program of their own."""
        with suppress(psutil.Error):
            own = psutil.Process(self.pid)
            return sorted(child.pid for child in own.children() if child.cmdline() == own.cmdline())
        return []


def lives(pid: int) -> bool:
    """Whether there is such a process, and it is not one that only waits for its parent to notice its end."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def waiting(what: str, seconds: float = 0.03) -> Iterator[None]:
    """Loop until something has come; fail if it never does."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        yield
        time.sleep(seconds)
    raise AssertionError(f"waited in vain for {what}")


@contextmanager
def zygote() -> Iterator[Zygote]:
    """A zygote that ends with everything it started."""
    made = Zygote()
    try:
        yield made
    finally:
        made.close()


def _serve() -> None:
    import torch

    from benchmark.run import workers

    for module in ("distributed.cli.dask_scheduler", "distributed.cli.dask_worker"):
        import_module(module)
    torch.set_num_threads(1)
    workers.START_METHOD = "fork"
    statuses: dict[int, int] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "status_of" in request:
            pid = request["status_of"]
            if pid not in statuses and (ended := os.waitpid(pid, os.WNOHANG))[0]:
                statuses[pid] = os.waitstatus_to_exitcode(ended[1])
            answer = statuses.get(pid)
        else:
            answer = os.fork()
            if answer == 0:
                _become(request)
        print(json.dumps(answer), flush=True)


def _become(request: dict) -> None:
    """Turn a fresh fork into the process that was asked for."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it
    os.chdir(request["cwd"])
    os.environ.update(request["environment"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    module, function = request["call"].split(":")
    sys.argv = [function, *request["words"]]
    status = 1
    try:
        getattr(import_module(module), function)()
        status = 0
    except SystemExit as ended:
        status = int(ended.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve()
