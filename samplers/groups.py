"""Candidates sorted into groups, and draws without repetition inside a group."""

import torch
from torch import Tensor

from mhpe.poses import Poses


class Groups:
    """Candidates by group: a yaw bin, a cell of SO(3), or all of them in one.

    Args:
        candidates: N images.
        group: (N,) number of each candidate's group.
        way: (groups, groups) how far groups are apart, to find the next one when one has no image left.
    """

    def __init__(self, candidates: Poses, group: Tensor, way: Tensor) -> None:
        self.sizes = torch.bincount(group, minlength=len(way))
        self._way = way
        self._nearest_populated = way.masked_fill(self.sizes == 0, torch.inf).argmin(1)
        self._scarcest = int(self.sizes[self.sizes > 0].min())
        self._order = torch.argsort(group, stable=True)  # candidates by group
        self._starts = self.sizes.cumsum(0) - self.sizes
        self._group = group
        self._place = torch.empty_like(group)  # each candidate's place in its group
        self._place[self._order] = torch.arange(len(group), device=group.device) - self._starts[group[self._order]]
        self._position = candidates.index.new_full((int(candidates.index.max()) + 1,), -1)
        self._position[candidates.index] = torch.arange(len(group), device=group.device)

    def serve(self, wanted: Tensor, query_index: Tensor) -> Tensor:
        """The groups that references come from when some of the wanted ones have too few images.

        A reference from an empty group comes from the nearest group that has images; from a group whose
        images are all taken already, from the nearest one with an image left.

        Args:
            wanted: (B, K) group of each reference.
            query_index: (B,) image numbers of the inputs.

        Returns:
            (B, K) groups.
        """
        served = self._nearest_populated[wanted]
        k = wanted.shape[1]
        if self._scarcest > k:
            return served
        own = self._find(query_index)
        room = self.sizes.repeat(len(own), 1)
        room.scatter_add_(1, self._group[own][:, None], -(own >= 0).long()[:, None])
        room *= self._copies(k)
        for slot in range(k):
            cost = self._way[served[:, slot]].masked_fill(room <= 0, torch.inf)
            served[:, slot] = cost.argmin(1)
            room.scatter_add_(1, served[:, slot : slot + 1], -torch.ones_like(served[:, :1]))
        return served

    def draw(self, wanted: Tensor, query_index: Tensor, generator: torch.Generator) -> Tensor:
        """Draw images from wanted groups.

        No image is drawn twice for an input, and the input itself never, as long as there are images; who
        wants more references than there are other images gets some of them repeatedly.

        Args:
            wanted: (B, K) group of each reference.
            query_index: (B,) image numbers of the inputs.
            generator: on the candidates' device.

        Returns:
            (B, K) positions in the candidates.
        """
        group = self.serve(wanted, query_index).sort(1).values
        own = self._find(query_index)[:, None]
        own_here = (own >= 0) & (self._group[own] == group)
        size = self.sizes[group] - own_here.long()
        if len(self._order) == 1:
            return torch.zeros_like(group)

        # Floyd's algorithm, all inputs at once: slot i of n in a group of m draws from the first m - n + i
        # places and takes the last of them if its draw is taken already.
        copies = self._copies(wanted.shape[1])
        first = torch.searchsorted(group, group)
        count = torch.searchsorted(group, group, right=True) - first
        last = size * copies - count + torch.arange(wanted.shape[1], device=group.device) - first
        u = torch.rand(group.shape, generator=generator, device=group.device, dtype=torch.float64)
        base = self._starts[group] * copies
        chosen = base + (u * (last + 1)).long().minimum(last)
        for slot in range(1, wanted.shape[1]):
            taken = (chosen[:, :slot] == chosen[:, slot : slot + 1]).any(1)
            chosen[:, slot] = torch.where(taken, base[:, slot] + last[:, slot], chosen[:, slot])

        place = (chosen - base) % size
        place += own_here & (place >= self._place[own])  # step over the input itself
        return self._order[self._starts[group] + place]

    def _find(self, query_index: Tensor) -> Tensor:
        """Position of each input among the candidates, -1 if it is none of them, (B,)."""
        known = query_index < len(self._position)
        return torch.where(known, self._position[torch.where(known, query_index, 0)], -1)

    def _copies(self, k: int) -> int:
        """How often each image may be drawn so that k references can be had."""
        return -(-k // max(1, len(self._order) - 1))
