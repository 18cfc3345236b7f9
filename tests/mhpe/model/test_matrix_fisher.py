"""The matrix Fisher log-constant and its gradient against references that share nothing with it."""

import itertools

import mpmath
import numpy as np
import pytest
import roma
import torch
from torch import Tensor

from mhpe.model.matrix_fisher import (
    log_normalizer,
    log_normalizer_and_moments,
    log_normalizer_of_singular_values,
    proper_svd,
)
from mhpe.rotations import from_euler

SINGULAR_VALUES = [
    (0, 0, 0),
    (1e-4, 0, 0),
    (0.1, 0.05, -0.02),
    (1, 0.5, -0.5),
    (5, 3, 1),
    (5, 5, -5),
    (20, 20, 0),
    (50, 10, -9.9),
    (50, 50, 50),
    (50, 50, -50),
    (100, 1, 0),
    (200, 100, -50),
    (500, 0, 0),
    (500, 500, 500),
    (500, 500, -500),
    (500, 250, -249),
    (300, 300, 299),
]


def lee(s1: float, s2: float, s3: float) -> tuple[float, list[float]]:
    """log c and its gradient from Lee's integral over u in [-1, 1] with adaptive quadrature in 30 digits."""
    with mpmath.workdps(30):
        a, b, c = (mpmath.mpf(float(x)) for x in (s1, s2, s3))

        # scaled by the integrand's largest value, exp(a + b + c) at u = 1
        def integrand(u: mpmath.mpf, order_minus: int = 0, order_plus: int = 0) -> mpmath.mpf:
            minus, plus = (b - c) * (1 - u) / 2, (b + c) * (1 + u) / 2
            return (
                mpmath.besseli(order_minus, minus)
                * mpmath.besseli(order_plus, plus)
                * mpmath.exp(a * u - a - b - c)
                / 2
            )

        scale = 1 / (1 + a + b)
        points = [1 - scale * mpmath.mpf(4) ** k for k in range(-1, 12) if scale * mpmath.mpf(4) ** k < 1.99]
        points = sorted({mpmath.mpf(-1), *points, mpmath.mpf(1)})
        total = mpmath.quad(integrand, points)
        d1 = mpmath.quad(lambda u: u * integrand(u), points) / total
        plus = mpmath.quad(lambda u: (1 + u) / 2 * integrand(u, 0, 1), points) / total
        minus = mpmath.quad(lambda u: (1 - u) / 2 * integrand(u, 1, 0), points) / total
        return float(mpmath.log(total) + a + b + c), [float(d1), float(plus + minus), float(plus - minus)]


@pytest.mark.slow
@pytest.mark.parametrize("s", SINGULAR_VALUES)
def test_against_adaptive_quadrature(s: tuple[float, float, float]) -> None:
    log_c, moments = lee(*s)
    ours, d = log_normalizer_and_moments(torch.tensor(s, dtype=torch.float64))
    assert ours.item() == pytest.approx(log_c, abs=1e-8)
    np.testing.assert_allclose(d.numpy(), moments, atol=1e-8)
    # float32 keeps log c relative to the sum of the values, and the moments
    ours32, d32 = log_normalizer_and_moments(torch.tensor(s, dtype=torch.float32))
    assert ours32.item() == pytest.approx(log_c, abs=1e-4, rel=2e-7)
    np.testing.assert_allclose(d32.numpy(), moments, atol=2e-5)


def euler_grid(nodes: int) -> tuple[Tensor, Tensor]:
    """Rotations and weights that integrate over SO(3) with the Haar measure: no Bessel function involved."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    turn = np.arange(nodes) * 360 / nodes
    angles = torch.tensor(list(itertools.product(np.degrees(np.arcsin(x)), turn, turn)))
    weights = torch.tensor(np.repeat(w / 2, nodes**2) / nodes**2)
    return from_euler(angles), weights


def mean_rotation(F: Tensor) -> Tensor:
    """E[R], the gradient of log c."""
    F = F.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(log_normalizer(F).sum(), F)
    return gradient


def test_against_an_integral_over_all_rotations() -> None:
    rotations, weights = euler_grid(40)
    F = 2.0 * torch.randn(5, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    density = torch.exp(torch.einsum("bij,nij->bn", F, rotations)) * weights
    torch.testing.assert_close(log_normalizer(F), density.sum(1).log(), atol=1e-9, rtol=0)
    mean = torch.einsum("bn,nij->bij", density, rotations) / density.sum(1)[:, None, None]
    torch.testing.assert_close(mean_rotation(F), mean, atol=1e-9, rtol=0)


def test_against_monte_carlo() -> None:
    torch.manual_seed(1)
    rotations = roma.random_rotmat((400_000,), dtype=torch.float64)
    F = 1.5 * torch.randn(3, 3, dtype=torch.float64)
    weight = torch.exp((F * rotations).sum((1, 2)))
    standard_error = weight.std() / len(weight) ** 0.5 / weight.mean()
    assert abs(weight.mean().log() - log_normalizer(F)) < 4 * standard_error
    mean = (weight[:, None, None] * rotations).mean(0) / weight.mean()
    assert (mean - mean_rotation(F)).abs().max() < 0.02


def test_gradient_is_the_mean_rotation() -> None:
    F = torch.randn(6, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(log_normalizer, (F,), atol=1e-7)
    s = torch.tensor([[5.0, 3.0, -1.0], [9.0, 8.0, 7.0]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(log_normalizer_of_singular_values, (s,), atol=1e-7)


@pytest.mark.parametrize("diagonal", [(50, 50, 50), (0, 0, 0), (30, 30, -30), (30, 30, 0)])
def test_gradient_is_finite_where_singular_values_coincide(diagonal: tuple[float, float, float]) -> None:
    F = torch.diag(torch.tensor(diagonal, dtype=torch.float32)).requires_grad_()
    log_normalizer(F).backward()
    assert F.grad is not None
    assert F.grad.isfinite().all()


def test_invariances() -> None:
    """c(U F V) = c(F) for rotations U and V; batches of any shape."""
    torch.manual_seed(0)
    F = 5 * torch.randn(2, 7, 3, 3, dtype=torch.float64)
    U, V = roma.random_rotmat((2, 7), dtype=torch.float64), roma.random_rotmat((2, 7), dtype=torch.float64)
    torch.testing.assert_close(log_normalizer(U @ F @ V), log_normalizer(F))
    torch.testing.assert_close(mean_rotation(U @ F @ V), U @ mean_rotation(F) @ V)
    u, s, vt = proper_svd(F)
    torch.testing.assert_close((u * s[..., None, :]) @ vt, F)
    torch.testing.assert_close(torch.linalg.det(u @ vt), torch.ones(2, 7, dtype=torch.float64))


def test_likelihood_is_highest_at_the_truth() -> None:
    """The corrected sign: fitting F to rotations around a mode finds that mode."""
    torch.manual_seed(0)
    mode = roma.random_rotmat(dtype=torch.float64)
    samples = mode @ roma.rotvec_to_rotmat(0.2 * torch.randn(500, 3, dtype=torch.float64))
    F = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([F], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = (log_normalizer(F) - (F * samples).sum((1, 2))).mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    fitted = F.detach()
    torch.testing.assert_close(mean_rotation(fitted), samples.mean(0), atol=1e-4, rtol=0)  # moment matching
    assert torch.rad2deg(roma.rotmat_geodesic_distance(roma.special_procrustes(fitted), mode)) < 2
