"""Random references."""

import torch
from torch import Tensor

from mhpe.poses import Poses
from samplers.base import Sampler
from samplers.support.groups import Groups


class Random(Sampler):
    """Uniform over the training images: the slides' "original code", the baseline of every study.

    Cost of a draw: O(K^2), whatever the number of images.
    """

    name = "random"
    _groups: Groups

    def fit(self, poses: Poses, progress: float) -> None:
        """Put all candidates in one group."""
        super().fit(poses, progress)
        group = torch.zeros(len(poses), dtype=torch.int64, device=poses.device)
        self._groups = Groups(poses, group, 1)

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """Draw uniformly, (B, k)."""
        group = torch.zeros(len(query), k, dtype=torch.int64, device=query.device)
        return self._groups.draw(group, query.index, generator)
