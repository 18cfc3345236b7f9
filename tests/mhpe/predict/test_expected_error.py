"""The error that a concentration promises."""

import math

import pytest
import torch

from mhpe.predict.expected_error import expected_error


def by_sampling(strengths: tuple[float, float, float], count: int = 400_000) -> tuple[float, float]:
    """Mean angle and its standard error by importance sampling of unit quaternions (Bingham distribution).

    tr(diag(s) R(q)) is a constant minus q^T diag(0, 2 (s2+s3), 2 (s1+s3), 2 (s1+s2)) q.
    """
    s1, s2, s3 = strengths
    exponent = 2 * torch.tensor([0, s2 + s3, s1 + s3, s1 + s2], dtype=torch.float64)
    spread = 1 + 2 * exponent  # of an angular central Gaussian proposal
    q = torch.randn(count, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64) / spread.sqrt()
    q = q / q.norm(dim=1, keepdim=True)
    weight = torch.exp(-(q.square() * exponent).sum(1)) * (q.square() * spread).sum(1) ** 2
    weight = weight / weight.sum()
    angle = torch.rad2deg(2 * q[:, 0].abs().clamp(max=1).acos())
    mean = (weight * angle).sum()
    return mean.item(), (weight * (angle - mean)).square().sum().sqrt().item()


@pytest.mark.parametrize(
    "strengths",
    [
        (0, 0, 0),
        (1, 1, 1),
        (5, 2, 0),
        (50, 1, 0),
        (50, 50, 0),
        (30, 20, 10),
        (500, 500, 500),
        (1e4, 10, 1),
        (1e4, 0, 0),
    ],
)
def test_agrees_with_sampling(strengths: tuple[float, float, float]) -> None:
    mean, error = by_sampling(strengths)
    assert abs(expected_error(torch.tensor(strengths)).item() - mean) < 5 * error


def test_known_limits() -> None:
    no_knowledge = math.degrees(math.pi / 2 + 2 / math.pi)  # mean angle of a random rotation
    assert expected_error(torch.zeros(3)).item() == pytest.approx(no_knowledge, rel=1e-9)
    strength = 1e4  # nearly a Gaussian of three components with variance 1 / (2 s)
    gaussian = math.degrees(math.sqrt(8 / math.pi / (2 * strength)))
    assert expected_error(torch.full((3,), strength)).item() == pytest.approx(gaussian, rel=1e-3)


def test_more_concentration_promises_less_error() -> None:
    strengths = torch.logspace(-1, 4, 30)[:, None] * torch.tensor([1.0, 0.6, 0.2])
    claims = expected_error(strengths.reshape(5, 6, 3)).flatten()
    assert (claims.diff() < 0).all()


def test_unknown_concentration_stays_unknown() -> None:
    claims = expected_error(torch.tensor([[torch.nan] * 3, [5.0, 4.0, 3.0]]))
    assert claims.isnan().tolist() == [True, False]
