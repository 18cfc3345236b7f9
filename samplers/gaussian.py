"""References near the input's yaw."""

from pydantic import PositiveFloat
from torch import Tensor

from mhpe.poses import Poses
from samplers.support.counts import gaussian_exponent
from samplers.yaw_bins import RoundedBinSampler, YawBins


class Gaussian(RoundedBinSampler):
    """Bin weights ``w(x) = exp(-(x - mu)^2 / (2 sigma^2))``, x a bin's centre, mu the input's yaw.

    Slides, "Using Gaussian distribution".

    Attributes:
        sigma: degrees.
    """

    name = "gaussian"
    sigma: PositiveFloat = 30.0

    def log_weights(self, query: Poses, bins: YawBins) -> Tensor:
        """The Gaussian's exponent."""
        return gaussian_exponent(bins.offsets(query.yaw), self.sigma)
