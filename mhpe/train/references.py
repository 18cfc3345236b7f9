"""The one thing the core asks of a reference sampler, and the ways to use it."""

import math
from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor

from mhpe.config import CoreConfig
from mhpe.poses import Poses
from mhpe.seeding import generator

KERNEL_DEGREES, LARGEST_WEIGHT, KERNELS = 15.0, 10.0, 4096
"""The inputs' inverse density: width of the kernels, largest weight relative to the mean's, number of kernels."""


class ReferenceSampler(Protocol):
    """Chooses K reference images for each input image.

    A sampler that learns from the training has three more methods, as :class:`samplers.base.Sampler` describes them:
    ``observe``, ``state`` and ``load_state``.
    """

    def fit(self, poses: Poses, progress: float) -> None:
        """Take the candidates; ``progress`` is the share of the training that is done, in [0, 1)."""

    def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
        """Draw K references for each of B inputs: (B, k) positions in the candidates, int64.

        The generator, on the poses' device, is the only source of randomness.
        """


class EpochDraws:
    """An epoch's batches of inputs, and the references each input gets, from all images or from a pool of each batch.

    Iterating gives pairs: numbers (B,) of the inputs, numbers (B, K) of their references. A ValueError is raised if the
    sampler does not draw K references for each input. With K = 0 the sampler is not called. Images that do not fill a
    batch are left out.
    """

    def __init__(self, config: CoreConfig, sampler: ReferenceSampler, poses: Poses, seed: int, epoch: int) -> None:
        self._config, self._sampler, self._progress = config, sampler, epoch / config.epochs
        flipped = torch.rand(len(poses), generator=generator(seed, "flip", epoch)) < config.augmentation.flip
        self.flipped = flipped.to(poses.device)  # (N,) which images are mirrored in this epoch
        self.poses = poses.flipped(self.flipped)  # as this epoch shows them
        self.batches = batches_per_epoch(config, len(poses))
        self._order = _order(config, self.poses, generator(seed, "order", epoch)).to(poses.device)
        self._generator = generator(seed, "references", epoch, poses.device)
        self._pool_generator = generator(seed, "pool", epoch, poses.device)
        if config.k and config.references == "exact":
            sampler.fit(self.poses, self._progress)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        size = self._config.batch_size
        for inputs in self._order[: self.batches * size].split(size):
            yield inputs, self._draw(inputs)

    def _draw(self, inputs: Tensor) -> Tensor:
        if self._config.k == 0:
            return inputs.new_empty(len(inputs), 0)
        query = self.poses[inputs]
        if self._config.references == "exact":
            return self._references(query)
        if self._config.references == "batch":
            pool: Tensor = torch.unique(inputs)
        else:
            order = torch.randperm(len(self.poses), generator=self._pool_generator, device=self.poses.device)
            pool = order[: self._config.pool_size]
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


def _order(config: CoreConfig, poses: Poses, generator: torch.Generator) -> Tensor:
    """Numbers of an epoch's inputs in the order they are shown, (N,)."""
    order = torch.randperm(len(poses), generator=generator)
    if config.inputs == "shuffled":
        return order
    rows = poses.rotations.cpu().flatten(1)
    kernels = rows[order[:KERNELS]].T
    sharpness = 0.5 / math.radians(KERNEL_DEGREES) ** 2  # exp((cos(angle) - 1) / width^2), a matrix Fisher kernel
    density = torch.cat([(sharpness * (part @ kernels - 3)).exp().mean(1) for part in rows.split(KERNELS)])
    weights = 1 / density.clamp_min(density.mean() / LARGEST_WEIGHT)
    return torch.multinomial(weights, len(poses), replacement=True, generator=generator)


def batches_per_epoch(config: CoreConfig, images: int) -> int:
    """Whole batches in a training set of ``images`` images; a set smaller than a batch is one."""
    return max(1, images // config.batch_size)
