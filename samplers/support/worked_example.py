"""The slides' worked example for any sampler: where the references of one input come from, bin by bin."""

from typing import Any

import torch

from mhpe.poses import Poses
from mhpe.rotations import from_euler
from samplers.base import Sampler
from samplers.support.recorder import Recorder
from samplers.yaw_bins import YawBinSampler

REPEATS = 1000  # draws that the means are taken over


def worked_example(sampler: Sampler, poses: Poses, yaw: float, k: int, seed: int = 0) -> dict[str, Any]:
    """Fit the sampler as at a training's start, and draw for an input with that yaw which is none of the poses.

    Returns:
        :meth:`samplers.support.diagnostics.DrawStatistics.summary` of many draws, with further lists in ``bins``: the
        number of ``images``, and of a sampler with bins its ``weights``, not normalised, and ``shares``, normalised.
    """
    recorder = Recorder(sampler, len(poses), poses.device)
    recorder.fit(poses, 0.0)
    angles = poses.angles.new_tensor([[yaw, 0.0, 0.0]]).expand(REPEATS, 3)
    identity = poses.identities.max().expand(REPEATS) + 1
    number = poses.index.max().expand(REPEATS) + 1
    query = Poses(from_euler(angles), angles, identity, number)
    recorder.draw(query, k, torch.Generator(poses.device).manual_seed(seed))

    table, bins = recorder.statistics.summary(), recorder.statistics.bins
    table["bins"]["images"] = torch.bincount(bins.of(poses.yaw), minlength=bins.count).tolist()
    if isinstance(sampler, YawBinSampler) and table["bins"]["requested"]:  # not one that draws in its own way
        one = query[torch.arange(1, device=query.device)]
        with recorder.watched():
            table["bins"]["weights"] = sampler.log_weights(one, bins)[0].double().exp().tolist()
            table["bins"]["shares"] = torch.softmax(sampler.usable_log_weights(one)[0], 0).tolist()
    return table
