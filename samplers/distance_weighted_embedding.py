"""References spread over all embedding distances, as published."""

import torch
from pydantic import Field
from torch import Tensor

from samplers.support.embeddings import LAST, EmbeddingSampler, draw_weighted


class DistanceWeightedEmbedding(EmbeddingSampler):
    """Image weights ``w = 1 / q(d)``, d the embedding distance, which counts as ``cutoff`` at least.

    Wu et al. 2017, "Sampling Matters in Deep Embedding Learning", equation 2:
    ``q(d) = d^(n-2) (1 - d^2 / 4)^((n-3)/2)`` is the density of the distance between two random points of the unit
    sphere in n dimensions. Here n = 3m, and d is the triple vectors' distance over sqrt(3), which gives them length 1.
    ``distance_weighted`` is the same rule for the angles between labels. The paper draws negatives of classes this
    way; poses have no classes.

    Attributes:
        cutoff: of the unit vectors' distance, 0.5 in the paper.
    """

    name = "distance_weighted_embedding"
    cutoff: float = Field(0.5, gt=0, lt=2)

    def choose(self, distance: Tensor, angle: Tensor, itself: Tensor, k: int, generator: torch.Generator) -> Tensor:  # noqa: ARG002
        """Draw by weight, (B, k)."""
        n = 3 if self._memory is None else self._memory.shape[1]
        d = (distance / 3**0.5).clamp(min=self.cutoff, max=1.999)
        log_weights = (2 - n) * d.log() - (n - 3) / 2 * torch.log1p(-d.square() / 4)
        log_weights = log_weights - log_weights.nan_to_num(-torch.inf).amax(1, keepdim=True).nan_to_num(0, neginf=0)
        return draw_weighted(log_weights.nan_to_num(LAST).clamp_min(LAST), itself, k, generator)
