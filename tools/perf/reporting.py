"""The row of the report: time and memory of ``bench report`` over a store of ten thousand trials."""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmark.store import Store
from samplers.gaussian import Gaussian
from samplers.random import Random
from tools.perf.made_up_results import MadeUpStudy, fill
from tools.perf.rows import Goal, Row, Setting

STUDIES, ARMS, SEEDS = 5, 20, 100
"""Studies share the baseline's trials; arms beside it."""


def report_row(setting: Setting) -> Iterator[Row]:
    """Seconds from the command to its end."""
    url = f"sqlite:///{setting.folder}/ten-thousand.sqlite"
    store = Store(url)
    for study in range(STUDIES):
        sigmas = [15 + study + STUDIES * arm for arm in range(ARMS)]
        arms = {"random": Random()} | {f"gaussian {sigma}": Gaussian(sigma=sigma) for sigma in sigmas}
        made_up = MadeUpStudy(f"study_{study}", arms, SEEDS)
        fill(store, made_up)
    trials = SEEDS * (STUDIES * ARMS + 1)
    call = [sys.executable, "-c", "from benchmark.cli import main; main()", "report", "--store", url]
    started = time.perf_counter()
    subprocess.run([*call, "--out", str(setting.folder / "report")], check=True, capture_output=True)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    what = (
        f"bench report over {trials:,} trials of {made_up.core.epochs} epochs with two evaluations each, "
        f"in {STUDIES} studies"
    )
    yield Row(what, seconds, "s", goal=Goal("<=", 20), note=f"peak memory {peak:.2f} GiB in the largest process")
