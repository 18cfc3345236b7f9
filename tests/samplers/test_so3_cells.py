"""The grid of cells on SO(3), and what is estimated over it."""

import math

import pytest
import roma
import torch

from mhpe.poses import Poses
from mhpe.rotations import geodesic_degrees
from samplers.so3_cells import CELLS_PER_EDGE, Cells, canonical_quaternions, cell_numbers
from tests.conftest import make_poses


def poses_of(rotations: torch.Tensor) -> Poses:
    numbers = torch.arange(len(rotations))
    return Poses(rotations, torch.zeros(len(rotations), 3), numbers, numbers)


def random_rotations(count: int, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return roma.random_rotmat(count)


def test_cells_are_even() -> None:
    """Uniform rotations fall into 4 n^3 cells, the largest 2.25 times the smallest."""
    per_edge, count = 3, 200_000
    numbers = cell_numbers(canonical_quaternions(random_rotations(count)), per_edge)
    assert numbers.min() >= 0
    assert numbers.max() < 4 * per_edge**4
    _, images = numbers.unique(return_counts=True)
    assert len(images) == 4 * per_edge**3
    assert images.max() / images.min() < 2.25 * 1.1


def test_cells_are_narrow() -> None:
    """No image is farther from its cell's centre than half a cube's diagonal of 15 degrees."""
    poses = poses_of(random_rotations(50_000))
    cells = Cells(poses)
    assert len(cells.sizes) <= 4 * CELLS_PER_EDGE**3
    assert cells.sizes.sum() == len(poses)
    nearest = cells.angles(poses[torch.arange(500)]).min(1).values
    assert nearest.max() < 15 * math.sqrt(3) / 2
    assert nearest.mean() < 10


def test_a_rotation_and_its_neighbour_beyond_a_sign_change_are_near() -> None:
    """q and -q are one rotation: half-turns have both in their neighbourhood."""
    axis = torch.tensor([[1.0, 2.0, 3.0]]) / 14**0.5
    turns = roma.rotvec_to_rotmat(axis * torch.deg2rad(torch.tensor([[179.9], [180.1]])))
    cells = Cells(poses_of(turns))
    assert cells.angles(poses_of(turns)).max() < 0.5


def test_angles_are_exact_where_a_cell_holds_one_image() -> None:
    poses = make_poses(300)
    cells = Cells(poses)
    lone = cells.sizes == 1
    assert lone.sum() > 50
    query = poses[torch.arange(20)]
    angles = cells.angles(query)[:, lone]
    exact = geodesic_degrees(query.rotations[:, None], poses.rotations)
    distance = (angles[:, :, None] - exact[:, None]).abs().amax(0).min(1).values
    assert distance.max() < 0.1


@pytest.mark.parametrize("bandwidth", [10.0, 25.0])
def test_density_is_a_kernel_estimate(bandwidth: float) -> None:
    """Against the sum over all pairs, with the angle in the place of its sine."""
    poses = make_poses(1500)
    cells = Cells(poses)
    centres = roma.unitquat_to_rotmat(cells.centres)
    theta = geodesic_degrees(centres[:, None], poses.rotations)
    expected = (-(theta**2) / (2 * bandwidth**2)).exp().sum(1)
    ratio = cells.density(bandwidth) / expected
    assert (ratio - 1).abs().mean() < 0.1
    assert cells.density(1.0).tolist() == pytest.approx(cells.sizes.tolist(), rel=0.01)
    assert cells.density(1e4).tolist() == pytest.approx([len(poses)] * len(centres), rel=1e-3)
