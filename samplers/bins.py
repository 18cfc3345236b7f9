"""References from the input's yaw bin."""

import torch
from torch import Tensor

from mhpe.poses import Poses
from samplers.yaw_bins import YawBins, YawBinSampler


class Bins(YawBinSampler):
    """All K from the input's bin; when it has too few images, from neighbouring bins.

    Slides, "Using reference images in bins".
    """

    name = "bins"

    def log_weights(self, query: Poses, bins: YawBins) -> Tensor:
        """0 for the input's bin, -inf for the others."""
        weights = query.yaw.new_full((len(query), bins.count), -torch.inf)
        return weights.scatter(1, bins.of(query.yaw)[:, None], 0.0)
