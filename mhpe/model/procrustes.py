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
    a, b, c, d, e, f, g, h, i = raw.double().flatten(1).unbind(1)
    davenport = _square(
        (a + e + i, h - f, c - g, d - b),
        (h - f, a - e - i, b + d, c + g),
        (c - g, b + d, e - a - i, f + h),
        (d - b, c + g, f + h, i - a - e),
    )
    norm = davenport.square().sum((1, 2), keepdim=True).sqrt() + torch.finfo(torch.float64).tiny
    power = davenport + norm * torch.eye(4, dtype=torch.float64, device=raw.device)
    for _ in range(ROUNDS):
        power = power / _trace(power)
        for _ in range(SQUARINGS):
            power = power @ power
    (ww, wx, wy, wz), (_, xx, xy, xz), (_, _, yy, yz), (_, _, _, zz) = (
        row.unbind(1) for row in (power / _trace(power)).unbind(1)
    )
    return _square(
        (ww + xx - yy - zz, 2 * (xy - wz), 2 * (xz + wy)),
        (2 * (xy + wz), ww - xx + yy - zz, 2 * (yz - wx)),
        (2 * (xz - wy), 2 * (yz + wx), ww - xx - yy + zz),
    ).to(raw.dtype)


def _square(*rows: tuple[Tensor, ...]) -> Tensor:
    """Matrices (B, n, n) of their entries, each (B,)."""
    return torch.stack([torch.stack(row, 1) for row in rows], 1)


def _trace(matrix: Tensor) -> Tensor:
    """(B, n, n) to (B, 1, 1)."""
    return matrix.diagonal(dim1=1, dim2=2).sum(1)[:, None, None]
