"""The rotation Laplace distribution on SO(3): heavier tails than the matrix Fisher one.

Yin et al., "A Laplace-inspired distribution on SO(3) for probabilistic rotation estimation", ICLR 2023:

    p(R | A) = exp(-d) / (d Z(A)),   d^2 = s1 + s2 + s3 - tr(A^T R)

with the proper singular values s of A. The paper tabulates Z; here it is a quadrature. With the angle theta and
the axis v of R from the mode, in the axes of A, ``d = c(v) u`` with ``u = sqrt(2) sin(theta / 2)``,
``c(v)^2 = a1 v1^2 + a2 v2^2 + a3 v3^2`` and ``a = (s2+s3, s1+s3, s1+s2)``. The Haar measure is ``u^2 / pi dtheta``
times the uniform measure of v on the sphere. The map ``w = a^(1/2) v / |a^(1/2) v|`` evens the integrand out:

    Z = (a1 a2 a3)^(-1/2) E_w[c^2 / pi int_0^pi u e^(-c u) dtheta],   c(w)^-2 = w1^2 / a1 + w2^2 / a2 + w3^2 / a3
"""

import math
from functools import lru_cache

import torch
from torch import Tensor

from mhpe.model.matrix_fisher import gauss_legendre, proper_svd

SPHERE_NODES, ANGLE_NODES = 10, 16
"""Along each angle of an octant, and along theta: error of log Z below 1e-3 unless s2 is about -s3."""
LEAST = 1e-3
"""Least a and d^2: Z is infinite at a = 0, the density at d = 0."""


@lru_cache(maxsize=4)
def _octant(device: torch.device) -> tuple[Tensor, Tensor]:
    """Squared coordinates (n, 3) of points on an octant of the sphere, and their weights (n,), which sum to 1."""
    x, w = gauss_legendre(SPHERE_NODES, torch.float32, device)
    ring = (1 - x.square())[:, None]
    turn = (x * (math.pi / 2))[None]
    squares = torch.stack(torch.broadcast_tensors(ring * turn.cos() ** 2, ring * turn.sin() ** 2, x[:, None] ** 2), -1)
    return squares.flatten(0, 1), (w[:, None] * w).flatten()


def log_normalizer(s: Tensor) -> Tensor:
    """Log Z of proper singular values (..., 3), differentiable, (...)."""
    a = torch.stack((s[..., 1] + s[..., 2], s[..., 0] + s[..., 2], s[..., 0] + s[..., 1]), -1).clamp_min(LEAST)
    squares, weights = _octant(s.device)
    c = ((1 / a) @ squares.T).rsqrt()[..., None]
    y, w = gauss_legendre(ANGLE_NODES, torch.float32, s.device)
    with torch.no_grad():  # nodes on the scale 1 / c; where they are makes no difference to the integral
        growth = torch.log1p(math.pi * (1 + c))
        theta = torch.expm1(growth * y) / (1 + c)
        step = w * growth * (theta + 1 / (1 + c))
        u = math.sqrt(2) * torch.sin(theta / 2)
    integral = (step * u * torch.exp(-c * u)).sum(-1)
    return torch.log((weights * c[..., 0].square() * integral).sum(-1) / math.pi) - a.log().sum(-1) / 2


def negative_log_likelihood(A: Tensor, rotation: Tensor) -> Tensor:
    """``log Z + d + log d`` of parameters (..., 3, 3) and observed rotations (..., 3, 3), (...)."""
    U, _, Vt = proper_svd(A.detach())
    s = torch.diagonal(U.mT @ A @ Vt.mT, dim1=-2, dim2=-1)  # with the derivative u_i v_i^T of each singular value
    d = (s.sum(-1) - (A * rotation).sum((-2, -1))).clamp_min(LEAST).sqrt()
    return log_normalizer(s) + d + d.log()
