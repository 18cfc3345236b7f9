"""References whose distance to the input shrinks during training."""

from pydantic import PositiveFloat
from torch import Tensor

from mhpe.poses import Poses
from samplers.so3_cells import CellSampler
from samplers.support.counts import gaussian_exponent


class AnnealedGaussian(CellSampler):
    """``geodesic_gaussian`` with a sigma that moves from ``start`` to ``end``, by equal steps each epoch.

    Image weights ``w = exp(-theta^2 / (2 sigma^2))``, ``sigma = start + (end - start) progress``: a curriculum
    (Bengio et al. 2009, "Curriculum Learning") from coarse comparisons to fine ones, or the other way round.

    Cost: O(C) for an input, C populated cells of SO(3).

    Attributes:
        start: sigma in the first epoch, degrees.
        end: sigma at the end of the training, degrees; the last epoch is one step before it.
    """

    name = "annealed_gaussian"
    start: PositiveFloat = 60.0
    end: PositiveFloat = 15.0
    _sigma: float

    def fit(self, poses: Poses, progress: float) -> None:
        """Sort the candidates into cells and set sigma."""
        super().fit(poses, progress)
        self._sigma = self.start + (self.end - self.start) * progress

    def log_weights(self, angles: Tensor, room: Tensor) -> Tensor:  # noqa: ARG002
        """The Gaussian's exponent."""
        return gaussian_exponent(angles, self._sigma)
