"""Batches of inputs with their references for a ``torch.utils.data.DataLoader``."""

from collections.abc import Iterator

import torch
from torch.utils.data import Sampler as TorchSampler

from mhpe.poses import Poses
from samplers.base import Sampler


class ReferenceBatchSampler(TorchSampler[list[int]]):
    """Yields, for each batch, the indices of B inputs followed by those of their B x K references.

    Pass it as ``batch_sampler``. A loaded batch ``x`` then splits into ``x[:B]`` and ``x[B:].unflatten(0, (B, k))``.
    Images that do not fill a batch are left out, another few in each epoch. The sampler's ``observe`` is not called.

    Args:
        sampler: draws the references; fitted to all poses at the start of each epoch.
        poses: of the data set's N images, on the CPU; image i of the data set has pose i.
        k: references per input, at least 1.
        batch_size: inputs per batch B, at most N.
        epochs: length of the training, for samplers that change while it goes on; further epochs count as the last.
        seed: of the order and of the references.

    Raises:
        ValueError: if ``batch_size`` is above the number of images.
    """

    def __init__(self, sampler: Sampler, poses: Poses, k: int, batch_size: int, epochs: int = 1, seed: int = 0) -> None:
        if not 1 <= batch_size <= len(poses):
            raise ValueError(f"batch_size must be from 1 to the {len(poses)} images, not {batch_size}")
        self.sampler, self.poses, self.k, self.batch_size, self.epochs = sampler, poses, k, batch_size, epochs
        self._generator = torch.Generator().manual_seed(seed)
        self._epoch = 0

    def __len__(self) -> int:
        """Batches per epoch."""
        return len(self.poses) // self.batch_size

    def __iter__(self) -> Iterator[list[int]]:
        """One epoch."""
        self.sampler.fit(self.poses, min(self._epoch, self.epochs - 1) / self.epochs)
        self._epoch += 1
        order = torch.randperm(len(self.poses), generator=self._generator)
        for inputs in order.split(self.batch_size)[: len(self)]:
            references = self.sampler.draw(self.poses[inputs], self.k, self._generator)
            yield torch.cat((inputs, references.flatten())).tolist()
