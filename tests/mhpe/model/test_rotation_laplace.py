"""The rotation Laplace distribution: its normaliser, and the gradient of its likelihood."""

import math

import pytest
import roma
import torch

from mhpe.model.rotation_laplace import log_normalizer, negative_log_likelihood


@pytest.mark.parametrize("s", [0.3, 1.0, 5.0, 50.0, 500.0])
def test_isotropic_normaliser_is_a_one_dimensional_integral(s: float) -> None:
    """With equal singular values c is sqrt(2 s) whatever the axis."""
    theta = (torch.arange(1_000_000, dtype=torch.float64) + 0.5) * math.pi / 1_000_000
    u = math.sqrt(2) * (theta / 2).sin()
    c = math.sqrt(2 * s)
    expected = math.log((u / c * (-c * u).exp()).mean())
    assert log_normalizer(torch.full((3,), s)).item() == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("s", [(3.0, 2.0, 1.0), (30.0, 5.0, -2.0), (100.0, 40.0, 20.0), (5.0, 4.0, 0.0)])
def test_normaliser_against_a_fine_quadrature(s: tuple[float, ...]) -> None:
    """Axes evenly on the sphere, in the axes of A: none of the maps that even the integrand out."""
    n = 200
    x = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    z, turn = torch.meshgrid(x, x * math.pi / 2, indexing="ij")
    v = torch.stack(((1 - z**2) * turn.cos() ** 2, (1 - z**2) * turn.sin() ** 2, z**2), -1).flatten(0, 1)
    a = torch.tensor([s[1] + s[2], s[0] + s[2], s[0] + s[1]], dtype=torch.float64)
    c = (v @ a).sqrt()[:, None]
    theta = (torch.arange(400, dtype=torch.float64) + 0.5) * math.pi / 400
    u = math.sqrt(2) * (theta / 2).sin()
    expected = math.log((u / c * (-c * u).exp()).mean())
    assert log_normalizer(torch.tensor(s)).item() == pytest.approx(expected, abs=3e-3)


def test_gradient_of_the_likelihood() -> None:
    """Against differences, for parameters whose singular values are apart and that are some way from the rotation."""
    generator = torch.Generator().manual_seed(0)
    A = (torch.randn(3, 3, generator=generator) * 3).requires_grad_()
    rotation = roma.random_rotmat(1)[0]
    negative_log_likelihood(A, rotation).backward()
    assert A.grad is not None
    for i in range(3):
        for j in range(3):
            step = torch.zeros(3, 3)
            step[i, j] = 0.02
            with torch.no_grad():
                up, down = (negative_log_likelihood(A + sign * step, rotation) for sign in (1, -1))
            assert A.grad[i, j].item() == pytest.approx((up - down).item() / 0.04, abs=0.02)


def test_likelihood_is_finite_at_its_mode_and_at_zero() -> None:
    A = torch.stack((5 * torch.eye(3), torch.zeros(3, 3))).requires_grad_()
    loss = negative_log_likelihood(A, torch.eye(3).expand(2, 3, 3))
    loss.sum().backward()
    assert loss.isfinite().all()
    assert A.grad is not None
    assert A.grad.isfinite().all()
