"""The five losses, the distance and its noise."""

import math

import pytest
import roma
import torch

from mhpe.model.losses import (
    dist_loss,
    distance_noise,
    feat_ortho_loss,
    pairwise_triple_distance,
    triple_distance,
    vector_loss,
    vector_ortho_loss,
)
from mhpe.rotations import geodesic_degrees


def unit_columns(*shape: int) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(*shape, 3, generator=torch.Generator().manual_seed(0)), dim=-2)


def test_distance_is_the_frobenius_norm() -> None:
    a, b = unit_columns(20, 16), unit_columns(21, 16)[1:]
    expected = torch.linalg.matrix_norm(a - b)
    torch.testing.assert_close(triple_distance(a, b), expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(pairwise_triple_distance(a, b).diagonal(), expected, atol=1e-4, rtol=0)


def test_distance_of_rotations_follows_their_angle() -> None:
    a, b = roma.random_rotmat((100,)), roma.random_rotmat((100,))
    angle = torch.deg2rad(geodesic_degrees(a, b))
    torch.testing.assert_close(triple_distance(a, b), 2 * math.sqrt(2) * (angle / 2).sin(), atol=1e-3, rtol=0)


def test_distance_has_a_finite_gradient_at_zero() -> None:
    z = unit_columns(1, 8).requires_grad_()
    triple_distance(z, z.detach()).sum().backward()
    assert z.grad is not None
    assert z.grad.isfinite().all()


def test_noise_is_relative_bounded_and_repeatable() -> None:
    distance = torch.linspace(0.1, 2.8, 1000)
    noisy = distance_noise(distance, 0.3, torch.Generator().manual_seed(5))
    relative = (noisy / distance - 1).abs()
    assert relative.max() <= 0.3
    assert relative.mean().item() == pytest.approx(0.15, abs=0.01)
    torch.testing.assert_close(noisy, distance_noise(distance, 0.3, torch.Generator().manual_seed(5)))
    torch.testing.assert_close(distance_noise(distance, 0.0, torch.Generator()), distance)


def test_losses_vanish_at_their_optimum_only() -> None:
    rotation = roma.random_rotmat((50,))
    assert vector_loss(rotation, rotation).max() == 0
    assert vector_ortho_loss(rotation).max() < 1e-9
    assert feat_ortho_loss(rotation).max() < 1e-9
    assert vector_loss(1.1 * rotation, rotation).min().item() == pytest.approx(0.01, rel=1e-3)
    # equation 5 on the prediction: it sees lengths and angles, whatever the truth is
    assert vector_ortho_loss(1.1 * rotation).min().item() == pytest.approx(0.03, rel=1e-3)
    sheared = rotation @ torch.tensor([[1.0, 0.5, 0], [0, 1, 0], [0, 0, 1]])
    assert vector_ortho_loss(sheared).min() > 0.2
    z = unit_columns(30, 16)
    expected = 2 * sum(((z[:, :, i] * z[:, :, j]).sum(1) ** 2) for i, j in ((0, 1), (0, 2), (1, 2)))
    torch.testing.assert_close(feat_ortho_loss(z), expected)
    torch.testing.assert_close(dist_loss(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 1.0]])), torch.tensor([0.5]))
