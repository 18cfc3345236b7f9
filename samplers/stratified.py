"""One reference from each shell around the input."""

import torch
from torch import Tensor

from mhpe.poses import Poses
from samplers.base import Sampler
from samplers.so3_cells import Cells


class Stratified(Sampler):
    """One image from each of K quantile shells of the angle theta to the input.

    The images, sorted by theta, are split into K shells of equal size, and one is drawn uniformly from each
    (stratified sampling, Cochran 1977). Every image is as likely as with ``random``, but each input gets near,
    middle and far references. The order is that of cells of SO(3), and a random one inside a cell.

    Cost: O(C log C) for an input, C populated cells.
    """

    name = "stratified"
    _cells: Cells

    def fit(self, poses: Poses, progress: float) -> None:
        """Sort the candidates into cells."""
        super().fit(poses, progress)
        self._cells = Cells(poses)

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """Draw one image per shell, (B, k)."""
        nearest = _nearest_first(self._cells.angles(query))
        images = self._cells.room(query.index, k).gather(1, nearest).cumsum(1)  # as near as each cell, or nearer
        edges = images[:, -1:] * torch.arange(k + 1, device=query.device) // k
        first, size = edges[:, :-1], edges.diff(dim=1)
        u = torch.rand(first.shape, generator=generator, device=query.device, dtype=torch.float64)
        rank = first + (u * size).long()
        cell = nearest.gather(1, torch.searchsorted(images, rank, right=True))
        return self._cells.draw(cell, query.index, generator)


def _nearest_first(angles: Tensor) -> Tensor:
    """Cells sorted by their angles (B, C), to an eighth of a degree.

    One radix sort of integers, rows and angles in one key, is several times faster than sorting each row.
    """
    rows = torch.arange(len(angles), dtype=torch.int32, device=angles.device)[:, None]
    order = ((8 * angles).int() + 2048 * rows).flatten().argsort()
    return order.view_as(angles) - angles.shape[1] * rows
