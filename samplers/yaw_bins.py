"""Bins over yaw, and the samplers that weigh them.

The yaw range [-180, 180) is cut into half-open bins; -180 and 180 are one edge, so distances are circular.
For an input of yaw mu a sampler weighs the bins, K times the normalised weights become counts that
sum to K, and images are drawn uniformly, without repetition, inside each bin.
"""

from abc import abstractmethod
from typing import Annotated, Literal

import torch
from pydantic import AfterValidator, PositiveFloat
from torch import Tensor

from mhpe.poses import Poses
from mhpe.rotations import wrap_degrees
from samplers.base import Sampler
from samplers.support.counts import largest_remainder, slots, systematic
from samplers.support.groups import NeighbouringGroups


def _divides_circle(width: float) -> float:
    if abs(360 / width - round(360 / width)) > 1e-9:
        raise ValueError("a bin width must divide 360")
    return width


BinWidth = Annotated[PositiveFloat, AfterValidator(_divides_circle)]


class YawBins:
    """Equal half-open bins over [-180, 180) degrees; ``width`` divides 360."""

    def __init__(self, width: float, device: torch.device | str = "cpu") -> None:
        self.width = width
        self.count = round(360 / width)
        self.centres = (torch.arange(self.count, device=device) + 0.5) * width - 180

    def of(self, yaw: Tensor) -> Tensor:
        """Number of the bin that each yaw (B,) in degrees is in, (B,) int64."""
        return ((wrap_degrees(yaw) + 180) / self.width).long().clamp(0, self.count - 1)

    def offsets(self, yaw: Tensor) -> Tensor:
        """Signed angular distance from each yaw (B,) to each bin centre, (B, bins) in [-180, 180)."""
        return wrap_degrees(self.centres - yaw[:, None])


class YawBinSampler(Sampler):
    """A sampler that gives weights to yaw bins.

    Attributes:
        bin_width: degrees, a divisor of 360.
        empty_bin: rule for references requested from a bin without images. ``nearest`` takes them from the nearest
            bin that has images; ``populated_only`` gives empty bins no weight. Under both rules a bin with too few
            images takes the rest from its neighbours.
    """

    bin_width: BinWidth = 20.0
    empty_bin: Literal["nearest", "populated_only"] = "nearest"
    _bins: YawBins
    _groups: NeighbouringGroups

    def fit(self, poses: Poses, progress: float) -> None:
        """Sort the candidates into bins."""
        super().fit(poses, progress)
        self._bins = YawBins(self.bin_width, poses.device)
        distance = wrap_degrees(self._bins.centres[:, None] - self._bins.centres).abs()
        self._groups = NeighbouringGroups(poses, self._bins.of(poses.yaw), distance)

    @abstractmethod
    def log_weights(self, query: Poses, bins: YawBins) -> Tensor:
        """Logarithm of each bin's weight for each input, (B, bins); -inf for no weight."""

    def requested_counts(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """Number of references requested from each bin, (B, bins) int64; rows sum to k."""
        return largest_remainder(self.usable_log_weights(query), k, generator)

    def usable_log_weights(self, query: Poses) -> Tensor:
        """Log-weights with the rule ``empty_bin`` applied, (B, bins).

        If all weighted bins of an input are empty, its weights stay: the references come from the nearest bins.
        """
        log_weights = self.log_weights(query, self._bins)
        if self.empty_bin == "nearest":
            return log_weights
        populated = log_weights.masked_fill(self._groups.sizes == 0, -torch.inf)
        return torch.where(torch.isneginf(populated).all(1, keepdim=True), log_weights, populated)

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """Draw by bin weights, (B, k)."""
        return self.draw_requested(query, self.requested_counts(query, k, generator), k, generator)

    def draw_requested(self, query: Poses, requested: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """Draw the requested number of references from each bin, (B, k); rows of ``requested`` (B, bins) sum to k."""
        return self._groups.draw(slots(requested, k), query.index, generator)


class RoundedBinSampler(YawBinSampler):
    """A sampler whose weights have to be rounded to counts.

    Attributes:
        rounding: how K times the weights are rounded to whole numbers. ``largest_remainder`` is nearest to the
            slides' worked example, but bins of small weight never get a reference: with K = 4 all sigmas from
            30 on give the same counts. ``systematic`` is right on average for every weight.
    """

    rounding: Literal["largest_remainder", "systematic"] = "largest_remainder"

    def requested_counts(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """Number of references requested from each bin, (B, bins) int64; rows sum to k."""
        to_counts = systematic if self.rounding == "systematic" else largest_remainder
        return to_counts(self.usable_log_weights(query), k, generator)
