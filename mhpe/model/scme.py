"""SCME, Separated-Concentration Matrix Fisher distribution Estimation.

The slides name three parts: RE (rotation estimator), CM (concentration module) and PM (probability
module). The separation is read as the polar decomposition ``F = M K`` of the matrix Fisher parameter: RE
gives the mode M, CM the symmetric positive definite concentration K, PM multiplies them. c(F) then needs K
alone. "SCME_in" and "SCME_ref" of the slides share their weights unless ``separate_scme`` is set.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mhpe.model.matrix_fisher import log_normalizer_of_singular_values
from mhpe.model.procrustes import nearest_rotation

GAP = 0.5413
"""CM's first output for a gap: its softplus is 1."""


class MatrixFisher(NamedTuple):
    """PM: distributions of B rotations with RE's nearest rotation M as mode and CM's ``K = V diag(s) V^T``."""

    mode: Tensor  # (B, 3, 3) rotation M
    strength: Tensor  # (B, 3) s1 >= s2 >= s3 >= 0; a head known to about a degrees has s near (57 / a)^2 / 2
    axes: Tensor  # (B, 3, 3) rotation V, columns in the head's frame

    def concentration(self) -> Tensor:
        """K, (B, 3, 3)."""
        return (self.axes * self.strength[:, None, :]) @ self.axes.mT

    def parameter(self) -> Tensor:
        """``F = M K``, (B, 3, 3)."""
        return self.mode @ self.concentration()

    def negative_log_likelihood(self, rotation: Tensor, factor: float = 1.0) -> Tensor:
        """Equation 7 with its sign corrected, ``factor log c(F) - tr(F^T R)``, for rotations (B, 3, 3)."""
        log_c = log_normalizer_of_singular_values(self.strength)
        return factor * log_c - (self.parameter() * rotation).sum((1, 2))


class RotationEstimator(nn.Module):
    """RE: the flattened triple vector (FL) to a raw 3x3 matrix, columns left, down, front."""

    def __init__(self, m: int) -> None:
        super().__init__()
        self.linear = nn.Linear(3 * m, 9)
        with torch.no_grad():  # near the identity: the gradient of the nearest rotation grows as 1 / singular values
            self.linear.bias.copy_(torch.eye(3).flatten())

    def forward(self, z: Tensor) -> Tensor:
        """(B, m, 3) to (B, 3, 3)."""
        return torch.unflatten(self.linear(z.flatten(1)), 1, (3, 3))


class ConcentrationModule(nn.Module):
    """CM: the flattened triple vector (FL) to the concentration.

    Three outputs are the gaps between the strengths (softplus keeps them positive), six span the axes.
    """

    def __init__(self, m: int) -> None:
        super().__init__()
        self.linear = nn.Linear(3 * m, 9)
        with torch.no_grad():  # start at s = (3, 2, 1) and with axes near the identity: Gram-Schmidt is undefined at 0
            self.linear.bias.copy_(torch.tensor([GAP, GAP, GAP, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0]))

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """(B, m, 3) to strength (B, 3) and axes (B, 3, 3) of :class:`MatrixFisher`."""
        import roma  # loads torch._dynamo: seconds

        out = self.linear(z.flatten(1))
        gaps, spans = out[:, :3], out[:, 3:]
        strength = F.softplus(gaps).flip(1).cumsum(1).flip(1)
        return strength, roma.special_gramschmidt(spans.unflatten(1, (3, 2)))


def project(raw: Tensor) -> Tensor:
    """Nearest rotation to a raw matrix: the special orthogonal Procrustes solution, (B, 3, 3)."""
    import roma  # loads torch._dynamo: seconds

    if torch.compiler.is_exporting():
        return nearest_rotation(raw)
    rotation: Tensor = roma.special_procrustes(raw)
    return rotation


class SCME(nn.Module):
    """RE and CM, for triple vectors of m rows."""

    def __init__(self, m: int) -> None:
        super().__init__()
        self.rotation_estimator = RotationEstimator(m)
        self.concentration_module = ConcentrationModule(m)

    def forward(self, z: Tensor, concentration_input: Tensor) -> tuple[Tensor, MatrixFisher]:
        """Triple vectors (B, m, 3) and CM's input (B, m, 3) to RE's raw matrices (B, 3, 3) and the distribution."""
        raw = self.rotation_estimator(z)
        return raw, MatrixFisher(project(raw), *self.concentration_module(concentration_input))
