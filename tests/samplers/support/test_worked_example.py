"""The worked example of the slides, for any sampler."""

import pytest
import torch

from samplers.gaussian import Gaussian
from samplers.random import Random
from samplers.reverse_gaussian import ReverseGaussian
from samplers.support.worked_example import worked_example
from tests.conftest import make_poses


def test_slides_gaussian_example() -> None:
    """mu = 10, sigma = 30, K = 10: weights .801, 1, .801, .411 (printed as .367), .411."""
    bins = worked_example(Gaussian(sigma=30), make_poses(4000), 10.0, 10)["bins"]
    columns = {name: dict(zip(range(-170, 180, 20), bins[name], strict=True)) for name in bins if name != "width"}
    for centre, weight in {-10: 0.801, 10: 1.0, 30: 0.801, 50: 0.411, -30: 0.411}.items():
        assert columns["weights"][centre] == pytest.approx(weight, abs=1e-3)
    for centre, count in {-10: 2, 10: 3, 30: 2, 50: 1, -30: 1}.items():
        assert columns["requested"][centre] == columns["achieved"][centre] == count
    assert columns["requested"][70] + columns["requested"][-50] == pytest.approx(1)  # a tie for the tenth
    assert columns["requested"][70] == pytest.approx(0.5, abs=0.1)
    assert sum(bins["shares"]) == pytest.approx(1, abs=1e-5)
    assert columns["shares"][10] == pytest.approx(columns["weights"][10] / sum(bins["weights"]), abs=1e-5)


def test_images_are_counted_and_empty_bins_give_nothing() -> None:
    poses = make_poses(1000)
    bins = worked_example(ReverseGaussian(sigma=30), poses, 10.0, 10)["bins"]
    for low, images, achieved in zip(range(-180, 180, 20), bins["images"], bins["achieved"], strict=True):
        assert images == int(((poses.yaw >= low) & (poses.yaw < low + 20)).sum())
        if images == 0:
            assert achieved == 0
    assert bins["requested"][0] == 10
    assert sum(bins["achieved"]) == pytest.approx(10, abs=1e-4)


def test_effective_number_is_that_of_one_inputs_references() -> None:
    """A bin of m images gives an input at its centre m images to draw from, when all K come from it."""
    poses = make_poses(1000)
    in_bin = int(((poses.yaw >= 0) & (poses.yaw < 20)).sum())
    assert worked_example(Gaussian(sigma=1), poses, 10.0, 5)["effective_references"] == pytest.approx(in_bin, rel=0.05)


def test_a_sampler_without_bins_has_counts_only() -> None:
    bins = worked_example(Random(), make_poses(500), -60.0, 4)["bins"]
    assert bins["requested"] is None
    assert not {"weights", "shares"} & bins.keys()
    assert sum(bins["achieved"]) == pytest.approx(4, abs=1e-4)


def test_the_same_seed_gives_the_same_table() -> None:
    poses = make_poses(300)
    state = torch.get_rng_state()
    assert worked_example(Gaussian(), poses, 0.0, 7) == worked_example(Gaussian(), poses, 0.0, 7)
    assert torch.equal(state, torch.get_rng_state())
