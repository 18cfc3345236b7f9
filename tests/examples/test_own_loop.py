"""The example runs and learns."""

import runpy
from pathlib import Path

import pytest
import torch

from mhpe.poses import Poses
from samplers.gaussian import Gaussian
from samplers.loader import ReferenceBatchSampler
from tests.conftest import make_poses

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_loop.py"


def test_the_example_learns(capsys: pytest.CaptureFixture[str]) -> None:
    history = runpy.run_path(str(EXAMPLE))["main"]()
    assert history[-1] < history[0] / 2
    assert "epoch 4" in capsys.readouterr().out


def test_batches_are_inputs_and_their_references() -> None:
    poses = make_poses(50)
    batches = ReferenceBatchSampler(Gaussian(sigma=15), poses, k=3, batch_size=8, seed=1)
    seen: set[int] = set()
    assert len(batches) == len(list(batches)) == 6
    for batch in batches:
        inputs, references = torch.tensor(batch[:8]), torch.tensor(batch[8:]).view(8, 3)
        assert not (references == inputs[:, None]).any()
        assert not seen & set(batch[:8])
        seen |= set(batch[:8])
    same = ReferenceBatchSampler(Gaussian(sigma=15), poses, k=3, batch_size=8, seed=1)
    assert next(iter(same)) == next(iter(ReferenceBatchSampler(Gaussian(sigma=15), poses, 3, 8, seed=1)))


def test_progress_stays_below_1_in_further_epochs() -> None:
    seen: list[float] = []

    class Watcher(Gaussian):
        def fit(self, poses: Poses, progress: float) -> None:
            seen.append(progress)
            super().fit(poses, progress)

    batches = ReferenceBatchSampler(Watcher(), make_poses(8), k=2, batch_size=8, epochs=2)
    for _ in range(4):
        list(batches)
    assert seen == [0, 0.5, 0.5, 0.5]


def test_a_batch_larger_than_the_data_is_refused() -> None:
    with pytest.raises(ValueError, match="batch_size"):
        ReferenceBatchSampler(Gaussian(), make_poses(5), k=2, batch_size=6)
