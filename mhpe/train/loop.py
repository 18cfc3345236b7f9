"""The training of one network, top to bottom."""

from collections.abc import Callable

import numpy as np
import torch

from mhpe.config import CoreConfig
from mhpe.data.dataset import HeadPoseSet
from mhpe.model.heads import build
from mhpe.model.network import Network
from mhpe.model.precision import resolve
from mhpe.poses import Poses
from mhpe.seeding import generator
from mhpe.train.augmentation import Augmentation
from mhpe.train.checkpoints import Checkpoint
from mhpe.train.epoch import Epoch
from mhpe.train.references import EpochDraws, ReferenceSampler, batches_per_epoch


class NotFiniteError(RuntimeError):
    """The loss became infinite or not a number."""


def poses_of(data: HeadPoseSet) -> Poses:
    """The poses of a whole data set."""
    return Poses(
        torch.as_tensor(data.rotations),
        torch.as_tensor(data.angles),
        torch.as_tensor(data.identities),
        torch.arange(len(data)),
    )


def train(
    config: CoreConfig,
    data: HeadPoseSet,
    sampler: ReferenceSampler,
    seed: int,
    device: torch.device,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    checkpoint: Checkpoint | None = None,
    watch: Callable[[int, Network], None] = lambda *_: None,
) -> Network:
    """Train a network; the last epoch's weights are the result.

    Args:
        config: the core.
        data: the training set, at ``config.image_size``.
        sampler: chooses the references.
        seed: of all streams of randomness.
        device: where images and network live. Everything random is drawn on the host, so that a seed draws the
            same on every device.
        on_epoch: told of every finished epoch, those of a checkpoint included.
        checkpoint: written after every epoch; what it holds is not trained again.
        watch: given the number of the last finished epoch and the network, after each epoch and after a
            checkpoint was read; what it raises ends the training.

    Raises:
        NotFiniteError: at the end of an epoch whose loss is not finite.
    """
    images = torch.from_numpy(data.images).to(device)
    poses = poses_of(data)
    model = build(config, seed).to(device)
    optimizer = torch.optim.Adam(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    batches = batches_per_epoch(config, len(data))
    schedule = _schedule(config, optimizer, batches)
    dtype = resolve(config.precision, device)
    history = [Epoch(**done) for done in checkpoint.restore(model, optimizer, schedule)] if checkpoint else []
    for finished in history:
        for _ in EpochDraws(config, sampler, poses, seed, finished.number):
            pass  # drawn again: a sampler may learn from its draws, or count them
        on_epoch(finished)
    if history:
        watch(history[-1].number, model)

    for epoch in range(len(history), config.epochs):
        model.train()
        draws = EpochDraws(config, sampler, poses, seed, epoch)
        augment = Augmentation(
            config.augmentation, len(data), data.size, batches, generator(seed, "augmentation", epoch), device, dtype
        )
        shown = draws.poses.to(device)
        flipped = draws.flipped.to(device)
        noise = generator(seed, "noise", epoch)
        sums = torch.zeros(1 + len(model.parts), device=device)
        encoded = seen = 0

        for inputs, drawn in draws:
            # Each distinct image of the batch is loaded, augmented and encoded once. Which images these are is
            # settled on the host: it never waits for the device inside an epoch.
            distinct, position = torch.unique(torch.cat((inputs, drawn.flatten())), return_inverse=True)
            distinct, position = (numbers.to(device, non_blocking=True) for numbers in (distinct, position))
            input_at, reference_at = position[: len(inputs)], position[len(inputs) :].view_as(drawn)
            encoded += len(distinct)
            seen += len(inputs)

            chosen = images.index_select(0, distinct)  # twenty times faster than images[distinct] on a processor
            output = model(augment(chosen, distinct, flipped[distinct]), dtype)
            loss = model.loss(output, shown[distinct], input_at, reference_at, noise)
            optimizer.zero_grad(set_to_none=True)
            loss.total.backward()
            optimizer.step()
            schedule.step()
            sums += torch.cat((loss.total.detach()[None], loss.parts))

        means = (sums / batches).tolist()
        losses = dict(zip(("total", *model.parts), means, strict=True))
        if not np.isfinite(means).all():
            raise NotFiniteError(f"the loss of epoch {epoch} is not finite: {losses}")
        rate = float(schedule.get_last_lr()[0])
        history.append(Epoch(epoch, losses, rate, encoded / seen))
        if checkpoint:
            checkpoint.save(model, optimizer, schedule, history)
        on_epoch(history[-1])
        watch(epoch, model)
    return model


def _schedule(
    config: CoreConfig, optimizer: torch.optim.Optimizer, batches: int
) -> torch.optim.lr_scheduler.LRScheduler:
    if config.schedule.kind == "one_cycle":
        steps = max(config.epochs * batches + 1, 8)  # a cycle of fewer steps has no warm-up to divide by
        return torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, steps, pct_start=0.25)
    milestones = [epoch * batches for epoch in config.schedule.milestones]
    return torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones, 0.1)
