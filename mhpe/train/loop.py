"""The training of one network, top to bottom."""

import copy
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mhpe.config import CoreConfig
from mhpe.data.dataset import HeadPoseSet
from mhpe.model.encoder import triple_vector
from mhpe.model.heads import build
from mhpe.model.losses import pairwise_triple_distance, triple_distance
from mhpe.model.network import Network, resolve
from mhpe.poses import Poses
from mhpe.seeding import generator
from mhpe.train import Epoch
from mhpe.train.augmentation import Augmentation
from mhpe.train.checkpoints import Checkpoint
from mhpe.train.references import EpochDraws, ReferenceSampler, batches_per_epoch
from mhpe.train.warm_start import warm_start


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
    """Train a network; the last epoch's weights, or their average, are the result.

    Args:
        config: the core.
        data: the training set, at ``config.image_size``.
        sampler: chooses the references.
        seed: of all streams of randomness.
        device: where images and network live. Everything random is drawn on the host, so that a seed draws the
            same on every device.
        on_epoch: called after every epoch, including epochs restored from a checkpoint.
        checkpoint: written after every epoch; what it holds is not trained again.
        watch: called with the number of the last finished epoch and the network as it would be scored, after each
            epoch and after a checkpoint was read; may raise to stop the training.

    Raises:
        NotFiniteError: at the end of an epoch whose loss is not finite.
    """
    images = torch.from_numpy(data.images).to(device)
    poses = poses_of(data)
    model = build(config, seed)
    if config.init == "synthheads":
        warm_start(model)
    model.to(device)
    average = copy.deepcopy(model).requires_grad_(False) if config.average == "ema" else None
    result = average or model
    optimizer = torch.optim.Adam(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    batches = batches_per_epoch(config, len(data))
    schedule = _schedule(config, optimizer, batches)
    dtype = resolve(config.precision, device)
    parts: dict[str, Any] = {"model": model, "optimizer": optimizer, "schedule": schedule}
    if average:
        parts["average"] = average
    observe = getattr(sampler, "observe", None)
    history: list[Epoch] = []
    if checkpoint and (stored := checkpoint.load()):
        for name, part in parts.items():
            part.load_state_dict(stored[name])
        if stored["sampler"]:
            sampler.load_state(stored["sampler"])  # type: ignore[attr-defined]
        history = [Epoch(**epoch) for epoch in stored["history"]]
        for finished in history:
            if not stored["sampler"]:
                for _ in EpochDraws(config, sampler, poses, seed, finished.number):
                    pass  # drawn again: a sampler without a state may still count its draws
            on_epoch(finished)
        watch(history[-1].number, result)

    for epoch in range(len(history), config.epochs):
        model.train()
        draws = EpochDraws(config, sampler, poses, seed, epoch)
        augment = Augmentation(
            config.augmentation, len(data), batches, generator(seed, "augmentation", epoch), device, dtype
        )
        shown = draws.poses.to(device)
        flipped = draws.flipped.to(device)
        noise = generator(seed, "noise", epoch)
        sums = torch.zeros(1 + len(model.parts), device=device)
        encoded = seen = 0

        for step, (inputs, drawn) in enumerate(draws, epoch * batches + 1):
            # Each distinct image of the batch is loaded, augmented and encoded once. Which images these are is
            # settled on the host: it never waits for the device inside an epoch.
            distinct, position = torch.unique(torch.cat((inputs, drawn.flatten())), return_inverse=True)
            distinct, position = (numbers.to(device, non_blocking=True) for numbers in (distinct, position))
            input_at, reference_at = position[: len(inputs)], position[len(inputs) :].view_as(drawn)
            encoded += len(distinct)
            seen += len(inputs)

            chosen = images.index_select(0, distinct)  # twenty times faster than images[distinct] on a processor
            features = model.features(augment(chosen, distinct, flipped[distinct]), dtype)
            loss = model.loss(model.output(features), shown[distinct], input_at, reference_at, noise)
            optimizer.zero_grad(set_to_none=True)
            loss.total.backward()
            optimizer.step()
            schedule.step()
            if average:
                update_average(average, model, config.average_decay, step)
            if observe and config.k:
                z, seen_as = triple_vector(features.detach()), shown[distinct]
                distances = pairwise_triple_distance(z[input_at], z).gather(1, reference_at)
                rotations = seen_as.rotations
                targets = triple_distance(rotations[input_at][:, None], rotations[reference_at])
                observe(draws.poses[inputs], drawn, distances, (distances - targets).square(), seen_as, z.flatten(1))
            sums += torch.cat((loss.total.detach()[None], loss.parts))

        means = (sums / batches).tolist()
        losses = dict(zip(("total", *model.parts), means, strict=True))
        if not np.isfinite(means).all():
            raise NotFiniteError(f"the loss of epoch {epoch} is not finite: {losses}")
        rate = float(schedule.get_last_lr()[0])
        history.append(Epoch(epoch, losses, rate, encoded / seen))
        if checkpoint:
            learned = sampler.state() if hasattr(sampler, "state") else {}
            states = {name: part.state_dict() for name, part in parts.items()}
            checkpoint.save(states | {"sampler": learned, "history": [asdict(each) for each in history]})
        on_epoch(history[-1])
        watch(epoch, result)
    return result


@torch.no_grad()
def update_average(average: Network, network: Network, decay: float, step: int) -> None:
    """Move an exponential moving average of weights and batch norm statistics towards the network after a step.

    The distance shrinks by the factor ``min(decay, (1 + step) / (10 + step))``, so that the first weights are soon
    forgotten; steps are numbered from 1.
    """
    averages: list[Tensor] = []
    values: list[Tensor] = []
    for mean, value in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            averages.append(mean)
            values.append(value)
        else:
            mean.copy_(value)  # batch norm's count of steps
    torch._foreach_lerp_(averages, values, 1 - min(decay, (1 + step) / (10 + step)))


def _schedule(
    config: CoreConfig, optimizer: torch.optim.Optimizer, batches: int
) -> torch.optim.lr_scheduler.LRScheduler:
    if config.schedule.kind == "one_cycle":
        steps = max(config.epochs * batches + 1, 8)  # a cycle of fewer steps has no warm-up to divide by
        return torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, steps, pct_start=0.25)
    milestones = [epoch * batches for epoch in config.schedule.milestones]
    return torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones, 0.1)
