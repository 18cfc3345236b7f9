"""Poses from what a data set has: angles or rotations."""

import torch

from mhpe.poses import Poses
from tests.conftest import make_poses


def test_angles_and_rotations_give_the_same_poses() -> None:
    known = make_poses(50)
    near = known.angles[:, 0].abs() < 85  # beyond, several angles give one rotation
    angles = known.angles[near]
    first = Poses.from_angles(angles)
    second = Poses.from_rotations(first.rotations, identities=torch.arange(len(first)) // 2)
    torch.testing.assert_close(second.angles, angles, atol=1e-2, rtol=0)
    torch.testing.assert_close(first.rotations, known.rotations[near])
    assert first.index.tolist() == first.identities.tolist() == list(range(len(angles)))
    assert second.identities.tolist() == [number // 2 for number in range(len(angles))]
