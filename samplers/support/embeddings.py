"""Samplers that mine references by the distance of triple vectors, as the training last saw them."""

from abc import abstractmethod

import torch
from pydantic import Field
from torch import Tensor

from mhpe.poses import Poses
from mhpe.rotations import geodesic_degrees
from samplers.base import Sampler

LAST = -1e4  # log-weight of what is drawn only where nothing else is left


class EmbeddingSampler(Sampler):
    """Draws from a random window of candidates by their embedding distances, which it remembers.

    The window is one for all inputs of a batch, as published methods mine inside a batch. An image's triple vector is
    the one of the last step that encoded it; it is unknown until then, and while the image is shown mirrored but was
    not in that step, or the reverse. As long as an input has none, its references are random.

    Cost: O(W) for an input, W images in the window; a memory of 3m + 3 numbers for each image.

    Attributes:
        window: images in the window; at least K + 1 are drawn.
    """

    window: int = Field(512, ge=2, le=100_000)
    _memory: Tensor | None = None
    _angles: Tensor | None = None

    def observe(
        self,
        query: Poses,  # noqa: ARG002
        drawn: Tensor,  # noqa: ARG002
        distances: Tensor,  # noqa: ARG002
        losses: Tensor,  # noqa: ARG002
        images: Poses,
        embeddings: Tensor,
    ) -> None:
        """Remember the triple vectors (M, 3m) of a step's M distinct images, and the angles they were shown at."""
        images, embeddings = images.to(self.candidates.device), embeddings.to(self.candidates.device)
        self._memory = _written(self._memory, images.index, embeddings)
        self._angles = _written(self._angles, images.index, images.angles)

    def state(self) -> dict[str, Tensor]:
        """The triple vectors and the angles; not a number for images that no step has encoded."""
        return {} if self._memory is None or self._angles is None else {"memory": self._memory, "angles": self._angles}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take over the triple vectors and the angles."""
        self._memory, self._angles = state["memory"].clone(), state["angles"].clone()

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """Draw from the window, (B, k)."""
        device = self.candidates.device
        window = torch.randperm(len(self.candidates), generator=generator, device=device)[: max(self.window, k + 1)]
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
        """Triple vectors (N, 3m); not a number for images that have none at the angles of ``poses``."""
        if self._memory is None or self._angles is None:
            return torch.full((len(poses), 1), torch.nan, device=poses.device)
        place = poses.index.clamp(max=len(self._memory) - 1)
        known = (poses.index == place) & (poses.angles == self._angles[place]).all(1)
        return torch.where(known[:, None], self._memory[place], torch.nan)


def _written(table: Tensor | None, rows: Tensor, values: Tensor) -> Tensor:
    """A table with values (M, C) in some rows (M,); it grows by rows of not a number as needed."""
    count = int(rows.max()) + 1
    if table is None:
        table = values.new_empty(0, values.shape[1])
    if len(table) < count:
        table = torch.cat((table, table.new_full((count - len(table), table.shape[1]), torch.nan)))
    table[rows] = values
    return table


def draw_weighted(log_weights: Tensor, itself: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """Draw by weight without replacement, (B, k); repeatedly if there are fewer than k.

    ``log_weights`` (B, W) are :data:`LAST` where the weight is 0 or unknown; ``itself`` (B, W) is never drawn while
    there is anything else.
    """
    uniform = torch.rand(log_weights.shape, generator=generator, device=log_weights.device).clamp_min(1e-12)
    race = (log_weights - (-uniform.log()).log()).masked_fill(itself, -torch.inf)
    available = max(1, log_weights.shape[1] - int(itself.any()))
    return race.argsort(1, descending=True)[:, torch.arange(k, device=race.device) % available]
