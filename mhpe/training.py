"""The training of one network, top to bottom."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mhpe.augmentation import Augmentation
from mhpe.config import CoreConfig
from mhpe.data.dataset import HeadPoseSet
from mhpe.model import MHPE
from mhpe.objective import PARTS, total_loss
from mhpe.poses import Poses
from mhpe.precision import resolve
from mhpe.references import ReferenceSampler, draw_pool
from mhpe.seeding import generator


class NotFiniteError(RuntimeError):
    """The loss became infinite or not a number."""


@dataclass(frozen=True)
class Epoch:
    """What an epoch did.

    Attributes:
        number: from 0.
        losses: mean of the total loss ("total") and of each unweighted part.
        learning_rate: at the epoch's end.
        images_per_input: distinct images encoded per input.
    """

    number: int
    losses: dict[str, float]
    learning_rate: float
    images_per_input: float


def poses_of(data: HeadPoseSet, device: torch.device | str = "cpu") -> Poses:
    """The poses of a whole data set."""
    return Poses(
        torch.as_tensor(data.rotations, device=device),
        torch.as_tensor(data.angles, device=device),
        torch.as_tensor(data.identities, device=device),
        torch.arange(len(data), device=device),
    )


def train(
    config: CoreConfig,
    data: HeadPoseSet,
    sampler: ReferenceSampler,
    seed: int,
    device: torch.device,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> MHPE:
    """Train a network; the last epoch's weights are the result.

    Args:
        config: the core.
        data: the training set, at ``config.image_size``.
        sampler: chooses the references.
        seed: of all streams of randomness.
        device: where images, poses and network live.
        on_epoch: told of every finished epoch.

    Raises:
        NotFiniteError: at the end of an epoch whose loss is not finite.
    """
    images = torch.from_numpy(data.images).to(device)
    poses = poses_of(data, device)
    model = MHPE(config, seed).to(device)
    optimizer = torch.optim.Adam(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    batches = max(1, len(data) // config.batch_size)  # the rest of an epoch, less than a batch, is left out
    schedule = _schedule(config, optimizer, batches)
    dtype = resolve(config.precision, device)

    for epoch in range(config.epochs):
        model.train()
        flipped = torch.rand(len(data), generator=generator(seed, "flip", epoch)) < config.augmentation.flip
        flipped = flipped.to(device)
        epoch_poses = poses.flipped(flipped)
        references = _EpochReferences(config, sampler, epoch_poses, seed, epoch)
        augment = Augmentation(config.augmentation, len(data), generator(seed, "augmentation", epoch))
        noise = generator(seed, "noise", epoch, device)
        order = torch.randperm(len(data), generator=generator(seed, "order", epoch)).to(device)
        sums = torch.zeros(1 + len(PARTS), device=device)
        encoded = 0

        for inputs in order[: batches * config.batch_size].split(config.batch_size):
            drawn = references.draw(inputs)
            # Each distinct image of the batch is loaded, augmented and encoded once.
            distinct, position = torch.unique(torch.cat((inputs, drawn.flatten())), return_inverse=True)
            input_at, reference_at = position[: len(inputs)], position[len(inputs) :].view_as(drawn)
            encoded += len(distinct)

            batch = mirror_images(images[distinct].permute(0, 3, 1, 2), flipped[distinct])
            output = model(augment(batch, distinct.cpu()), dtype)
            loss = total_loss(output, epoch_poses.rotations[distinct], input_at, reference_at, config, noise)
            optimizer.zero_grad(set_to_none=True)
            loss.total.backward()
            optimizer.step()
            schedule.step()
            sums += torch.cat((loss.total.detach()[None], loss.parts))

        means = (sums / batches).tolist()
        if not np.isfinite(means).all():
            raise NotFiniteError(f"the loss of epoch {epoch} is not finite: {dict(zip(PARTS, means[1:], strict=True))}")
        losses = dict(zip(("total", *PARTS), means, strict=True))
        on_epoch(Epoch(epoch, losses, float(schedule.get_last_lr()[0]), encoded / (batches * config.batch_size)))
    return model


def mirror_images(images: Tensor, which: Tensor) -> Tensor:
    """Mirror the images (B, 3, S, S) of a mask (B,)."""
    return torch.where(which[:, None, None, None], images.flip(3), images)


def _schedule(
    config: CoreConfig, optimizer: torch.optim.Optimizer, batches: int
) -> torch.optim.lr_scheduler.LRScheduler:
    if config.schedule.kind == "one_cycle":
        steps = max(config.epochs * batches + 1, 8)  # a cycle of fewer steps has no warm-up to divide by
        return torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, steps, pct_start=0.25)
    milestones = [epoch * batches for epoch in config.schedule.milestones]
    return torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones, 0.1)


class _EpochReferences:
    """Draws an epoch's references, exactly or from a pool of each batch."""

    def __init__(self, config: CoreConfig, sampler: ReferenceSampler, poses: Poses, seed: int, epoch: int) -> None:
        self.config, self.sampler, self.poses = config, sampler, poses
        self.progress = epoch / config.epochs
        self.generator = generator(seed, "references", epoch, poses.device)
        self.pool_generator = generator(seed, "pool", epoch, poses.device)
        if config.references == "exact":
            sampler.fit(poses, self.progress)

    def draw(self, inputs: Tensor) -> Tensor:
        """Numbers (B, K) of the references of inputs (B,)."""
        query = self.poses[inputs]
        if self.config.references == "exact":
            return self.sampler.draw(query, self.config.k, self.generator)
        pool = draw_pool(self.poses, self.config.pool_size, self.pool_generator)
        self.sampler.fit(self.poses[pool], self.progress)
        return pool[self.sampler.draw(query, self.config.k, self.generator)]
