"""The nearest images in rotation, and a random one."""

import torch
from pydantic import Field
from torch import Tensor

from mhpe.poses import Poses
from samplers.base import Sampler
from samplers.so3_cells import canonical_quaternions


class DenseNeighbours(Sampler):
    """The K - ``far`` nearest images in rotation, the rest from anywhere.

    Kim et al. 2019, "Deep metric learning beyond binary supervision", section 4.2: a batch is an anchor, its nearest
    neighbours and a few others. ``near_and_far`` is nearly that: it draws the near ones at random, too.

    Cost: O(N) for an input, N candidates.

    Attributes:
        far: random references, as far as K allows one near one.
    """

    name = "dense_neighbours"
    far: int = Field(1, ge=0, le=10_000)

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """The nearest, then random ones, (B, k)."""
        rotations = canonical_quaternions(self.candidates.rotations)
        nearness = (canonical_quaternions(query.rotations) @ rotations.T).abs()
        itself = query.index[:, None] == self.candidates.index
        near = nearness.masked_fill(itself, -1).topk(min(max(1, k - self.far), len(rotations)), 1).indices
        order = torch.rand(nearness.shape, generator=generator, device=query.device) - 1
        order = order.scatter(1, near, 1 + nearness.gather(1, near)).masked_fill(itself, -torch.inf)
        others = max(1, len(rotations) - 1)
        return order.topk(min(k, others), 1).indices[:, torch.arange(k, device=query.device) % others]
