"""Errors of predicted rotations."""

import numpy as np
import pytest
import roma
import torch

from mhpe.rotations import from_euler, to_euler
from mhpe.train.metrics import errors, summary
from tests.fake_data import random_angles


def labels(count: int = 200) -> tuple[torch.Tensor, torch.Tensor]:
    angles = torch.as_tensor(random_angles(count))
    return from_euler(angles), angles


def test_perfect_predictions_have_no_error() -> None:
    rotations, angles = labels()
    assert max(summary(errors(rotations, rotations, angles)).values()) < 1e-5


def test_known_offsets() -> None:
    rotations, angles = labels()
    predicted = from_euler(angles + torch.tensor([3.0, 0.0, 0.0]))
    found = summary(errors(predicted, rotations, angles))
    keep = (angles[:, 0] < 86).numpy()
    assert errors(predicted, rotations, angles).euler[keep, 0].mean().item() == pytest.approx(3, abs=1e-6)
    assert found["geodesic_median"] == pytest.approx(3, abs=1e-6)
    assert found["mae"] == pytest.approx((found["yaw"] + found["pitch"] + found["roll"]) / 3)
    assert found["maev"] == pytest.approx((found["left"] + found["down"] + found["front"]) / 3)


def test_a_half_turn_is_not_forgiven() -> None:
    angles = torch.tensor([[0.0, 0.0, 0.0]])
    predicted = from_euler(torch.tensor([[0.0, 0.0, 180.0]]))
    found = errors(predicted, from_euler(angles), angles)
    assert found.euler[0, 2].item() == pytest.approx(180, abs=1e-3)
    assert found.geodesic.item() == pytest.approx(180, abs=0.1)


def test_wraps_round_180() -> None:
    angles = torch.tensor([[0.0, 0.0, 179.0]])
    predicted = from_euler(torch.tensor([[0.0, 0.0, -179.0]]))
    assert errors(predicted, from_euler(angles), angles).euler[0, 2].item() == pytest.approx(2, abs=1e-3)


@pytest.mark.parametrize("yaw", [-99.0, -91.0, 91.0, 99.0])
def test_labels_beyond_90_can_be_met(yaw: float) -> None:
    angles = torch.tensor([[yaw, 20.0, -30.0], [yaw, -40.0, 15.0]], dtype=torch.float64)
    rotations = from_euler(angles)
    assert errors(rotations, rotations, angles).euler.max().item() < 1e-6
    for offset in ([2.0, -3.0, 5.0], [-20.0, 0.0, 0.0], [20.0, 0.0, 0.0]):  # -20 and 20: across 90 one way or the other
        predicted = from_euler(angles + torch.tensor(offset))
        found = errors(predicted, rotations, angles).euler
        np.testing.assert_allclose(found, np.abs([offset, offset]), atol=1e-6)


def test_labels_up_to_90_are_compared_with_the_angles_alone() -> None:
    angles = torch.tensor([[89.0, 10.0, 20.0], [-89.0, 10.0, 20.0]], dtype=torch.float64)
    predicted = from_euler(angles * torch.tensor([91 / 89, 1.0, 1.0]))
    found = errors(predicted, from_euler(angles), angles)
    np.testing.assert_allclose(found.euler, [[0, 180, 180], [0, 180, 180]], atol=1e-5)
    np.testing.assert_allclose(found.geodesic, 2, atol=1e-5)


def test_vector_errors_are_angles_of_axes() -> None:
    rotations, angles = labels()
    predicted = rotations @ roma.random_rotmat((200,), dtype=torch.float64)
    found = errors(predicted, rotations, angles).vectors.numpy()
    for axis in range(3):
        a, b = predicted[:, :, axis].numpy(), rotations[:, :, axis].numpy()
        expected = np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=1), (a * b).sum(1)))
        np.testing.assert_allclose(found[:, axis], expected, atol=1e-5)


def test_aligned_error_removes_a_constant_frame_offset() -> None:
    rotations, angles = labels()
    offset = from_euler(torch.tensor([2.0, 7.0, -1.0], dtype=torch.float64))
    found = summary(errors(rotations @ offset, rotations, angles))
    assert found["geodesic_mean"] > 7
    assert found["aligned_mean"] < 1e-4
    noisy = from_euler(to_euler(rotations) + torch.randn(200, 3, dtype=torch.float64))
    found = summary(errors(noisy, rotations, angles))
    assert found["aligned_mean"] == pytest.approx(found["geodesic_mean"], abs=0.1)
