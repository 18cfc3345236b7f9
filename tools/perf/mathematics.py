"""Rows of the mathematics: the matrix Fisher constant and the nearest rotation, with their gradients."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from mhpe.model.matrix_fisher import log_normalizer_of_singular_values
from mhpe.model.scme import project
from tools.perf.rows import Goal, Row, Setting, faster
from tools.perf.timing import paired, timed

BATCH = 1100
"""Distinct images of a batch of 100 with 10 exact references."""
LARGEST = 500.0
"""Singular value up to which log c is compared."""
REFERENCE_NODES = 600


def mathematics_rows(setting: Setting) -> Iterator[Row]:
    """Log c and the Procrustes projection, forward and backward, for the images of a batch."""
    generator = torch.Generator().manual_seed(0)
    s = _strengths(generator, 60.0).to(setting.device)
    found = paired(
        timed(_forward_and_backward(log_normalizer_of_singular_values, s), setting.device, 3),
        timed(_forward_and_backward(trapezoid_log_normalizer, s), setting.device),
    )
    yield faster(
        f"matrix Fisher log c and gradient of {BATCH:,} images", found, "the 512-step trapezoid with autograd",
        Goal(">=", 6), unit="ms", per_second=False,
    )  # fmt: skip
    yield Row(f"log c: largest error, s up to {LARGEST:g}, float64", _largest_error(), "nat", goal=Goal("<=", 1e-6))

    raw = torch.randn(BATCH, 3, 3, generator=generator).to(setting.device)
    found = paired(
        timed(_forward_and_backward(project, raw), setting.device, 3),
        timed(_forward_and_backward(svd_procrustes, raw), setting.device, 3),
    )
    bad = [name for name, matrix in HARD.items() if not _finite(project, matrix)]
    bad_svd = [name for name, matrix in HARD.items() if not _finite(svd_procrustes, matrix)]
    note = (
        f"gradient not finite for: ours {', '.join(bad) or 'none'}; theirs {', '.join(bad_svd) or 'none'} "
        f"(of {', '.join(HARD)})"
    )
    yield faster(
        f"nearest rotation and gradient of {BATCH:,} images", found, "torch.linalg.svd with autograd",
        Goal(">=", 1), unit="ms", per_second=False, note=note,
    )  # fmt: skip


def trapezoid_log_normalizer(s: Tensor, steps: int = 512) -> Tensor:
    """Log c of the matrix Fisher distribution by the trapezoid rule, differentiated by autograd.

    The integral that common code sums (T. Lee, IEEE TAC 2018; D. Mohlin et al., NeurIPS 2020):
    ``c = 1/2 int_-1^1 I0((s1-s2)(1-u)/2) I0((s1+s2)(1+u)/2) e^(s3 u) du``.

    Args:
        s: (B, 3) proper singular values.
        steps: of the rule.

    Returns:
        (B,) log c.
    """
    u = torch.linspace(-1, 1, steps, dtype=s.dtype, device=s.device)
    return _integrated(s, u, torch.full_like(u, 2 / (steps - 1)) * torch.where(u.abs() == 1, 0.5, 1.0))


def svd_procrustes(raw: Tensor) -> Tensor:
    """Nearest rotation of (B, 3, 3) matrices, differentiated through the singular value decomposition."""
    u, _, vt = torch.linalg.svd(raw)
    sign = torch.linalg.det(u @ vt)
    rotation: Tensor = torch.cat((u[..., :2], u[..., 2:] * sign[..., None, None]), -1) @ vt
    return rotation


HARD = {
    "the identity": torch.eye(3),
    "a reflection": torch.diag(torch.tensor([1.0, 1.0, -0.5])),
    "two equal singular values": torch.diag(torch.tensor([2.0, 2.0, 1.0])),
    "zeros": torch.zeros(3, 3),
}
"""Matrices at which a gradient may fail."""


def _integrated(s: Tensor, u: Tensor, weights: Tensor) -> Tensor:
    s1, s2, s3 = s[:, :1], s[:, 1:2], s[:, 2:]
    minus, plus = (s1 - s2) / 2 * (1 - u), (s1 + s2) / 2 * (1 + u)
    scale = s.sum(1, keepdim=True)
    values = torch.special.i0e(minus) * torch.special.i0e(plus) * (minus + plus + s3 * u - scale).exp() / 2
    log_c: Tensor = (values * weights).sum(1).log() + scale[:, 0]
    return log_c


def _strengths(generator: torch.Generator, largest: float) -> Tensor:
    """(BATCH, 3) singular values in order."""
    return (largest * torch.rand(BATCH, 3, generator=generator)).sort(1, descending=True).values


def _largest_error() -> float:
    """Of log c in float64, against a Gauss-Legendre rule of many nodes on the other integral."""
    s = _strengths(torch.Generator().manual_seed(1), LARGEST).double()
    x, w = np.polynomial.legendre.leggauss(REFERENCE_NODES)
    reference = torch.cat([_integrated(part, torch.from_numpy(x), torch.from_numpy(w)) for part in s.split(100)])
    return float((log_normalizer_of_singular_values(s) - reference).abs().max())


def _forward_and_backward(function: Callable[[Tensor], Tensor], values: Tensor) -> Callable[[], None]:
    values = values.clone().requires_grad_()

    def work() -> None:
        values.grad = None
        function(values).sum().backward()

    return work


def _finite(function: Callable[[Tensor], Tensor], matrix: Tensor) -> bool:
    values = matrix[None].clone().requires_grad_()
    result = function(values)
    (result * torch.arange(9.0).view(3, 3)).sum().backward()
    return bool(result.isfinite().all() and values.grad is not None and values.grad.isfinite().all())
