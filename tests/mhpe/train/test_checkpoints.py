"""Checkpoints: a training that was killed ends like one that was not."""

import os
from pathlib import Path

import pytest
import safetensors.torch
import torch

from mhpe.config import CoreConfig, ScheduleConfig
from mhpe.data import HeadPoseSet
from mhpe.model.mhpe import MHPE
from mhpe.train import Epoch
from mhpe.train.checkpoints import Checkpoint
from mhpe.train.loop import train
from samplers.gaussian import Gaussian
from tests.mhpe.conftest import prepared_heads

TINY = CoreConfig(
    image_size=16, k=2, batch_size=16, epochs=4, precision="float32", encoder={"m": 8, "widths": (8, 16), "patch": 2}
)
STEPS = ScheduleConfig(kind="step", milestones=(1, 3))
POOL = {"references": "pool", "pool_size": 12}
AVERAGE = {"average": "ema", "average_decay": 0.9}


class Killed(BaseException):
    """In the place of kill -9."""


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> HeadPoseSet:
    return prepared_heads(tmp_path_factory.mktemp("heads"), 48, 16)


def run(
    heads: HeadPoseSet, config: CoreConfig, checkpoint: Checkpoint | None = None, last: int | None = None
) -> tuple[MHPE, list[Epoch]]:
    """Train, and be killed after the epoch ``last``."""
    epochs: list[Epoch] = []

    def on_epoch(epoch: Epoch) -> None:
        epochs.append(epoch)
        if epoch.number == last:
            raise Killed

    model = train(config, heads, Gaussian(sigma=20), 3, torch.device("cpu"), on_epoch, checkpoint)
    return model, epochs


def assert_same(found: tuple[MHPE, list[Epoch]], expected: tuple[MHPE, list[Epoch]]) -> None:
    for name, value in expected[0].state_dict().items():
        assert torch.equal(found[0].state_dict()[name], value), name
    assert found[1] == expected[1]


@pytest.mark.slow
@pytest.mark.parametrize("change", [{}, {"schedule": STEPS}, POOL, AVERAGE])
def test_resumed_training_is_the_uninterrupted_one_bit_for_bit(heads: HeadPoseSet, tmp_path: Path, change) -> None:
    config = TINY.model_copy(update=change)
    path = tmp_path / "checkpoints" / "key.pt"
    for last in (0, 2):  # killed twice, each time in another process
        with pytest.raises(Killed):
            run(heads, config, Checkpoint(path, "here"), last)
    assert_same(run(heads, config, Checkpoint(path, "here")), run(heads, config))


def test_finished_training_is_restored_without_an_epoch_more(heads: HeadPoseSet, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "key.pt"
    done = run(heads, TINY, Checkpoint(path, "here"))
    monkeypatch.setattr("mhpe.model.mhpe.MHPE.loss", None)
    again = Checkpoint(path, "here")
    assert_same(run(heads, TINY, again), done)
    assert again.seconds > 0
    again.remove()
    assert list(tmp_path.iterdir()) == []


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)


def replace_by_weights(path: Path) -> None:
    state = MHPE(TINY, 0).state_dict()
    safetensors.torch.save_file({name: value.contiguous() for name, value in state.items()}, path)


@pytest.mark.parametrize("damage", [cut, flip_a_bit, replace_by_weights, lambda path: path.write_bytes(b"")])
def test_damaged_checkpoint_is_not_used_and_noted(heads: HeadPoseSet, tmp_path: Path, damage) -> None:
    config = TINY.model_copy(update={"epochs": 2})
    path = tmp_path / "key.pt"
    with pytest.raises(Killed):
        run(heads, config, Checkpoint(path, "here"), 0)
    damage(path)
    checkpoint = Checkpoint(path, "here")
    assert_same(run(heads, config, checkpoint), run(heads, config))
    (note,) = checkpoint.notes
    assert note.startswith(f"checkpoint {path} not used: ")


@pytest.mark.slow
def test_checkpoint_of_another_version_is_not_used(heads: HeadPoseSet, tmp_path: Path) -> None:
    path = tmp_path / "key.pt"
    with pytest.raises(Killed):
        run(heads, TINY, Checkpoint(path, "PyTorch 1"), 0)
    checkpoint = Checkpoint(path, "PyTorch 2")
    assert_same(run(heads, TINY, checkpoint), run(heads, TINY))
    assert "of another trial, version or device" in checkpoint.notes[0]


def test_full_disk_costs_the_checkpoint_and_not_the_training(heads: HeadPoseSet, tmp_path: Path, monkeypatch) -> None:
    def full(self: Path, content: bytes) -> None:
        raise OSError(28, os.strerror(28))

    config = TINY.model_copy(update={"epochs": 2})
    checkpoint = Checkpoint(tmp_path / "new" / "key.pt", "here")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        trained = run(heads, config, checkpoint)
    assert_same(trained, run(heads, config))
    assert checkpoint.notes == [f"no checkpoint in {tmp_path / 'new'}: No space left on device"]
    assert list((tmp_path / "new").iterdir()) == []
