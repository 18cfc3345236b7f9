"""References near fixed rotations that are spread evenly over SO(3)."""

import math

import torch
from pydantic import Field, PositiveInt
from torch import Tensor

from mhpe.poses import Poses
from samplers.base import Sampler
from samplers.support.counts import in_turn, slots
from samplers.support.groups import NeighbouringGroups


class SuperFibonacci(Sampler):
    """One image near each of K anchors, evenly spread rotations, whatever the input.

    The anchors are a super-Fibonacci spiral (Alexa 2022, "Super-Fibonacci Spirals: Fast, Low-Discrepancy Sampling
    of SO(3)"). Each candidate belongs to its nearest anchor; anchors take turns, in a new random order for each
    input, and give one of their images, so that weights are equal for anchors: ``uniform`` in random order over
    populated bins, with cells of SO(3) for bins of yaw. Most anchors have no candidate and are left out. So are
    anchors with very few candidates, which would be references of almost every input: their candidates go to the
    nearest remaining anchor.

    Cost: O(anchors) for an input; O(N anchors) to fit N images.

    Attributes:
        anchors: number on all of SO(3); 500 are about 30 degrees apart, and about a tenth of them are head poses.
        least: an anchor with fewer candidates than this share of the mean is left out.
    """

    name = "super_fibonacci"
    anchors: PositiveInt = 500
    least: float = Field(0.2, ge=0, lt=1)
    _groups: NeighbouringGroups

    def fit(self, poses: Poses, progress: float) -> None:
        """Give each candidate to its nearest anchor."""
        import roma  # loads torch._dynamo: seconds

        super().fit(poses, progress)
        anchors = super_fibonacci(self.anchors).to(poses.rotations)
        quaternions = roma.rotmat_to_unitquat(poses.rotations)
        sizes = torch.bincount(_nearest(quaternions, anchors), minlength=len(anchors))
        anchors = anchors[sizes > self.least * len(poses) / (sizes > 0).sum()]
        cosine = (anchors @ anchors.T).abs()
        self._groups = NeighbouringGroups(poses, _nearest(quaternions, anchors), -cosine)

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """Draw one image per anchor, (B, k)."""
        turn = torch.rand(len(query), len(self._groups.sizes), generator=generator, device=query.device)
        return self._groups.draw(slots(in_turn(turn, k), k), query.index, generator)


def super_fibonacci(count: int) -> Tensor:
    """Rotations of a super-Fibonacci spiral, as unit quaternions (count, 4), float64."""
    phi, psi = math.sqrt(2), 1.533751168755204288118041413  # psi^4 = psi + 4
    s = torch.arange(count, dtype=torch.float64) + 0.5
    t, alpha, beta = s / count, 2 * math.pi * s / phi, 2 * math.pi * s / psi
    near, far = t.sqrt(), (1 - t).sqrt()
    return torch.stack((near * alpha.sin(), near * alpha.cos(), far * beta.sin(), far * beta.cos()), 1)


def _nearest(quaternions: Tensor, anchors: Tensor) -> Tensor:
    """Number of the nearest anchor of each quaternion, (N,)."""
    return torch.cat([(part @ anchors.T).abs().argmax(1) for part in quaternions.split(512)])
