"""Log-ratio and Rank-N-Contrast against their published formulas, pair by pair."""

import math

import pytest
import torch

from mhpe.model.losses import TEMPERATURE, log_ratio_loss, rank_n_contrast_loss


def distances() -> tuple[torch.Tensor, torch.Tensor]:
    first, second = (torch.rand(4, 5, generator=torch.Generator().manual_seed(seed)) + 0.1 for seed in (0, 1))
    return first, second


def test_log_ratio_is_the_mean_over_pairs() -> None:
    d, t = distances()
    for row, loss in enumerate(log_ratio_loss(d, t)):
        pairs = [
            (math.log(d[row, i] ** 2 / d[row, j] ** 2) - math.log(t[row, i] ** 2 / t[row, j] ** 2)) ** 2
            for i in range(5)
            for j in range(i)
        ]
        assert loss.item() == pytest.approx(sum(pairs) / len(pairs), rel=1e-4)
    torch.testing.assert_close(log_ratio_loss(3 * t, t), torch.zeros(4))  # ratios, not values


def test_rank_n_contrast_is_the_mean_over_references() -> None:
    d, t = distances()
    t[0, 1] = t[0, 2]
    for row, loss in enumerate(rank_n_contrast_loss(d, t)):
        terms = [
            -math.log(
                math.exp(-d[row, j] / TEMPERATURE)
                / sum(math.exp(-d[row, k] / TEMPERATURE) for k in range(5) if t[row, k] >= t[row, j])
            )
            for j in range(5)
        ]
        assert loss.item() == pytest.approx(sum(terms) / 5, rel=1e-4)
    order = torch.tensor([[0.1, 0.5, 1.0]])
    assert rank_n_contrast_loss(order, order).item() < rank_n_contrast_loss(order.flip(1), order).item()
