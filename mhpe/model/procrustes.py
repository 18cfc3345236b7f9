"""The nearest rotation by matrix products alone, for graphs whose operators know no decomposition (ONNX)."""

import torch
from torch import Tensor

ROUNDS, SQUARINGS = 6, 6
"""2^36 steps of the power iteration, which separate eigenvalues 1e-9 (relative) apart; scaled once a round."""


def nearest_rotation(raw: Tensor) -> Tensor:
    """Special orthogonal Procrustes solution of (B, 3, 3), without a singular value decomposition.

    ``tr(R^T M) = q^T B(M) q`` for the unit quaternion q of R and Davenport's symmetric 4x4 matrix B (B. Horn,
    "Closed-form solution of absolute orientation using unit quaternions", JOSA A 1987), so q is the leading
    eigenvector of B. Squaring ``B + ||B||`` again and again leaves ``q q^T``, which R is linear in: neither an
    eigenvector nor its sign has to be chosen. Float64 inside. The result is no rotation where several are equally near.
    """
    davenport = _davenport(raw.double().flatten(1))
    norm = davenport.square().sum((1, 2), keepdim=True).sqrt() + torch.finfo(torch.float64).tiny
    power = davenport + norm * torch.eye(4, dtype=torch.float64, device=raw.device)
    for _ in range(ROUNDS):
        power = power / _trace(power)
        for _ in range(SQUARINGS):
            power = power @ power
    entries = _davenport(torch.eye(9, dtype=torch.float64, device=raw.device))  # R_i = q^T entries_i q
    rotation = (power / _trace(power)).flatten(1) @ entries.flatten(1).T
    return rotation.view(-1, 3, 3).to(raw.dtype)


def _davenport(entries: Tensor) -> Tensor:
    """B(M) of matrices' entries (B, 9), row by row, (B, 4, 4)."""
    a, b, c, d, e, f, g, h, i = entries.unbind(1)
    rows = (
        (a + e + i, h - f, c - g, d - b),
        (h - f, a - e - i, b + d, c + g),
        (c - g, b + d, e - a - i, f + h),
        (d - b, c + g, f + h, i - a - e),
    )
    return torch.stack([torch.stack(row, 1) for row in rows], 1)


def _trace(matrix: Tensor) -> Tensor:
    """(B, n, n) to (B, 1, 1)."""
    return matrix.diagonal(dim1=1, dim2=2).sum(1)[:, None, None]
