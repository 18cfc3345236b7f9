"""References in the input's pose that show other heads."""

import torch
from pydantic import PositiveFloat
from torch import Tensor

from mhpe.poses import Poses
from samplers.geodesic_gaussian import GeodesicGaussian
from samplers.so3_cells import Cells


class SamePoseOtherIdentity(GeodesicGaussian):
    """``geodesic_gaussian`` over the images of other identities: ``w = exp(-theta^2 / (2 sigma^2))``.

    With its small sigma input and reference share the pose and differ in the head: the positive pairs of
    metric learning (Schroff et al. 2015, "FaceNet", with pose and identity exchanged). Where no other
    identity has the input's pose, the nearest poses are drawn. An input with fewer than K images of other
    identities also gets images of its own identity, but never itself.

    Cost: O(C) for an input, C populated cells of SO(3).

    Attributes:
        sigma: degrees.
    """

    name = "same_pose_other_identity"
    sigma: PositiveFloat = 10.0
    _others: Cells

    def fit(self, poses: Poses, progress: float) -> None:
        """Sort the candidates into cells, by identity inside each."""
        super().fit(poses, progress)
        self._others = Cells(poses, owner=poses.identities)

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """Draw by weight without replacement, (B, k)."""
        enough = len(self._others) - self._others.owned(query.identities) >= k
        drawn = torch.empty(len(query), k, dtype=torch.int64, device=query.device)
        for rows, cells, owner in ((enough, self._others, query.identities), (~enough, self._cells, query.index)):
            if rows.any():
                drawn[rows] = self.draw_from(cells, query[rows], owner[rows], k, generator)
        return drawn
