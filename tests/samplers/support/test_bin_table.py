"""The worked example of the slides, for any sampler."""

import pytest
import torch

from samplers.gaussian import Gaussian
from samplers.random import Random
from samplers.reverse_gaussian import ReverseGaussian
from samplers.support.bin_table import weights_table
from tests.conftest import make_poses


def test_slides_gaussian_example() -> None:
    """mu = 10, sigma = 30, K = 10: weights .801, 1, .801, .411 (printed as .367), .411."""
    poses = make_poses(4000)
    rows = {row.centre: row for row in weights_table(Gaussian(sigma=30), poses, 10.0, 10).rows}
    assert len(rows) == 18
    for centre, weight in {-10: 0.801, 10: 1.0, 30: 0.801, 50: 0.411, -30: 0.411}.items():
        assert rows[centre].weight == pytest.approx(weight, abs=1e-3)
    for centre, count in {-10: 2, 10: 3, 30: 2, 50: 1, -30: 1}.items():
        assert rows[centre].requested == count
        assert rows[centre].achieved == count
    assert rows[70].requested + rows[-50].requested == pytest.approx(1)  # a tie for the tenth
    assert rows[70].requested == pytest.approx(0.5, abs=0.1)
    assert sum(row.share for row in rows.values()) == pytest.approx(1, abs=1e-5)
    assert rows[10].share == pytest.approx(rows[10].weight / sum(row.weight for row in rows.values()), abs=1e-5)


def test_images_are_counted_and_empty_bins_give_nothing() -> None:
    poses = make_poses(1000)
    table = weights_table(ReverseGaussian(sigma=30), poses, 10.0, 10)
    yaw = poses.yaw
    for row in table.rows:
        assert row.images == int(((yaw >= row.low) & (yaw < row.low + 20)).sum())
        if row.images == 0:
            assert row.achieved == 0
    assert table.rows[0].requested == 10
    assert sum(row.achieved for row in table.rows) == pytest.approx(10, abs=1e-4)


def test_effective_number_is_that_of_one_inputs_references() -> None:
    """A bin of m images gives an input at its centre m images to draw from, when all K come from it."""
    poses = make_poses(1000)
    table = weights_table(Gaussian(sigma=1), poses, 10.0, 5)
    in_bin = int(((poses.yaw >= 0) & (poses.yaw < 20)).sum())
    assert table.effective_references == pytest.approx(in_bin, rel=0.05)


def test_a_sampler_without_bins_has_counts_only() -> None:
    rows = weights_table(Random(), make_poses(500), -60.0, 4).rows
    assert {(row.weight, row.share, row.requested) for row in rows} == {(None, None, None)}
    assert sum(row.achieved for row in rows) == pytest.approx(4, abs=1e-4)


def test_the_same_seed_gives_the_same_table() -> None:
    poses = make_poses(300)
    state = torch.get_rng_state()
    assert weights_table(Gaussian(), poses, 0.0, 7) == weights_table(Gaussian(), poses, 0.0, 7)
    assert torch.equal(state, torch.get_rng_state())
