"""References near the input's rotation, corrected for the density of poses."""

from pydantic import Field
from torch import Tensor

from mhpe.poses import Poses
from samplers.geodesic_gaussian import GeodesicGaussian


class DensityCorrectedGaussian(GeodesicGaussian):
    """Image weights ``w = exp(-theta^2 / (2 sigma^2)) / p``, p the density of poses around the reference.

    The Gaussian then weighs volumes of SO(3) instead of images: ``geodesic_gaussian`` draws mostly from the side
    of the input that has more images, the frontal one. The density is a kernel estimate over the candidates
    (Silverman 1986); in a pool it is rough.

    Cost: O(C) for an input, C populated cells of SO(3); O(C^2) to fit.

    Attributes:
        sigma: degrees.
        bandwidth: of the density's kernel, degrees, at least 1.
    """

    name = "density_corrected_gaussian"
    bandwidth: float = Field(15.0, ge=1)
    _log_density: Tensor

    def fit(self, poses: Poses, progress: float) -> None:
        """Sort the candidates into cells and estimate their density."""
        super().fit(poses, progress)
        self._log_density = self._cells.density(self.bandwidth).log()

    def log_weights(self, angles: Tensor, room: Tensor) -> Tensor:
        """The Gaussian's exponent less the logarithm of the density."""
        return super().log_weights(angles, room) - self._log_density
