"""References spread evenly over the poses that have images."""

from pydantic import Field
from torch import Tensor

from mhpe.poses import Poses
from samplers.so3_cells import CellSampler


class InverseDensity(CellSampler):
    """Image weights ``w = 1 / p``, p the density of poses around the image, the same for every input.

    As samples are weighted in imbalanced regression (Yang et al. 2021, "Delving into Deep Imbalanced
    Regression"): by the inverse of the labels' kernel-smoothed density. All volumes of SO(3) that have images get
    equal shares. The weight is capped, as theirs is in practice: without a cap a few isolated images would be
    references of almost every input.

    Cost: O(C) for an input, C populated cells of SO(3); O(C^2) to fit.

    Attributes:
        bandwidth: of the density's kernel, degrees, at least 1.
        cap: largest weight, relative to that of an image at the mean density.
    """

    name = "inverse_density"
    bandwidth: float = Field(15.0, ge=1)
    cap: float = Field(10.0, ge=1)
    _log_density: Tensor

    def fit(self, poses: Poses, progress: float) -> None:
        """Sort the candidates into cells and estimate their density."""
        super().fit(poses, progress)
        density = self._cells.density(self.bandwidth)
        mean = (density * self._cells.sizes).sum() / len(poses)
        self._log_density = density.clamp(min=mean / self.cap).log()

    def log_weights(self, angles: Tensor, room: Tensor) -> Tensor:  # noqa: ARG002
        """The logarithm of the density, reversed; the same for all inputs."""
        return -self._log_density.expand_as(angles)
