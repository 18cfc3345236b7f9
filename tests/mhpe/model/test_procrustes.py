"""The nearest rotation without a decomposition, against the one with."""

import pytest
import roma
import torch

from mhpe.model.procrustes import nearest_rotation
from mhpe.rotations import geodesic_degrees


def by_svd(raw: torch.Tensor) -> torch.Tensor:
    rotation: torch.Tensor = roma.special_procrustes(raw, method="svd")
    return rotation


def with_singular_values(values: tuple[float, float, float], count: int = 200) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    U, V = (roma.random_rotmat(count, generator=generator).double() for _ in range(2))
    return U @ torch.diag(torch.tensor(values, dtype=torch.float64)) @ V.mT


def test_random_matrices() -> None:
    raw = torch.randn(5000, 3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert (torch.linalg.det(raw) < 0).any()
    assert geodesic_degrees(nearest_rotation(raw), by_svd(raw)).max() < 1e-8


@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_scale_does_not_matter(scale: float) -> None:
    raw = with_singular_values((1.0, 0.7, 0.1))
    assert geodesic_degrees(nearest_rotation(scale * raw), by_svd(raw)).max() < 1e-8


@pytest.mark.parametrize(("gap", "degrees"), [(1e-2, 1e-8), (1e-4, 1e-6), (1e-6, 1e-4)])
def test_nearly_ambiguous_matrices(gap: float, degrees: float) -> None:
    """The nearest rotation is ambiguous where s2 + s3 = 0, s3 < 0 for a reflection."""
    raw = with_singular_values((1.0, 0.5, -0.5 + gap))
    found = nearest_rotation(raw)
    assert geodesic_degrees(found, by_svd(raw)).max() < degrees
    torch.testing.assert_close(found @ found.mT, torch.eye(3, dtype=torch.float64).expand_as(found))


def test_rank_one_and_equal_singular_values() -> None:
    thin = with_singular_values((1.0, 1e-3, 0.0))
    assert geodesic_degrees(nearest_rotation(thin), by_svd(thin)).max() < 1e-6
    rotation = by_svd(with_singular_values((1.0, 1.0, 1.0)))
    assert geodesic_degrees(nearest_rotation(3 * rotation), rotation).max() < 1e-8


def test_single_precision_is_kept() -> None:
    raw = torch.randn(100, 3, 3, generator=torch.Generator().manual_seed(0))
    found = nearest_rotation(raw)
    assert found.dtype == torch.float32
    assert geodesic_degrees(found, roma.special_procrustes(raw)).max() < 1e-4
