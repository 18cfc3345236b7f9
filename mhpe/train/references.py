"""The one thing the core asks of a reference sampler, and the two ways to use it."""

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor

from mhpe.config import CoreConfig
from mhpe.poses import Poses
from mhpe.seeding import generator


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


class EpochDraws:
    """An epoch's batches of inputs, and the references each input gets, exactly or from a pool of each batch.

    Iterating gives pairs: numbers (B,) of the inputs, numbers (B, K) of their references. It raises a
    ValueError if the sampler draws something else than K references for each input.

    Args:
        config: the core.
        sampler: chooses the references.
        poses: of the training set.
        seed: the trial's.
        epoch: from 0.

    Attributes:
        flipped: (N,) which images are mirrored in this epoch.
        poses: as this epoch shows them.
        batches: their number; the rest of the images, less than a batch, is left out.
    """

    def __init__(self, config: CoreConfig, sampler: ReferenceSampler, poses: Poses, seed: int, epoch: int) -> None:
        self._config, self._sampler, self._progress = config, sampler, epoch / config.epochs
        flipped = torch.rand(len(poses), generator=generator(seed, "flip", epoch)) < config.augmentation.flip
        self.flipped = flipped.to(poses.device)
        self.poses = poses.flipped(self.flipped)
        self.batches = batches_per_epoch(config, len(poses))
        self._order = torch.randperm(len(poses), generator=generator(seed, "order", epoch)).to(poses.device)
        self._generator = generator(seed, "references", epoch, poses.device)
        self._pool_generator = generator(seed, "pool", epoch, poses.device)
        if config.references == "exact":
            sampler.fit(self.poses, self._progress)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        size = self._config.batch_size
        for inputs in self._order[: self.batches * size].split(size):
            yield inputs, self._draw(inputs)

    def _draw(self, inputs: Tensor) -> Tensor:
        query = self.poses[inputs]
        if self._config.references == "exact":
            return self._references(query)
        pool = draw_pool(self.poses, self._config.pool_size, self._pool_generator)
        self._sampler.fit(self.poses[pool], self._progress)
        return pool[self._references(query)]

    def _references(self, query: Poses) -> Tensor:
        k = self._config.k
        drawn = self._sampler.draw(query, k, self._generator)
        if drawn.shape != (len(query), k) or drawn.dtype != torch.int64:
            raise ValueError(
                f"the sampler drew a tensor of shape {tuple(drawn.shape)} and type {drawn.dtype}, "
                f"not ({len(query)}, {k}) and torch.int64"
            )
        return drawn


def batches_per_epoch(config: CoreConfig, images: int) -> int:
    """Whole batches in a training set of so many images; a set smaller than a batch is one."""
    return max(1, images // config.batch_size)
