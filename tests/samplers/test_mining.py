"""Samplers that learn from the training: what they draw, and a training that was killed."""

from pathlib import Path
from typing import Any

import pytest
import torch

from mhpe.config import AugmentationConfig, CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.poses import Poses
from mhpe.rotations import geodesic_degrees
from mhpe.train import Epoch
from mhpe.train.checkpoints import Checkpoint
from mhpe.train.loop import train
from mhpe.train.references import EpochDraws
from samplers.base import Sampler
from samplers.contract.tools import seeded, synthetic_poses
from samplers.dense_neighbours import DenseNeighbours
from samplers.distance_weighted_embedding import DistanceWeightedEmbedding
from samplers.random import Random
from samplers.semi_hard import SemiHard
from samplers.support.embeddings import EmbeddingSampler
from samplers.support.recorder import Recorder
from tests.mhpe.conftest import prepared_heads

TINY = CoreConfig(
    image_size=16, k=4, batch_size=16, epochs=3, precision="float32", encoder={"m": 8, "widths": (8, 16), "patch": 2}
)


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> HeadPoseSet:
    return prepared_heads(tmp_path_factory.mktemp("heads"), 48, 16)


def taught(sampler: EmbeddingSampler, poses: Poses) -> EmbeddingSampler:
    """A sampler whose triple vectors are the rotations themselves, so that distances follow angles."""
    nothing = torch.zeros(len(poses), 1)
    sampler.fit(poses, 0.0)
    sampler.observe(poses, nothing.long(), nothing, nothing, poses, poses.rotations.flatten(1))
    return sampler


def test_semi_hard_draws_positives_and_negatives_just_beyond() -> None:
    poses = synthetic_poses(400)
    drawn = taught(SemiHard(near=20, margin=0.3), poses).draw(poses, 8, seeded(0))
    angles = geodesic_degrees(poses.rotations[:, None], poses.rotations[drawn])
    crowded = ((geodesic_degrees(poses.rotations[:, None], poses.rotations) <= 20).sum(1) > 20).nonzero()[:, 0]
    assert len(crowded) > 50
    assert (angles[crowded, :4] <= 20).all()
    assert (angles[crowded, 4:] > 20).float().mean() > 0.9
    assert angles[crowded, 4:].median() < 40  # random ones: 60


def test_distance_weighted_draws_few_beyond_the_cutoff() -> None:
    """With n = 9 the density of random points grows as d^7, so its inverse prefers near images."""
    poses = synthetic_poses(400)
    drawn = taught(DistanceWeightedEmbedding(cutoff=0.3), poses).draw(poses, 8, seeded(0))
    angles = geodesic_degrees(poses.rotations[:, None], poses.rotations[drawn])
    assert angles.median() < 25


def test_embeddings_of_the_mirrored_face_are_unknown() -> None:
    """Two epochs, each of which mirrors another half: what the first one left tells of the other half nothing."""
    poses, config = synthetic_poses(400), TINY.model_copy(update={"augmentation": AugmentationConfig(flip=0.5)})
    epochs = [EpochDraws(config, Random(), poses, 0, epoch) for epoch in (0, 1)]
    shown, as_before = epochs[1].poses, epochs[0].flipped == epochs[1].flipped
    assert 150 < as_before.sum() < 250
    sampler = taught(SemiHard(near=20, margin=0.3), epochs[0].poses)
    sampler.fit(shown, 0.5)
    drawn = sampler.draw(shown, 8, seeded(0))
    angles = geodesic_degrees(shown.rotations[:, None], shown.rotations[drawn])
    enough = (geodesic_degrees(shown.rotations[:, None], shown.rotations) <= 20).sum(1) > 20
    known, unknown = drawn[as_before & enough, 4:], drawn[~as_before & enough, 4:]
    assert as_before[known].float().mean() > 0.9
    assert (angles[as_before & enough, 4:] > 60).float().mean() < 0.1
    assert 0.35 < as_before[unknown].float().mean() < 0.65  # random

    again = SemiHard(near=20, margin=0.3)
    again.load_state({name: value.clone() for name, value in sampler.state().items()})
    again.fit(shown, 0.5)
    assert torch.equal(again.draw(shown, 8, seeded(0)), drawn)
    assert torch.equal(taught(sampler, shown).draw(shown, 8, seeded(0)), taught(again, shown).draw(shown, 8, seeded(0)))


def test_a_window_below_k_grows_to_it() -> None:
    poses = synthetic_poses(400)
    drawn = taught(SemiHard(window=2), poses).draw(poses, 8, seeded(0))
    assert all(len(set(row)) == 8 for row in drawn.tolist())


@pytest.mark.parametrize("cls", [SemiHard, DistanceWeightedEmbedding])
def test_without_embeddings_references_are_random(cls: type[EmbeddingSampler]) -> None:
    poses, sampler = synthetic_poses(400), cls()
    sampler.fit(poses, 0.0)
    drawn = sampler.draw(poses, 8, seeded(0))[:, 4:]
    assert drawn.unique().numel() > 300


def test_dense_neighbours_are_the_nearest_and_one_from_anywhere() -> None:
    poses = synthetic_poses(300)
    sampler = DenseNeighbours()
    sampler.fit(poses, 0.0)
    drawn = sampler.draw(poses, 5, seeded(0))
    angles = geodesic_degrees(poses.rotations[:, None], poses.rotations)
    found = angles.gather(1, drawn)
    nearest = angles.fill_diagonal_(torch.inf).sort(1).values[:, :4]
    torch.testing.assert_close(found[:, :4].sort(1).values, nearest, atol=0.1, rtol=0)
    assert found[:, 4].mean() > 40
    assert drawn[:, 4].unique().numel() > 150


class Killed(BaseException):
    """In the place of kill -9."""


def run(sampler: Sampler, heads: HeadPoseSet, checkpoint: Checkpoint | None = None, last: int | None = None) -> Any:
    def on_epoch(epoch: Epoch) -> None:
        if epoch.number == last:
            raise Killed

    recorder = Recorder(sampler, len(heads))
    network = train(TINY, heads, recorder, 0, torch.device("cpu"), on_epoch, checkpoint)
    return network.state_dict(), recorder.statistics.summary()


@pytest.mark.slow
@pytest.mark.parametrize("cls", [SemiHard, DistanceWeightedEmbedding])
def test_a_killed_training_goes_on_exactly(cls: type[EmbeddingSampler], heads: HeadPoseSet, tmp_path: Path) -> None:
    path = tmp_path / "key.safetensors"
    with pytest.raises(Killed):
        run(cls(), heads, Checkpoint(path, "here"), last=1)
    (weights, counts), (expected, whole) = run(cls(), heads, Checkpoint(path, "here")), run(cls(), heads)
    assert counts == whole
    for name, value in expected.items():
        assert torch.equal(weights[name], value), name


@pytest.mark.slow
def test_observe_sees_the_step(heads: HeadPoseSet) -> None:
    seen: list[tuple[Any, ...]] = []

    class Watcher(Random):
        def observe(self, *step: Any) -> None:
            seen.append(step)

    watched, _ = run(Watcher(), heads)
    assert len(seen) == 9  # batches
    for query, drawn, distances, losses, images, embeddings in seen:
        assert drawn.shape == distances.shape == losses.shape == (16, 4)
        assert set(images.index.tolist()) == set(query.index.tolist()) | set(drawn.flatten().tolist())
        assert embeddings.shape == (len(images), 24)
        assert not any(values.requires_grad for values in (distances, losses, embeddings))
        inputs = torch.searchsorted(images.index, query.index)
        assert torch.equal(images.rotations[inputs], query.rotations)
        first, second = embeddings[inputs], embeddings[torch.searchsorted(images.index, drawn)]
        pair = torch.linalg.vector_norm(first[:, None] - second, dim=2)
        torch.testing.assert_close(distances, pair, atol=2e-3, rtol=0)
    plain, _ = run(Random(), heads)
    assert all(torch.equal(value, plain[name]) for name, value in watched.items())  # watching changes nothing
