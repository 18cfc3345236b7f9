"""What a worker makes of a trial that goes wrong."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.run import task as tasks
from benchmark.run.task import Task, execute
from mhpe.config import CoreConfig
from mhpe.datasets import prepared
from mhpe.errors import DataSetError

TINY = CoreConfig(image_size=16, k=2, epochs=2, batch_size=16, encoder={"m": 4, "widths": (8,)})
EXITS = """
import sys
from samplers import Sampler

class Exits(Sampler):
    name = "exits"

    def draw(self, query, k, generator):
        sys.exit("no weights")
"""


@pytest.fixture
def task(data_root: Path, tmp_path: Path) -> Task:
    folder = tmp_path / "data"
    shutil.copytree(prepared("aflw2000", 16, data_root).folder, folder)
    return Task("key", "random", {}, None, TINY, 0, folder, {"test": folder})


def test_exit_of_a_sampler_is_a_failed_trial_with_its_line(task: Task) -> None:
    outcome = execute(replace(task, sampler="exits", sampler_source=(Path("exits.py"), EXITS)))
    assert outcome.error == ("SystemExit", "no weights (exits.py, line 9)")
    assert "line 9, in draw" in outcome.traceback


def test_missing_data_set_is_no_failure_of_the_trial(task: Task) -> None:
    with pytest.raises(DataSetError, match="nowhere"):
        execute(replace(task, train_folder=Path("nowhere")))
    with pytest.raises(DataSetError, match="nowhere"):
        execute(replace(task, test_folders={"test": Path("nowhere")}))


def test_checkpoint_of_another_trial_is_not_used(task: Task) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(task, stop)
    tasks._checkpoint_path("key").rename(tasks._checkpoint_path("other"))
    outcome = execute(replace(task, key="other"))
    assert outcome.error is None
    assert "another trial" in outcome.notes[0]
    fresh = execute(replace(task, key="fresh"))
    assert outcome.weights == fresh.weights
