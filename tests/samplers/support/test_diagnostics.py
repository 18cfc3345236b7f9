"""Numbers about draws, against counts by hand."""

import json
from collections import Counter

import numpy as np
import pytest
import torch
from torch import Tensor

from mhpe.poses import Poses
from mhpe.rotations import from_euler, geodesic_degrees
from samplers.base import Sampler
from samplers.bins import Bins
from samplers.gaussian import Gaussian
from samplers.random import Random
from samplers.reverse_gaussian import ReverseGaussian
from samplers.support.diagnostics import DrawStatistics
from samplers.support.recorder import Recorder
from samplers.support.registry import Registry
from samplers.uniform import Uniform
from tests.conftest import make_poses


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def recorded(sampler: Sampler, poses: Poses, k: int, batches: int = 1, size: int | None = None) -> dict:
    recorder, generator = Recorder(sampler, len(poses)), seeded()
    recorder.fit(poses, 0.0)
    for batch in range(batches):
        chosen = torch.randperm(len(poses), generator=seeded(batch))[: size or len(poses)]
        recorder.draw(poses[chosen], k, generator)
    return recorder.statistics.summary()


def at_yaws(*yaws: float) -> Poses:
    angles = torch.tensor([[yaw, 0.0, 0.0] for yaw in yaws])
    numbers = torch.arange(len(yaws))
    return Poses(from_euler(angles), angles, numbers, numbers)


def test_counts_are_those_of_a_loop_over_all_pairs() -> None:
    poses, query = make_poses(60), make_poses(60)[torch.arange(0, 60, 3)]
    drawn = torch.randint(60, (20, 5), generator=seeded())
    statistics = DrawStatistics(60)
    statistics.add(query, poses, drawn)
    found = statistics.summary()

    pairs = [(i, j) for i, row in zip(query.index.tolist(), drawn.tolist(), strict=True) for j in row]
    times = Counter(j for _, j in pairs)
    same_image = sum(a == b for n, (_, a) in enumerate(pairs) for _, b in pairs[:n])
    assert found["inputs"] == 20
    assert found["references"] == 100
    assert found["coverage"] == pytest.approx(len(times) / 60)
    assert found["effective_references"] == pytest.approx((100 * 99 / 2) / same_image)
    ways = [float(geodesic_degrees(poses.rotations[i], poses.rotations[j])) for i, j in pairs]
    assert found["distance"]["mean"] == pytest.approx(np.mean(ways), abs=1e-3)
    expected, _ = np.histogram(ways, np.arange(0, 181, 5))
    np.testing.assert_allclose(found["distance"]["shares"], expected / 100, atol=1e-6)
    yaws = poses.yaw.numpy()
    for name, numbers, width in (("inputs", [i for i, _ in pairs], 10), ("references", [j for _, j in pairs], 10)):
        expected, _ = np.histogram(yaws[numbers], np.arange(-180, 181, width))
        np.testing.assert_allclose(found["yaw"][name], expected / 100, atol=1e-6)
    assert found["bins"]["requested"] is None
    assert sum(found["bins"]["achieved"]) == pytest.approx(5, abs=1e-4)


def test_batches_counted_together_or_alone_are_the_same() -> None:
    poses = make_poses(200)
    together, alone = DrawStatistics(200), DrawStatistics(200)
    for seed in range(150):  # more than wait at once
        chosen = torch.randperm(200, generator=seeded(seed))[:8]
        drawn = torch.randint(200, (8, 4), generator=seeded(seed))
        together.add(poses[chosen], poses, drawn)
        alone.add(poses[chosen], poses, drawn)
        alone.summary()
    assert together.summary() == alone.summary()
    assert together.summary()["references"] == 150 * 8 * 4


@pytest.mark.parametrize("name", Registry().classes)
def test_recording_changes_no_draw_and_gives_plain_numbers(name: str, poses: Poses) -> None:
    sampler = Registry().build(name, {}, "test")
    recorder = Recorder(sampler, len(poses))
    recorder.fit(poses, 0.0)
    generator = seeded(7)
    drawn = recorder.draw(poses, 10, generator)
    plain = Registry().build(name, {}, "test")
    plain.fit(poses, 0.0)
    other = seeded(7)
    assert torch.equal(drawn, plain.draw(poses, 10, other))
    assert torch.equal(generator.get_state(), other.get_state())
    found = recorder.statistics.summary()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    for shares in (found["distance"]["shares"], found["yaw"]["inputs"], found["yaw"]["references"]):
        assert sum(shares) == pytest.approx(1, abs=1e-4)
    assert sum(found["bins"]["achieved"]) == pytest.approx(10, abs=1e-4)


def test_effective_number_of_references() -> None:
    """All images for random draws, however few of them are made; K for one that always draws the same."""
    poses = make_poses(400)
    few = recorded(Random(), poses, 4, size=80)
    assert few["references"] == 320  # fewer than images: 1 / sum(w^2) of the plain frequencies could not be 400
    assert few["effective_references"] == pytest.approx(400, rel=0.25)

    class Same(Sampler):
        name = "same"

        def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
            drawn = torch.arange(k).expand(len(query), k)
            return torch.where(drawn == query.index[:, None], k, drawn)  # never the input itself

    same = recorded(Same(), poses, 4, batches=5)
    assert same["effective_references"] == pytest.approx(4, rel=0.01)
    assert same["coverage"] == 5 / 400


def test_no_repeated_image_leaves_the_effective_number_open() -> None:
    statistics = DrawStatistics(10)
    statistics.add(at_yaws(0), at_yaws(0, 1, 2), torch.tensor([[1, 2]]))
    assert statistics.summary()["effective_references"] is None


def test_fallback_share_is_what_the_bin_could_not_give() -> None:
    """Bin [0, 20) holds 3 others for an input in it, [40, 60) holds 1: of 5 references 2 and 4 come from elsewhere."""
    poses = at_yaws(1, 2, 3, 4, 45, 46)
    found = recorded(Bins(), poses, 5)
    assert found["fallback_share"] == pytest.approx((4 * 2 + 2 * 4) / (6 * 5))
    assert found["bins"]["requested"][9] == pytest.approx(4 * 5 / 6, abs=1e-5)
    assert found["bins"]["requested"][11] == pytest.approx(2 * 5 / 6, abs=1e-5)
    assert found["bins"]["inputs"][9] == pytest.approx(4 / 6, abs=1e-5)


def test_fallback_explains_reverse_gaussian() -> None:
    poses = make_poses(2000)
    published = recorded(ReverseGaussian(sigma=30), poses, 10)
    corrected = recorded(ReverseGaussian(sigma=30, empty_bin="populated_only"), poses, 10)
    assert published["fallback_share"] > 0.9
    assert published["coverage"] < 0.05
    assert corrected["fallback_share"] < 0.35  # bins at the ends have fewer than ten images
    assert sum(published["bins"]["requested"][:4]) + sum(published["bins"]["requested"][14:]) > 9


def test_a_pool_counts_images_of_the_training_set() -> None:
    poses = make_poses(300)
    recorder = Recorder(Random(), 300)
    pool = torch.arange(100, 120)
    recorder.fit(poses[pool], 0.0)
    recorder.draw(poses[torch.arange(200)], 10, seeded())
    found = recorder.statistics.summary()
    assert found["coverage"] == pytest.approx(20 / 300, abs=1e-5)
    assert found["effective_references"] == pytest.approx(20, rel=0.05)


def test_requests_are_unknown_where_a_sampler_draws_in_its_own_way() -> None:
    class Mixed(Gaussian):
        name = "mixed"

        def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
            near = super().draw(query, k // 2, generator)
            first = (query.index == 0).long()[:, None]  # the first image, never the input itself
            return torch.cat((near, first.expand(-1, k - k // 2)), 1)

    found = recorded(Mixed(bin_width=10), make_poses(100), 6)
    assert found["fallback_share"] is None
    assert found["bins"]["requested"] is None
    assert found["bins"]["width"] == 10


def test_uniform_as_published_draws_from_one_side() -> None:
    poses = make_poses(2000)
    published, shuffled = (
        recorded(sampler, poses, 8)["yaw"]["references"]
        for sampler in (Uniform(), Uniform(order="shuffled", empty_bin="populated_only"))
    )
    assert sum(published[:18]) == pytest.approx(1, abs=1e-4)
    assert sum(shuffled[:18]) == pytest.approx(0.5, abs=0.05)
