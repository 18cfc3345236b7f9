"""References near the input's rotation."""

from pydantic import PositiveFloat
from torch import Tensor

from samplers.so3_cells import CellSampler
from samplers.support.counts import gaussian_exponent


class GeodesicGaussian(CellSampler):
    """Image weights ``w = exp(-theta^2 / (2 sigma^2))``, theta the angle between input and reference on SO(3).

    The slides' Gaussian with pitch and roll in it, and without bins of yaw: weights are each image's, so more
    references come from where there are more images.

    Cost: O(C) for an input, C populated cells of SO(3).

    Attributes:
        sigma: degrees.
    """

    name = "geodesic_gaussian"
    sigma: PositiveFloat = 30.0

    def log_weights(self, angles: Tensor, room: Tensor) -> Tensor:  # noqa: ARG002
        """The Gaussian's exponent."""
        return gaussian_exponent(angles, self.sigma)
