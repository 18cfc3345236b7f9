"""Candidates sorted into groups, and draws without repetition inside a group."""

import torch
from torch import Tensor

from mhpe.poses import Poses


class Groups:
    """Candidates by group: a yaw bin, a cell of SO(3), or all of them in one.

    A query never gets a candidate that it owns: by default the image itself. If every candidate belongs to the
    query's owner, they are drawn anyway.

    Args:
        candidates: N images.
        group: (N,) number of each candidate's group.
        count: number of groups.
        owner: (N,) owner of each candidate: the image's number by default.
    """

    def __init__(self, candidates: Poses, group: Tensor, count: int, owner: Tensor | None = None) -> None:
        self.sizes = torch.bincount(group, minlength=count)
        self._starts = self.sizes.cumsum(0) - self.sizes
        # A block is one owner's images in one group. Blocks are numbered by owner, then by group.
        key = (candidates.index if owner is None else owner) * count + group
        self._block_keys, block, self._block_sizes = torch.unique(key, return_inverse=True, return_counts=True)
        by_group = (self._block_keys % count).argsort(stable=True)
        sizes = self._block_sizes[by_group]
        self._owned_before = torch.nn.functional.pad(self._block_sizes.cumsum(0), (1, 0))
        self._block_starts = torch.empty_like(sizes)
        self._block_starts[by_group] = sizes.cumsum(0) - sizes
        self._order = self._block_starts[block].argsort(stable=True)  # candidates by group, in it by block

    def __len__(self) -> int:
        return len(self._order)

    def owned(self, query_owner: Tensor) -> Tensor:
        """Number of candidates that each query owns, (B,)."""
        first, end = self._blocks(query_owner)
        return self._owned_before[end] - self._owned_before[first]

    def room(self, query_owner: Tensor, k: int) -> Tensor:
        """Number of references that each group can give to queries of these owners (B,), (B, groups).

        These are the group's images that the query does not own, times the number of times that each image may be drawn
        (more than once only if there are fewer than k images).
        """
        room = self.sizes.repeat(len(query_owner), 1)
        first, end = self._blocks(query_owner)
        end = torch.where(self._kept_apart(query_owner), end, first)
        block = first[:, None] + torch.arange(int((end - first).max()), device=first.device)
        own = block < end[:, None]
        block = torch.where(own, block, 0)
        room.scatter_add_(1, self._block_keys[block] % len(self.sizes), -self._block_sizes[block] * own)
        return room * self._copies(query_owner, k)

    def draw(self, group: Tensor, query_owner: Tensor, generator: torch.Generator) -> Tensor:
        """Draw images from groups: (B, K) positions in the candidates.

        References repeat only if ``k`` exceeds the number of available images.

        Args:
            group: (B, K) group of each reference, none more often than :meth:`room` says.
            query_owner: (B,) the inputs' owners, their image numbers by default.
            generator: on the candidates' device.
        """
        k = group.shape[1]
        group = group.sort(1).values
        key = query_owner[:, None] * len(self.sizes) + group
        block = torch.searchsorted(self._block_keys, key).clamp(max=len(self._block_keys) - 1)
        own = (self._block_keys[block] == key) & self._kept_apart(query_owner)[:, None]
        own_size = self._block_sizes[block] * own
        size = self.sizes[group] - own_size

        # Floyd's algorithm, all inputs at once: slot i of n in a group of m draws from the first m - n + i
        # places and takes the last of them if its draw is taken already.
        copies = self._copies(query_owner, k)
        first = torch.searchsorted(group, group)
        count = torch.searchsorted(group, group, right=True) - first
        last = size * copies - count + torch.arange(k, device=group.device) - first
        u = torch.rand(group.shape, generator=generator, device=group.device, dtype=torch.float64)
        base = self._starts[group] * copies
        chosen = base + (u * (last + 1)).long().minimum(last)
        for slot in range(1, k):
            taken = (chosen[:, :slot] == chosen[:, slot : slot + 1]).any(1)
            chosen[:, slot] = torch.where(taken, base[:, slot] + last[:, slot], chosen[:, slot])

        place = self._starts[group] + (chosen - base) % size
        place += own_size * (place >= self._block_starts[block])  # skip the block that the query owns
        return self._order[place]

    def _blocks(self, owner: Tensor) -> tuple[Tensor, Tensor]:
        """First block of each owner, and the first one after its blocks, (B,) each."""
        groups = len(self.sizes)
        return (
            torch.searchsorted(self._block_keys, owner * groups),
            torch.searchsorted(self._block_keys, (owner + 1) * groups),
        )

    def _copies(self, query_owner: Tensor, k: int) -> Tensor:
        """Number of times that each image may be drawn so that there are k references, (B, 1)."""
        left = len(self) - self.owned(query_owner) * self._kept_apart(query_owner)
        return -(-k // left)[:, None]

    def _kept_apart(self, query_owner: Tensor) -> Tensor:
        """Whether the query's own candidates are excluded, (B,): not if there are no others."""
        return self.owned(query_owner) < len(self)


class NeighbouringGroups(Groups):
    """Groups with fallback: a group that has no image left is replaced by the nearest group that has one.

    ``distance`` (groups, groups) is the distance between groups.
    """

    def __init__(self, candidates: Poses, group: Tensor, distance: Tensor) -> None:
        super().__init__(candidates, group, len(distance))
        self._distance = distance
        self._nearest_populated = distance.masked_fill(self.sizes == 0, torch.inf).argmin(1)
        self._scarcest = int(self.sizes[self.sizes > 0].min())

    def with_fallback(self, requested: Tensor, query_index: Tensor) -> Tensor:
        """Groups (B, K) that references come from when some requested groups (B, K) have too few images.

        A reference from an empty group comes from the nearest group that has images; from a group whose
        images are all taken already, from the nearest one with an image left.
        """
        served = self._nearest_populated[requested]
        k = requested.shape[1]
        if self._scarcest > k:
            return served
        room = self.room(query_index, k)
        for slot in range(k):
            cost = self._distance[served[:, slot]].masked_fill(room <= 0, torch.inf)
            served[:, slot] = cost.argmin(1)
            room.scatter_add_(1, served[:, slot : slot + 1], -torch.ones_like(served[:, :1]))
        return served

    def draw(self, group: Tensor, query_owner: Tensor, generator: torch.Generator) -> Tensor:
        """Draw from requested groups (B, K), without limit; from the nearest groups where one has too few images."""
        return super().draw(self.with_fallback(group, query_owner), query_owner, generator)
