"""The slides' worked example for any sampler: where the references of one input come from, bin by bin."""

from dataclasses import dataclass

import torch

from mhpe.poses import Poses
from mhpe.rotations import from_euler
from samplers.base import Sampler
from samplers.support.recorder import Recorder
from samplers.yaw_bins import YawBins, YawBinSampler

REPEATS = 1000  # draws that the means are taken over


@dataclass(frozen=True)
class BinRow:
    """A yaw bin; the middle three are None for a sampler without bins."""

    low: float  # lower edge, degrees
    centre: float  # degrees
    images: int  # candidates in the bin
    weight: float | None  # not normalised
    share: float | None  # the normalised weight
    requested: float | None  # whole references requested from the bin, mean over draws that differ by ties
    achieved: float  # references that came from the bin, mean over draws


@dataclass(frozen=True)
class WeightsTable:
    """Origin of the references of inputs with one yaw, and no pitch or roll."""

    rows: tuple[BinRow, ...]  # one per bin, from -180 degrees on
    effective_references: float | None  # as in samplers.support.diagnostics.DrawStatistics.summary


def weights_table(sampler: Sampler, poses: Poses, yaw: float, k: int, seed: int = 0) -> WeightsTable:
    """Fit the sampler as at a training's start, and draw for an input with that yaw which is none of the poses."""
    recorder = Recorder(sampler, len(poses), poses.device)
    recorder.fit(poses, 0.0)
    angles = poses.angles.new_tensor([[yaw, 0.0, 0.0]]).expand(REPEATS, 3)
    identity = poses.identities.max().expand(REPEATS) + 1
    number = poses.index.max().expand(REPEATS) + 1
    query = Poses(from_euler(angles), angles, identity, number)
    recorder.draw(query, k, torch.Generator(poses.device).manual_seed(seed))

    counts = recorder.statistics.summary()
    bins = recorder.statistics.bins
    nothing = [None] * bins.count
    weights, shares = _weights(sampler, query, bins) if isinstance(sampler, YawBinSampler) else (nothing, nothing)
    columns = (
        (bins.centres - bins.width / 2).tolist(),
        bins.centres.tolist(),
        torch.bincount(bins.of(poses.yaw), minlength=bins.count).tolist(),
        weights,
        shares,
        counts["bins"]["requested"] or nothing,
        counts["bins"]["achieved"],
    )
    return WeightsTable(tuple(BinRow(*row) for row in zip(*columns, strict=True)), counts["effective_references"])


def _weights(sampler: YawBinSampler, query: Poses, bins: YawBins) -> tuple[list[float], list[float]]:
    one = query[torch.arange(1, device=query.device)]
    weights = sampler.log_weights(one, bins)[0].double().exp()
    return weights.tolist(), torch.softmax(sampler.usable_log_weights(one)[0], 0).tolist()
