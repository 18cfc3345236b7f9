"""The matrix Fisher distribution on SO(3): log-normaliser, moments and likelihood.

``p(R | F) = exp(tr(F^T R)) / c(F)`` against the probability Haar measure, so ``c(0) = 1``. With the
proper singular value decomposition ``F = U diag(s) V^T`` (U, V rotations, s1 >= s2 >= |s3|), T. Lee,
"Bayesian attitude estimation with the matrix Fisher distribution on SO(3)", IEEE TAC 2018, eq. 13, gives

    c = e^(s1+s2+s3) 1/2 int_0^2 i0e((s2-s3) t/2) i0e((s2+s3)(2-t)/2) e^(-(s1+s3) t) dt

The mass lies near t = 0 on the scale 1/(s1+s2). Substituting t = delta (e^(lambda y) - 1) spreads it
evenly over y in [0, 1], where Gauss-Legendre nodes integrate it to machine precision with few points.
The same nodes give the moments d = dlog c/ds, and dlog c/dF = U diag(d) V^T = E[R]: no derivative of a
singular value decomposition is ever taken.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

NODES = 24
"""Quadrature nodes: error of log c below 1e-9 in float64 for singular values up to 500."""


@lru_cache(maxsize=8)
def gauss_legendre(nodes: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Gauss-Legendre nodes and weights on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    return torch.tensor((x + 1) / 2, dtype=dtype, device=device), torch.tensor(w / 2, dtype=dtype, device=device)


@torch.no_grad()
def log_normalizer_and_moments(s: Tensor) -> tuple[Tensor, Tensor]:
    """``log c`` (...) and the first moments ``d = dlog c/ds`` (..., 3), each in [-1, 1], outside autograd.

    ``s`` (..., 3) are proper singular values, s1 >= s2 >= |s3|, in float32 or float64.
    """
    y, w = gauss_legendre(NODES, s.dtype, s.device)
    s1, s2, s3 = (s[..., i : i + 1] for i in range(3))
    rate = (s1 + s3).clamp_min(0)
    minus = (s2 - s3).clamp_min(0) / 2
    plus = (s2 + s3).clamp_min(0) / 2
    negligible = 18.0 if s.dtype == torch.float32 else 40.0  # e^-negligible is below the rounding error
    t_max = (negligible / rate.clamp_min(negligible / 2)).clamp_max(2.0)
    delta = 1 / (1 + s1 + s2)
    growth = torch.log1p(t_max / delta)
    t = delta * torch.expm1(growth * y)
    i_minus, i_plus = torch.special.i0e(minus * t), torch.special.i0e(plus * (2 - t))
    density = w * growth * (t + delta) * i_minus * i_plus * torch.exp(-rate * t)
    total = density.sum(-1, keepdim=True)
    p = density / total
    d1 = 1 - (p * t).sum(-1)
    d_plus = (p * (1 - t / 2) * torch.special.i1e(plus * (2 - t)) / i_plus).sum(-1)
    d_minus = (p * (t / 2) * torch.special.i1e(minus * t) / i_minus).sum(-1)
    log_c = torch.log(total / 2).squeeze(-1) + s.sum(-1)
    return log_c, torch.stack((d1, d_plus + d_minus, d_plus - d_minus), -1)


def proper_svd(F: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Singular value decomposition of (..., 3, 3) with rotations on both sides: U, s and V^T, det U = det V = 1.

    ``s`` (..., 3) has s1 >= s2 >= |s3| and sign(s3) = sign(det F).
    """
    U, s, Vt = torch.linalg.svd(F)
    sign_u, sign_v = torch.linalg.det(U).sign(), torch.linalg.det(Vt).sign()
    U = torch.cat((U[..., :2], U[..., 2:] * sign_u[..., None, None]), -1)
    Vt = torch.cat((Vt[..., :2, :], Vt[..., 2:, :] * sign_v[..., None, None]), -2)
    s = torch.cat((s[..., :2], s[..., 2:] * (sign_u * sign_v)[..., None]), -1)
    return U, s, Vt


class _Known(torch.autograd.Function):
    """A value (...) whose gradient (..., 3) or (..., 3, 3) with respect to a tensor of that shape is known."""

    @staticmethod
    def forward(ctx: Any, _: Tensor, value: Tensor, gradient: Tensor) -> Tensor:
        ctx.save_for_backward(gradient)
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return grads[0].reshape(grads[0].shape + (1,) * (gradient.dim() - grads[0].dim())) * gradient, None, None


def log_normalizer(F: Tensor) -> Tensor:
    """Log c(F) of parameters (..., 3, 3), differentiable once, (...); its gradient is the mean rotation E[R]."""
    U, s, Vt = proper_svd(F.detach())
    log_c, d = log_normalizer_and_moments(s)
    result: Tensor = _Known.apply(F, log_c, (U * d[..., None, :]) @ Vt)
    return result


def log_normalizer_of_singular_values(s: Tensor) -> Tensor:
    """Log c of proper singular values (..., 3), differentiable once, (...); for a concentration given separately."""
    result: Tensor = _Known.apply(s, *log_normalizer_and_moments(s))
    return result
