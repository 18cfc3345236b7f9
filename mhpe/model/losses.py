"""The losses of the slides, corrected, the distance noise, and metric losses in the place of equation 8.

Equation numbers are the slides'. What they say and what is used here:

- (1) the distance's root has an infinite gradient at 0: an epsilon is added under it.
- (2) is used as published. It biases the best distance by ``-c^2 / 3`` (relative) and blurs large distances
  more than small ones.
- (5) has the ground truth's columns, which makes it always 0: the predicted raw ones are used.
- (6) is ``Z Z^T - I_3``, whose sizes do not match: ``Z^T Z - I_3`` is used.
- (7) has the opposite sign, see :mod:`mhpe.model.scme`.
"""

import torch
from torch import Tensor

EPSILON = 1e-6
TEMPERATURE = 0.25
"""Of Rank-N-Contrast. The paper has 2 for features of any length; distances of triple vectors end at sqrt(12)."""


def triple_distance(first: Tensor, second: Tensor) -> Tensor:
    """Equation 1, ``||a - b||_F = sqrt(2 (3 - tr(a^T b)))``, of (..., m, 3) with columns of unit length, to (...).

    The same formula is the distance of two rotations. It ends at sqrt(12), for rotations at sqrt(8).
    """
    return (2 * (3 - (first * second).sum((-2, -1)))).clamp_min(0).add(EPSILON).sqrt()


def pairwise_triple_distance(first: Tensor, second: Tensor) -> Tensor:
    """All distances of (A, m, 3) and (B, m, 3) as one matrix product, (A, B)."""
    return (2 * (3 - first.flatten(1) @ second.flatten(1).T)).clamp_min(0).add(EPSILON).sqrt()


def distance_noise(distance: Tensor, c: float, generator: torch.Generator) -> Tensor:
    """Equation 2, ``d + eps c d`` with eps uniform in [-1, 1] (against class collapse); the generator is the host's."""
    if c == 0:
        return distance
    u = torch.rand(distance.shape, generator=generator).to(distance.device, non_blocking=True)
    return distance * (1 + c * (2 * u - 1))


def vector_loss(raw: Tensor, rotation: Tensor) -> Tensor:
    """Equation 4: mean squared error of the three columns, (B, 3, 3) and (B, 3, 3) to (B,)."""
    return (raw - rotation).square().sum((1, 2)) / 3


def absolute_vector_loss(raw: Tensor, rotation: Tensor) -> Tensor:
    """Mean length of the three columns' errors, (B, 3, 3) and (B, 3, 3) to (B,)."""
    return (raw - rotation).square().sum(1).add(EPSILON).sqrt().mean(1)


def vector_ortho_loss(raw: Tensor) -> Tensor:
    """Equation 5 on the predicted raw columns, (B, 3, 3) to (B,)."""
    gram = raw.mT @ raw
    products = gram[:, 0, 1].square() + gram[:, 1, 2].square() + gram[:, 0, 2].square()
    lengths = torch.diagonal(gram, dim1=1, dim2=2).clamp_min(EPSILON).sqrt()
    return products + (lengths - 1).square().sum(1)


def feat_ortho_loss(z: Tensor) -> Tensor:
    """Equation 6: ``||z^T z - I_3||_F^2`` of triple vectors (B, m, 3), to (B,)."""
    return (z.mT @ z - torch.eye(3, device=z.device)).square().sum((1, 2))


def dist_loss(noisy: Tensor, target: Tensor) -> Tensor:
    """Equation 8: mean over the K references of the squared distance error, (B, K) and (B, K) to (B,)."""
    return (noisy - target).square().mean(1)


def log_ratio_loss(distance: Tensor, target: Tensor) -> Tensor:
    """Log-ratio loss over all pairs of an input's references: distances (B, K) of triple vectors and labels to (B,).

    Kim et al., "Deep metric learning beyond binary supervision", CVPR 2019, equation 5: the mean over pairs i < j of
    ``(log(d_i^2 / d_j^2) - log(t_i^2 / t_j^2))^2``, which is twice the variance of ``log(d^2 / t^2)``. K is at least 2.
    """
    return 2 * (2 * (distance.log() - target.log())).var(1)


def rank_n_contrast_loss(distance: Tensor, target: Tensor) -> Tensor:
    """Rank-N-Contrast over distances (B, K) of triple vectors and labels, K at least 2, to (B,).

    Each reference should be nearer than all those whose label is at least as far. Zha et al., "Rank-N-Contrast:
    learning continuous representations for regression", NeurIPS 2023, equation 3 with an input's references as its
    batch: the mean over j of ``-log(exp(-d_j / T) / sum_k exp(-d_k / T))``, the sum over all k with ``t_k >= t_j``.
    """
    similarity = -distance / TEMPERATURE
    nearer = target[:, None, :] < target[:, :, None]  # [b, j, k]: k is nearer than j
    return (similarity[:, None, :].masked_fill(nearer, -torch.inf).logsumexp(2) - similarity).mean(1)


METRIC_LOSSES = {"log_ratio": log_ratio_loss, "rank_n_contrast": rank_n_contrast_loss}
