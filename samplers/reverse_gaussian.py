"""References far from the input's yaw."""

from pydantic import PositiveFloat
from torch import Tensor

from mhpe.poses import Poses
from samplers.support.counts import gaussian_exponent
from samplers.yaw_bins import RoundedBinSampler, YawBins


class ReverseGaussian(RoundedBinSampler):
    """Bin weights ``w(x) = exp(+(x - mu)^2 / (2 sigma^2))``, x a bin's centre, mu the input's yaw.

    Slides, "Inverse Gaussian weights". Their worked table leaves out the factor 2 and shows five of the 18
    bins; over all of them nearly all the weight lies opposite the input, where data sets have no images, so
    ``empty_bin`` decides what is drawn.

    Attributes:
        sigma: degrees.
    """

    name = "reverse_gaussian"
    sigma: PositiveFloat = 30.0

    def log_weights(self, query: Poses, bins: YawBins) -> Tensor:
        """The exponent, positive; weights are normalised in logarithms, so nothing overflows."""
        return -gaussian_exponent(bins.offsets(query.yaw), self.sigma)
