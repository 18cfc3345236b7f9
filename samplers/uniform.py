"""One reference per bin."""

from typing import Literal

import torch
from torch import Tensor

from mhpe.poses import Poses
from samplers.support.counts import in_turn
from samplers.yaw_bins import YawBins, YawBinSampler


class Uniform(YawBinSampler):
    """One image from each bin in turn, until there are K.

    Slides, "Using uniform distribution". As published, the turn starts at the first bin every time: with
    K = 10 of 18 bins all references come from yaw [-180, 20), one side of the head.

    Attributes:
        order: ``first`` takes the bins from -180 degrees on, as published; ``shuffled`` takes them in a new random
            order for each input.
    """

    name = "uniform"
    order: Literal["first", "shuffled"] = "first"

    def log_weights(self, query: Poses, bins: YawBins) -> Tensor:
        """Equal weights."""
        return query.yaw.new_zeros(len(query), bins.count)

    def requested_counts(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """One reference for each bin in turn, (B, bins)."""
        log_weights = self.usable_log_weights(query)
        usable = ~torch.isneginf(log_weights)
        turn = torch.arange(log_weights.shape[1], device=query.device, dtype=torch.float32).expand_as(log_weights)
        if self.order == "shuffled":
            turn = torch.rand(log_weights.shape, generator=generator, device=query.device)
        return in_turn(turn.masked_fill(~usable, torch.inf), k)
