"""Cells of SO(3), and the samplers that weigh them.

A sampler that weighs images by their rotation's angle to the input's would need all pairs of images. Here
the weight is computed once for all images of a cell, from the mean of their rotations, and images are drawn
uniformly inside a cell. That is exact where a cell holds one image, as most do in a pool of some dozens;
in large sets it blurs angles by some degrees: a Gaussian of sigma 30 draws as one of 30.4 would.
"""

import math
from abc import abstractmethod

import torch
from torch import Tensor

from mhpe.poses import Poses
from samplers.base import Sampler
from samplers.support.counts import race
from samplers.support.groups import Groups

CELLS_PER_EDGE = 12  # cells are 180 / 12 = 15 degrees wide near the identity


class Cells(Groups):
    """Candidates by cell of SO(3), with owners as in :class:`samplers.support.groups.Groups`; empty cells are left out.

    Attributes:
        sizes: (C,) images in each cell.
        centres: (C, 4) mean of the rotations in each cell, as unit quaternions.
    """

    def __init__(self, candidates: Poses, owner: Tensor | None = None) -> None:
        quaternions = canonical_quaternions(candidates.rotations)
        numbers, cell = torch.unique(cell_numbers(quaternions, CELLS_PER_EDGE), return_inverse=True)
        super().__init__(candidates, cell, len(numbers), owner)
        sums = quaternions.new_zeros(len(numbers), 4).index_add(0, cell, quaternions)
        self.centres = torch.nn.functional.normalize(sums)

    def angles(self, query: Poses) -> Tensor:
        """Angles between inputs and cells, (B, C) in [0, 180] degrees."""
        cosine = canonical_quaternions(query.rotations) @ self.centres.T
        return torch.rad2deg(2 * cosine.abs().clamp(max=1).acos())

    def density(self, bandwidth: float) -> Tensor:
        """Kernel estimate of the density of candidates around each cell, (C,): the number of images within about h.

        The kernel is an isotropic matrix Fisher one, ``exp(-2 sin^2(theta / 2) / h^2)``, for small angles
        ``exp(-theta^2 / (2 h^2))``; h is ``bandwidth`` in degrees, at least 1.
        """
        sharpness = 2 / math.radians(bandwidth) ** 2
        sizes = self.sizes.to(self.centres.dtype)
        parts = [(sharpness * ((part @ self.centres.T).square() - 1)).exp() @ sizes for part in self.centres.split(512)]
        return torch.cat(parts)


class CellSampler(Sampler):
    """A sampler that gives weights to images by the cell of SO(3) they are in.

    Cost for N images in C cells, hundreds of cells or a few thousand whatever N is: O(C) to draw for an
    input, O(N log N) to fit.
    """

    _cells: Cells

    def fit(self, poses: Poses, progress: float) -> None:
        """Sort the candidates into cells."""
        super().fit(poses, progress)
        self._cells = Cells(poses)

    @abstractmethod
    def log_weights(self, angles: Tensor, room: Tensor) -> Tensor:
        """Logarithm of the weight of each single image of a cell for each input, (B, C), finite.

        ``angles`` (B, C) are those between inputs and cells in degrees, ``room`` (B, C) the images in each cell that
        the input may get.
        """

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """Draw by weight without replacement, (B, k)."""
        return self.draw_from(self._cells, query, query.index, k, generator)

    def draw_from(self, cells: Cells, query: Poses, owner: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """Draw from cells whose candidates have owners, (B, k); ``owner`` (B,) are the inputs' owners."""
        room = cells.room(owner, k)
        cell = race(self.log_weights(cells.angles(query), room), room, k, generator)
        return cells.draw(cell, owner, generator)


def canonical_quaternions(rotations: Tensor) -> Tensor:
    """Unit quaternions (N, 4) of rotations (N, 3, 3), with their largest component positive."""
    import roma  # loads torch._dynamo: seconds

    quaternions: Tensor = roma.rotmat_to_unitquat(rotations)
    return quaternions * quaternions.gather(1, quaternions.abs().argmax(1, keepdim=True)).sign()


def cell_numbers(quaternions: Tensor, per_edge: int) -> Tensor:
    """Numbers (N,) of the cells of quaternions (N, 4) in an even grid on SO(3), found without a search.

    Rotations are the unit quaternions with their largest component positive: four faces of the hypercube around the
    unit sphere, projected on it (Yershova and LaValle 2004). Each face is cut into ``per_edge``^3 cells, evenly in
    angle; their volumes differ by a factor of 2.25 at most. The numbers are in [0, 4 per_edge^4), not all of which are
    cells.
    """
    largest, face = quaternions.max(1, keepdim=True)
    place = torch.atan(quaternions / largest) * (4 / math.pi)  # in [-1, 1], 1 for the face's own component
    step = ((place + 1) * (per_edge / 2)).long().clamp(0, per_edge - 1)
    powers = per_edge ** torch.arange(4, device=step.device)
    return face[:, 0] * per_edge**4 + (step * powers).sum(1)
