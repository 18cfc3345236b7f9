"""A mixture of references near the input's rotation and uniform ones."""

import math

import torch
from pydantic import Field, PositiveFloat
from torch import Tensor

from samplers.so3_cells import CellSampler
from samplers.support.counts import gaussian_exponent


class NearAndFar(CellSampler):
    """A mixture: a share ``rho`` as ``geodesic_gaussian`` draws, the rest uniform over all images.

    Image weights ``w = rho g / sum(g) + (1 - rho) / N``, ``g = exp(-theta^2 / (2 sigma^2))``, N images. The
    slides conclude that "a combination of both similar and diverse features in reference images" is
    best; this tests it.

    Cost: O(C) for an input, C populated cells of SO(3).

    Attributes:
        rho: expected share of near references.
        sigma: degrees.
    """

    name = "near_and_far"
    rho: float = Field(0.5, gt=0, lt=1)
    sigma: PositiveFloat = 30.0

    def log_weights(self, angles: Tensor, room: Tensor) -> Tensor:
        """Logarithm of the mixture of two distributions over the images."""
        near = gaussian_exponent(angles, self.sigma)
        near = near - torch.logsumexp(near + room.log(), 1, keepdim=True)
        far = -room.sum(1, keepdim=True).log()
        return torch.logaddexp(near + math.log(self.rho), far + math.log1p(-self.rho))
