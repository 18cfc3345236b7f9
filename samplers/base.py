"""The base class of all samplers."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from pydantic import ConfigDict
from torch import Tensor

from mhpe.poses import Poses
from mhpe.validation import Section


class Sampler(Section, ABC):
    """A strategy that chooses K reference images for an input image.

    A sampler is a class in one file: a ``name``, its parameters as typed fields with defaults, and
    :meth:`draw`. It sees poses and indices, never images or the network. Whatever it prepares in
    :meth:`fit` goes into attributes whose names start with an underscore. Its rules are in
    :mod:`samplers.contract`; ``bench check-sampler`` checks them.

    A sampler that learns from the training defines one more method, which is called after every step with tensors on
    the training's device, outside autograd::

        def observe(self, query, drawn, distances, losses, images, embeddings):

    ``query`` are the poses of the B inputs and ``drawn`` (B, K) the numbers of their references in the training set
    (``Poses.index``); ``distances`` (B, K) lie between their triple vectors, and ``losses`` (B, K) are the squared
    differences from the distances of their rotations (equation 8, without noise). ``images`` are the poses of the M
    distinct images of the step as this epoch shows them (another epoch mirrors others), and ``embeddings`` (M, 3m)
    their triple vectors. Everything it learns must be in :meth:`state`, so that a training that was killed continues
    exactly.

    Attributes:
        name: the name studies use.

    Example:
        >>> class Nearest(Sampler):
        ...     '''The K candidates nearest in yaw; all of them repeatedly if there are fewer.'''
        ...
        ...     name = "nearest"
        ...
        ...     def draw(self, query, k, generator):
        ...         distance = (query.yaw[:, None] - self.candidates.yaw).abs()
        ...         distance[query.index[:, None] == self.candidates.index] = torch.inf  # never the input itself
        ...         return distance.argsort(1)[:, torch.arange(k) % max(1, len(self.candidates) - 1)]
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)
    name: ClassVar[str]
    _candidates: Poses | None = None

    @property
    def candidates(self) -> Poses:
        """The images that references are drawn from."""
        if self._candidates is None:
            raise RuntimeError(f"{self.name}: fit() must come before draw()")
        return self._candidates

    def fit(self, poses: Poses, progress: float) -> None:  # noqa: ARG002, for samplers that follow the training
        """Take the candidates; called at the start of every epoch or, with a pool, for every batch.

        ``poses`` are the candidates as this epoch shows them (some are mirrored), ``progress`` is the share of the
        training that is done, in [0, 1).
        """
        self._candidates = poses

    def state(self) -> dict[str, Tensor]:
        """What the sampler has learned by ``observe``; it goes into checkpoints. Empty for most samplers."""
        return {}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take over a :meth:`state` that is not empty; called before the first :meth:`fit`."""

    @abstractmethod
    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """Draw references: exactly k, never the input itself while there are other candidates.

        Args:
            query: poses of B input images.
            k: references per input, at least 1.
            generator: the only source of randomness, on the device of the poses.

        Returns:
            (B, k) positions in the candidates, int64.
        """
