"""The training loop."""

from pathlib import Path

import pytest
import torch

from mhpe.config import CoreConfig, ScheduleConfig
from mhpe.data import HeadPoseSet
from mhpe.model.encoder import normalise
from mhpe.model.mhpe import MHPE
from mhpe.poses import Poses
from mhpe.train import Epoch
from mhpe.train.loop import NotFiniteError, poses_of, train
from mhpe.train.metrics import errors, summary
from samplers.gaussian import Gaussian
from samplers.random import Random

pytestmark = pytest.mark.slow

TINY = CoreConfig(
    image_size=32, k=4, batch_size=16, epochs=12, precision="float32", encoder={"m": 32, "widths": (32, 64), "patch": 4}
)
CPU = torch.device("cpu")


def history(config: CoreConfig, data: HeadPoseSet, seed: int = 0) -> tuple[list[Epoch], torch.nn.Module]:
    epochs: list[Epoch] = []
    return epochs, train(config, data, Random(), seed, CPU, epochs.append)


def test_training_learns(heads: HeadPoseSet) -> None:
    epochs, model = history(TINY, heads)
    assert [epoch.number for epoch in epochs] == list(range(12))
    assert epochs[-1].losses["total"] < 0.5 * epochs[0].losses["total"]
    assert epochs[-1].losses["dist"] < 0.5 * epochs[0].losses["dist"]
    prediction = model.predict(torch.from_numpy(heads.images)).rotations
    poses = poses_of(heads)
    found = summary(errors(prediction, poses.rotations, poses.angles))
    constant = summary(errors(poses.rotations.mean(0).expand(len(heads), 3, 3), poses.rotations, poses.angles))
    assert found["geodesic_mean"] < 0.6 * constant["geodesic_mean"]


def test_same_seed_same_weights(heads: HeadPoseSet) -> None:
    config = TINY.model_copy(update={"epochs": 2})
    (first, a), (second, b) = history(config, heads, 3), history(config, heads, 3)
    assert first == second
    for name, value in a.state_dict().items():
        assert torch.equal(value, b.state_dict()[name]), name
    other, _ = history(config, heads, 4)
    assert other[0].losses != first[0].losses


def test_each_distinct_image_is_encoded_once(heads: HeadPoseSet) -> None:
    """128 images, batches of 16 inputs with 4 references: never more images than the set or the draws."""
    epochs, _ = history(TINY.model_copy(update={"epochs": 1}), heads)
    assert 1 < epochs[0].images_per_input <= 5
    small = TINY.model_copy(update={"epochs": 1, "references": "pool", "pool_size": 20})
    epochs, _ = history(small, heads)
    assert epochs[0].images_per_input <= (16 + 20) / 16


def test_images_per_input_of_a_set_smaller_than_a_batch(heads: HeadPoseSet) -> None:
    config = TINY.model_copy(update={"epochs": 1, "batch_size": 512})
    epochs, _ = history(config, heads)
    assert epochs[0].images_per_input == 1  # every one of the 128 is an input of the only batch


def test_encoding_once_gives_the_same_loss_as_encoding_every_reference(heads: HeadPoseSet) -> None:
    config = TINY.model_copy(update={"noise_c": 0.0})
    model = MHPE(config, 0).eval()  # running statistics: a duplicate must not change its neighbours
    images = normalise(torch.from_numpy(heads.images))
    poses = poses_of(heads)
    inputs = torch.arange(6)
    references = torch.randint(128, (6, 4), generator=torch.Generator().manual_seed(0))
    distinct, at = torch.unique(torch.cat((inputs, references.flatten())), return_inverse=True)
    generator = torch.Generator()
    once = model.loss(model(images[distinct]), poses[distinct], at[:6], at[6:].view(6, 4), generator)
    everything = torch.cat((inputs, references.flatten()))
    output, at = model(images[everything]), torch.arange(30)
    naive = model.loss(output, poses[everything], at[:6], at[6:].view(6, 4), generator)
    torch.testing.assert_close(once.parts, naive.parts, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(once.total, naive.total, atol=1e-5, rtol=1e-5)


def test_references_without_supervision_have_no_loss_of_their_own(heads: HeadPoseSet) -> None:
    supervised, _ = history(TINY.model_copy(update={"epochs": 1}), heads)
    plain, _ = history(TINY.model_copy(update={"epochs": 1, "reference_weight": 0.0}), heads)
    assert plain[0].losses["vector"] < 0.8 * supervised[0].losses["vector"]


def test_sampler_sees_the_poses_that_are_shown(heads: HeadPoseSet) -> None:
    """Mirrored images are offered with their mirrored pose, anew in every epoch."""
    seen: list[Poses] = []

    class Spy(Gaussian):
        def fit(self, poses: Poses, progress: float) -> None:
            seen.append(poses)
            super().fit(poses, progress)

    train(TINY.model_copy(update={"epochs": 2}), heads, Spy(), 0, CPU)
    labels = torch.from_numpy(heads.angles)
    for poses in seen:
        mirrored = poses.angles[:, 0] == -labels[:, 0]
        assert 0.3 < mirrored.float().mean() < 0.7
        torch.testing.assert_close(poses.angles[:, 2], torch.where(mirrored, -labels[:, 2], labels[:, 2]))
    assert not torch.equal(seen[0].angles, seen[1].angles)


def test_infinite_loss_ends_the_training(heads: HeadPoseSet) -> None:
    with pytest.raises(NotFiniteError, match="epoch 0"):
        history(TINY.model_copy(update={"learning_rate": 1e30}), heads)


def test_step_schedule_steps_at_its_epochs(heads: HeadPoseSet) -> None:
    schedule = ScheduleConfig(kind="step", milestones=(1, 3))
    epochs, _ = history(TINY.model_copy(update={"epochs": 4, "schedule": schedule, "learning_rate": 0.01}), heads)
    assert [epoch.learning_rate for epoch in epochs] == pytest.approx([0.001, 0.001, 0.0001, 0.0001])


def test_memory_map_is_not_written_to(heads: HeadPoseSet, tmp_path: Path) -> None:
    before = (heads.folder / "images.npy").read_bytes()
    history(TINY.model_copy(update={"epochs": 1}), heads)
    assert (heads.folder / "images.npy").read_bytes() == before
