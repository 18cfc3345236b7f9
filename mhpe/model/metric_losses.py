"""Metric losses in the place of equation 8: they compare the order or the ratios of distances, not their values."""

import torch
from torch import Tensor

TEMPERATURE = 0.25
"""Of Rank-N-Contrast. The paper has 2 for features of any length; distances of triple vectors end at sqrt(12)."""


def log_ratio_loss(distance: Tensor, target: Tensor) -> Tensor:
    """Log-ratio loss over all pairs of an input's references.

    Kim et al., "Deep metric learning beyond binary supervision", CVPR 2019, equation 5: the mean over pairs i < j of
    ``(log(d_i^2 / d_j^2) - log(t_i^2 / t_j^2))^2``, which is twice the variance of ``log(d^2 / t^2)``.

    Args:
        distance: (B, K) between triple vectors, K at least 2.
        target: (B, K) between labels.

    Returns:
        (B,).
    """
    return 2 * (2 * (distance.log() - target.log())).var(1)


def rank_n_contrast_loss(distance: Tensor, target: Tensor) -> Tensor:
    """Rank-N-Contrast: each reference shall be nearer than all those whose label is at least as far.

    Zha et al., "Rank-N-Contrast: learning continuous representations for regression", NeurIPS 2023, equation 3 with
    an input's references as its batch: the mean over j of
    ``-log(exp(-d_j / T) / sum_k exp(-d_k / T))``, the sum over all k with ``t_k >= t_j``.

    Args:
        distance: (B, K) between triple vectors, K at least 2.
        target: (B, K) between labels.

    Returns:
        (B,).
    """
    similarity = -distance / TEMPERATURE
    nearer = target[:, None, :] < target[:, :, None]  # [b, j, k]: k is nearer than j
    return (similarity[:, None, :].masked_fill(nearer, -torch.inf).logsumexp(2) - similarity).mean(1)


METRIC_LOSSES = {"log_ratio": log_ratio_loss, "rank_n_contrast": rank_n_contrast_loss}
"""By their name in the configuration."""
