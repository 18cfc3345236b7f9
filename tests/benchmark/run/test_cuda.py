"""A trial on a graphics card."""

from pathlib import Path

import pytest
import torch

from benchmark.run.task import Task, execute
from mhpe.config import CoreConfig
from mhpe.datasets import prepared
from samplers.gaussian import Gaussian

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no graphics card here")

TINY = CoreConfig(image_size=32, k=4, batch_size=16, epochs=1, encoder={"m": 8, "widths": (16,)})


def test_a_trial_is_trained_on_the_card_and_says_so(data_root: Path) -> None:
    data = prepared("aflw2000", 32, data_root)
    sampler = Gaussian()
    task = Task("key", "gaussian", sampler.model_dump(), None, TINY, 0, data.folder, {"again": data.folder})
    outcome = execute(task)
    assert outcome.error is None, outcome.traceback
    assert outcome.environment["device"] == torch.cuda.get_device_name()
    assert outcome.evaluations["again"].rotations.shape == (len(data), 3, 3)
