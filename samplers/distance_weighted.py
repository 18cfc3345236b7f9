"""References spread over all angles to the input."""

import torch
from pydantic import Field
from torch import Tensor

from samplers.so3_cells import CellSampler


class DistanceWeighted(CellSampler):
    """Image weights ``w = 1 / q(theta)``, capped: theta counts as ``cutoff`` at least.

    Wu et al. 2017, "Sampling Matters in Deep Embedding Learning", for SO(3): ``q(theta) = (1 - cos theta) / pi``
    is the density of the angle between two uniformly random rotations. References of images uniform over SO(3) lie
    at all angles from ``cutoff`` on equally often, where random ones lie mostly beyond 90 degrees. As in
    the paper, q is that of uniform poses, not the data's: more images near the input mean more near references.

    Cost: O(C) for an input, C populated cells of SO(3).

    Attributes:
        cutoff: degrees; without one the images nearest to the input would get all the weight.
    """

    name = "distance_weighted"
    cutoff: float = Field(15.0, gt=0, lt=180)

    def log_weights(self, angles: Tensor, room: Tensor) -> Tensor:  # noqa: ARG002
        """The logarithm of the density, reversed."""
        return -torch.log1p(-torch.deg2rad(angles.clamp(min=self.cutoff)).cos())
