"""The core on a graphics card says what it says on the processor."""

from pathlib import Path

import pytest
import torch

from mhpe.config import CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.model.encoder import normalise
from mhpe.model.mhpe import MHPE
from mhpe.model.network import Network
from mhpe.rotations import geodesic_degrees
from mhpe.train import Epoch
from mhpe.train.checkpoints import Checkpoint
from mhpe.train.loop import poses_of, train
from samplers.gaussian import Gaussian
from samplers.support.recorder import Recorder

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no graphics card here")

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
TINY = CoreConfig(
    image_size=32, k=4, batch_size=16, epochs=3, precision="float32", encoder={"m": 32, "widths": (32, 64), "patch": 4}
)


def test_loss_and_gradients_are_those_of_the_processor(heads: HeadPoseSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.backends.cudnn.allow_tf32", False)  # rounds convolutions to 10 bits

    def step(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        model = MHPE(TINY, 0).to(device)
        images = normalise(torch.from_numpy(heads.images[:40]).to(device))
        poses = poses_of(heads)[torch.arange(40)].to(device)
        inputs, references = torch.arange(8, device=device), torch.arange(8, 40, device=device).view(8, 4)
        generator = torch.Generator().manual_seed(0)
        loss = model.loss(model(images), poses, inputs, references, generator)
        loss.total.backward()
        gradients = [parameter.grad.flatten().cpu() for parameter in model.parameters() if parameter.grad is not None]
        return loss.parts.cpu(), torch.cat(gradients)

    (parts, gradients), (expected_parts, expected) = step(CUDA), step(CPU)
    torch.testing.assert_close(parts, expected_parts, rtol=1e-4, atol=1e-5)
    assert (gradients - expected).norm() < 1e-3 * expected.norm()


def test_a_network_predicts_the_same_rotations(heads: HeadPoseSet) -> None:
    model = train(TINY, heads, Gaussian(), 0, CPU)
    images = torch.from_numpy(heads.images)
    expected, found = model.predict(images), model.to(CUDA).predict(images)
    assert geodesic_degrees(found.rotations, expected.rotations).max() < 0.05
    torch.testing.assert_close(found.strengths, expected.strengths, rtol=5e-3, atol=1e-3)


def test_a_seed_draws_the_same_references_and_learns_as_well(heads: HeadPoseSet) -> None:
    def history(device: torch.device) -> tuple[list[Epoch], object]:
        epochs: list[Epoch] = []
        sampler = Recorder(Gaussian(), len(heads))
        train(TINY, heads, sampler, 5, device, epochs.append)
        return epochs, sampler.statistics.summary()

    (card, drawn), (processor, expected) = history(CUDA), history(CPU)
    assert drawn == expected
    assert [epoch.images_per_input for epoch in card] == [epoch.images_per_input for epoch in processor]
    assert card[-1].losses["total"] == pytest.approx(processor[-1].losses["total"], rel=0.1)


def test_a_killed_training_goes_on_from_its_checkpoint(heads: HeadPoseSet, tmp_path: Path) -> None:
    class KilledError(Exception):
        pass

    def kill(epoch: int, _: Network) -> None:
        if epoch == 1:
            raise KilledError

    path, epochs = tmp_path / "checkpoint", []
    with pytest.raises(KilledError):
        train(TINY, heads, Gaussian(), 0, CUDA, checkpoint=Checkpoint(path, ""), watch=kill)
    again = Checkpoint(path, "")
    model = train(TINY, heads, Gaussian(), 0, CUDA, epochs.append, again)
    assert again.notes == []
    assert [epoch.number for epoch in epochs] == [0, 1, 2]
    assert all(parameter.device.type == "cuda" for parameter in model.parameters())
