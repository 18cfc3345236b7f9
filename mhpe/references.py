"""The one thing the core asks of a reference sampler, and the two ways to use it."""

from typing import Protocol

import torch
from torch import Tensor

from mhpe.poses import Poses


class ReferenceSampler(Protocol):
    """Chooses K reference images for each input image."""

    def fit(self, poses: Poses, progress: float) -> None:
        """Take the images that references are drawn from.

        Args:
            poses: the candidates.
            progress: share of the training that is done, in [0, 1).
        """

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """Draw references.

        Args:
            query: poses of B input images.
            k: references per input.
            generator: the only source of randomness, on the poses' device.

        Returns:
            (B, k) positions in the candidates, int64.
        """


def draw_pool(poses: Poses, size: int, generator: torch.Generator) -> Tensor:
    """Positions of a batch's shared pool: distinct images drawn uniformly, all of them if there are fewer."""
    return torch.randperm(len(poses), generator=generator, device=poses.device)[:size]
