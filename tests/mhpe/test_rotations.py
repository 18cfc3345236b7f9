"""The canonical rotation, Euler angles, mirror and distance."""

import numpy as np
import pytest
import roma
import torch
from scipy.spatial.transform import Rotation

from mhpe.rotations import from_euler, geodesic_degrees, mirror, to_euler, wrap_degrees

TOLERANCE = {torch.float32: 2e-4, torch.float64: 1e-10}
dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def angles(dtype: torch.dtype, largest_yaw: float = 89.0, count: int = 2000) -> torch.Tensor:
    u = 2 * torch.rand(count, 3, dtype=dtype, generator=torch.Generator().manual_seed(0)) - 1
    return u * torch.tensor([largest_yaw, 170.0, 170.0], dtype=dtype)


def r6(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """The data sets' own matrix Rz(roll) Ry(yaw) Rx(pitch), from SciPy."""
    return Rotation.from_euler("ZYX", [roll, yaw, pitch], degrees=True).as_matrix()


def test_agrees_with_the_definition_through_r6() -> None:
    s = np.diag([1.0, -1.0, 1.0])
    for row in angles(torch.float64, count=50):
        expected = s @ r6(*row.tolist()).T @ s
        np.testing.assert_allclose(from_euler(row).numpy(), expected, atol=1e-12)


@dtypes
def test_euler_round_trip(dtype: torch.dtype) -> None:
    original = angles(dtype)
    torch.testing.assert_close(to_euler(from_euler(original)), original, atol=TOLERANCE[dtype] * 10, rtol=0)


@dtypes
def test_round_trip_of_any_rotation(dtype: torch.dtype) -> None:
    rotation = roma.random_rotmat((2000,), dtype=dtype)
    torch.testing.assert_close(from_euler(to_euler(rotation)), rotation, atol=TOLERANCE[dtype], rtol=0)


def test_float32_stays_exact_near_yaw_90() -> None:
    original = torch.tensor([[89.9, 30.0, -20.0]], dtype=torch.float64)
    recovered = to_euler(from_euler(original).float()).double()
    torch.testing.assert_close(recovered, original, atol=1e-4, rtol=0)


def test_directions_in_the_image() -> None:
    """yaw > 0: nose to the image's left; pitch > 0: up; roll > 0: clockwise. x right, y down, z to the viewer."""
    frontal = from_euler(torch.zeros(3))
    torch.testing.assert_close(frontal, torch.eye(3))
    assert from_euler(torch.tensor([30.0, 0, 0]))[0, 2] < -0.4
    assert from_euler(torch.tensor([0, 30.0, 0]))[1, 2] < -0.4
    chin = from_euler(torch.tensor([0, 0, 30.0]))[:, 1]  # clockwise: the chin goes to the image's left
    assert chin[0] < -0.4
    assert frontal[2, 2] == 1  # front points at the viewer


@dtypes
def test_mirror(dtype: torch.dtype) -> None:
    original = angles(dtype)
    flipped = mirror(from_euler(original))
    sign = torch.tensor([-1, 1, -1], dtype=dtype)
    torch.testing.assert_close(to_euler(flipped), original * sign, atol=TOLERANCE[dtype] * 10, rtol=0)
    torch.testing.assert_close(mirror(flipped), from_euler(original))
    torch.testing.assert_close(torch.linalg.det(flipped), torch.ones(len(original), dtype=dtype))


@dtypes
def test_distance_is_invariant(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    a, b, c = (roma.random_rotmat((500,), dtype=dtype) for _ in range(3))
    distance = geodesic_degrees(a, b)
    for other in (
        geodesic_degrees(c @ a, c @ b),
        geodesic_degrees(a @ c, b @ c),
        geodesic_degrees(mirror(a), mirror(b)),
    ):
        torch.testing.assert_close(other, distance, atol=3e-2 if dtype == torch.float32 else 1e-5, rtol=0)
    trace = (a * b).sum((-2, -1)).double()
    expected = torch.rad2deg(((trace - 1) / 2).clamp(-1, 1).acos())
    torch.testing.assert_close(distance.double(), expected, atol=0.1, rtol=0)


def test_distance_is_exact_for_small_angles() -> None:
    a = from_euler(torch.tensor([10.0, 20.0, 30.0]))
    assert geodesic_degrees(a, from_euler(torch.tensor([10.001, 20.0, 30.0]))).item() == pytest.approx(1e-3, rel=0.02)


def test_wrap() -> None:
    angle = torch.tensor([-180.0, 180.0, 190.0, -190.0, 359.0, 0.0])
    torch.testing.assert_close(wrap_degrees(angle), torch.tensor([-180.0, -180.0, -170.0, 170.0, -1.0, 0.0]))
