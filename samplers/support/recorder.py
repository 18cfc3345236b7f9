"""Counts what a sampler draws while it is used."""

import torch
from torch import Tensor

from mhpe.poses import Poses
from samplers.base import Sampler
from samplers.support.diagnostics import BIN_WIDTH, DrawStatistics
from samplers.yaw_bins import YawBinSampler


class Recorder:
    """Takes a sampler's place in a training and counts its draws, which stay as they are.

    Args:
        sampler: what is watched.
        images: number of images in the training set.
        device: of the draws.

    Attributes:
        statistics: of all draws so far.
    """

    def __init__(self, sampler: Sampler, images: int, device: torch.device | str = "cpu") -> None:
        self._sampler = sampler
        width = sampler.bin_width if isinstance(sampler, YawBinSampler) else BIN_WIDTH
        self.statistics = DrawStatistics(images, width, device)

    def fit(self, poses: Poses, progress: float) -> None:
        """Fit the sampler."""
        self._sampler.fit(poses, progress)
        self._candidates = poses

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """Draw as the sampler does, (B, k)."""
        sampler, requested = self._sampler, None
        if isinstance(sampler, YawBinSampler) and type(sampler).draw is YawBinSampler.draw:
            requested = sampler.requested_counts(query, k, generator)
            drawn = sampler.draw_requested(query, requested, k, generator)
        else:
            drawn = sampler.draw(query, k, generator)
        self.statistics.add(query, self._candidates, drawn, requested)
        return drawn
