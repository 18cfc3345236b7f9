"""Samplers that mine references by the distance of triple vectors, as the training last saw them."""

from abc import abstractmethod

import torch
from pydantic import Field
from torch import Tensor

from mhpe.poses import Poses
from mhpe.rotations import geodesic_degrees
from samplers.base import Sampler

LAST = -1e4
"""Log-weight of what is drawn only where nothing else is left."""


class EmbeddingSampler(Sampler):
    """Draws from a random window of candidates by their embedding distances, which it remembers.

    The window is one for all inputs of a batch, as published methods mine inside a batch. An image's triple vector is
    the one of the last step that encoded it. Until an input has one, its references are random.

    Cost: O(W) for an input, W images in the window; a memory of 3m numbers for each image.

    Attributes:
        window: images in the window.
    """

    window: int = Field(512, ge=2, le=100_000)
    _memory: Tensor | None = None

    def observe(
        self,
        query: Poses,  # noqa: ARG002
        drawn: Tensor,  # noqa: ARG002
        distances: Tensor,  # noqa: ARG002
        losses: Tensor,  # noqa: ARG002
        images: Tensor,
        embeddings: Tensor,
    ) -> None:
        """Remember the triple vectors (M, 3m) of a step's distinct images (M,)."""
        images, embeddings = images.to(self.candidates.device), embeddings.to(self.candidates.device)
        known, count = self._memory, int(images.max()) + 1
        if known is None or len(known) < count:
            self._memory = embeddings.new_full((count, embeddings.shape[1]), torch.nan)
            if known is not None:
                self._memory[: len(known)] = known
        self._memory[images] = embeddings  # type: ignore[index]

    def state(self) -> dict[str, Tensor]:
        """The triple vectors; not a number for images that no step has encoded."""
        return {} if self._memory is None else {"memory": self._memory}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take over the triple vectors."""
        self._memory = state["memory"].clone()

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """Draw from the window, (B, k)."""
        device = self.candidates.device
        window = torch.randperm(len(self.candidates), generator=generator, device=device)[: self.window]
        shown = self.candidates[window]
        itself = query.index[:, None] == shown.index
        distance = (2 * (3 - self._embedding(query) @ self._embedding(shown).T)).clamp_min(0).sqrt()
        angle = geodesic_degrees(query.rotations[:, None], shown.rotations)
        return window[self.choose(distance, angle, itself, k, generator)]

    @abstractmethod
    def choose(self, distance: Tensor, angle: Tensor, itself: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """Choose references in the window, (B, k) positions in it.

        Args:
            distance: (B, W) between triple vectors; not a number where one is unknown.
            angle: (B, W) between rotations, degrees.
            itself: (B, W) whether it is the input itself.
            k: references per input.
            generator: the only source of randomness.
        """

    def _embedding(self, poses: Poses) -> Tensor:
        """Triple vectors (N, 3m); not a number for images that have none."""
        if self._memory is None:
            return torch.full((len(poses), 1), torch.nan, device=poses.device)
        known = poses.index < len(self._memory)
        found = self._memory[poses.index.clamp(max=len(self._memory) - 1)]
        return torch.where(known[:, None], found, torch.nan)


def draw_weighted(log_weights: Tensor, itself: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """Draw by weight without replacement, (B, k); repeatedly if there are fewer than k.

    ``log_weights`` (B, W) are :data:`LAST` where the weight is 0 or unknown; ``itself`` (B, W) is never drawn while
    there is anything else.
    """
    uniform = torch.rand(log_weights.shape, generator=generator, device=log_weights.device).clamp_min(1e-12)
    race = (log_weights - (-uniform.log()).log()).masked_fill(itself, -torch.inf)
    available = max(1, log_weights.shape[1] - int(itself.any()))
    return race.argsort(1, descending=True)[:, torch.arange(k, device=race.device) % available]
