"""Random references of which arms share a part: how far would common draws reduce the scatter of paired differences?"""

import torch

from samplers import Sampler
from samplers.support.groups import Groups


class Overlap(Sampler):
    """Random references of which a share is drawn anew from another stream; arms have the rest in common."""

    name = "overlap"
    share: float = 0.0
    _groups: Groups

    def fit(self, poses, progress):
        """Put all candidates in one group."""
        super().fit(poses, progress)
        self._groups = Groups(poses, torch.zeros(len(poses), dtype=torch.int64, device=poses.device), 1)

    def draw(self, query, k, generator):
        """Draw twice, (B, k), and take the second draw for a share of the references."""
        group = torch.zeros(len(query), k, dtype=torch.int64, device=query.device)
        first = self._groups.draw(group, query.index, generator)
        second = self._groups.draw(group, query.index, generator)
        other = torch.rand(first.shape, generator=generator) < self.share
        return torch.where(other, second, first)
