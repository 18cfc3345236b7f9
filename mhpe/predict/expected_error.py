"""The mean error that a predicted concentration implies.

Under a matrix Fisher distribution ``F = M K`` the rotation ``Q = M^T R`` from the mode to the truth has the
density ``exp(tr(K Q)) / c``. With the angle theta and the axis u of Q, ``K = V diag(s) V^T`` and ``v = V^T u``,

    tr(K Q) = s1 + s2 + s3 - (1 - cos theta) (a1 v1^2 + a2 v2^2 + a3 v3^2),   a = (s2+s3, s1+s3, s1+s2)

(the Bingham form on quaternions; T. Lee, IEEE TAC 2018). The Haar measure is ``(1 - cos theta) / pi dtheta`` times
the uniform measure of v on the sphere, whose longitude integrates to a Bessel function. With x = v3,
``t = 1 - cos theta`` and ``h = (a2 - a1) / 2`` the rest is

    E[theta] = int theta w dtheta / int w dtheta,
    w(theta) = t int_0^1 e^(-t (a1 (1-x^2) + a3 x^2)) i0e(t h (1-x^2)) dx

The mass lies near theta = 0 and x = 0 on the scales ``1/sqrt(a3)`` and ``1/sqrt(t (a3-a1))``; the substitution of
:mod:`mhpe.model.matrix_fisher` spreads it over Gauss-Legendre nodes.
"""

import math

import numpy as np
import torch
from torch import Tensor

NODES = 48
"""Nodes along theta and along x: relative error below 1e-7 for strengths up to 10,000."""


@torch.no_grad()
def expected_error(strengths: Tensor) -> Tensor:
    """Mean geodesic angle in degrees, float64, (...), between a matrix Fisher distribution's mode and its rotations.

    ``strengths`` (..., 3) are s1 >= s2 >= s3 >= 0. Without any concentration it is 126.5; not a number where they are
    not.
    """
    s1, s2, s3 = strengths.double()[..., None, None].unbind(-3)
    a1, a2, a3 = s2 + s3, s1 + s3, s1 + s2
    theta, by_theta = _towards_zero(1 / (1 + a3).sqrt(), math.pi, along=-2)
    t = 1 - theta.cos()
    x, by_x = _towards_zero(1 / (1 + t * (a3 - a1)).sqrt(), 1.0, along=-1)
    ring = 1 - x.square()
    bessel = torch.special.i0e(t * (a2 - a1) / 2 * ring)
    density = (by_x * torch.exp(-t * (a1 * ring + a3 * x.square())) * bessel).sum(-1, keepdim=True)
    mass = by_theta * t * density
    return torch.rad2deg((mass * theta).sum((-2, -1)) / mass.sum((-2, -1)))


def _towards_zero(scale: Tensor, end: float, along: int) -> tuple[Tensor, Tensor]:
    """Nodes on [0, end] and their weights, denser towards 0 on a scale, along one of the last two dimensions."""
    y, w = (torch.from_numpy(values) for values in np.polynomial.legendre.leggauss(NODES))
    shape = (NODES, 1) if along == -2 else (1, NODES)
    y, w = ((y + 1) / 2).reshape(shape), (w / 2).reshape(shape)
    growth = torch.log1p(end / scale)
    return scale * torch.expm1(growth * y), w * growth * scale * torch.exp(growth * y)
