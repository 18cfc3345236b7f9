"""Semi-hard negatives: far in rotation, and only a little farther in embedding than a positive."""

import torch
from pydantic import Field
from torch import Tensor

from samplers.support.embeddings import LAST, EmbeddingSampler, draw_weighted


class SemiHard(EmbeddingSampler):
    """Half the references are positives, half semi-hard negatives.

    Schroff, Kalenichenko and Philbin 2015, "FaceNet", for poses in the place of persons: positives are images within
    ``near`` degrees of the input, and a negative is semi-hard if its embedding distance is above that of a positive,
    the input's first one of known distance, by at most ``margin``. Where there is none, other images are drawn at
    random.

    Attributes:
        near: largest angle of a positive, degrees.
        margin: of the embedding distance, which ends at sqrt(12).
    """

    name = "semi_hard"
    near: float = Field(15.0, gt=0, lt=180)
    margin: float = Field(0.2, gt=0, le=4)

    def choose(self, distance: Tensor, angle: Tensor, itself: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """Positives, then negatives, (B, k)."""
        near = angle <= self.near
        positives = draw_weighted(torch.zeros_like(angle).masked_fill(~near, LAST), itself, max(1, k // 2), generator)
        of_positives = distance.masked_fill(~near, torch.nan).gather(1, positives)
        first_known = of_positives.isfinite().int().argmax(1, keepdim=True)
        above = distance - of_positives.gather(1, first_known)
        semi_hard = ~near & (above > 0) & (above < self.margin)
        order = torch.full_like(angle, LAST).masked_fill(semi_hard, 0).scatter(1, positives[:, : k // 2], -LAST)
        return draw_weighted(order, itself, k, generator)
