"""Rows of the samplers: a batch's draws from a large set, and how their cost grows with it."""

from collections.abc import Iterator

import numpy as np
import torch

from samplers.base import Sampler
from samplers.gaussian import Gaussian
from samplers.support.registry import Registry
from tools.perf.made_up import W300LP_IMAGES, made_up_poses
from tools.perf.rows import Goal, Row, Setting, faster
from tools.perf.straightforward import GaussianChoice
from tools.perf.timing import Measurement, paired, timed

BATCH, K = 100, 10
SMALL, LARGE = 10_000, 1_000_000
CPU = torch.device("cpu")


def sampler_rows(_: Setting) -> Iterator[Row]:
    """A batch's draws against NumPy's, their time, and their growth; the slowest sampler of all."""
    ours = _draws(Gaussian(sigma=30), W300LP_IMAGES)
    found = paired(ours, _choice(), 5)
    what = f"gaussian 30: {K} references for a batch of {BATCH} from {W300LP_IMAGES:,} images"
    yield faster(
        what, found, "NumPy's choice with weights, for one input", Goal(">=", 100), unit="ms", per_second=False
    )
    yield Row("the same: time of a batch", 1000 * found.ours, "ms", goal=Goal("<=", 1))

    slowest = max((_median(_draws(cls(), W300LP_IMAGES)), name) for name, cls in Registry().classes.items())
    yield Row(f"the slowest sampler, {slowest[1]}: time of a batch", 1000 * slowest[0], "ms")

    growth = paired(_draws(Gaussian(sigma=30), SMALL), _draws(Gaussian(sigma=30), LARGE), 9)
    yield Row(
        f"gaussian 30: a batch from {LARGE:,} images",
        1000 * growth.theirs,
        "ms",
        f"from {SMALL:,} images",
        1000 * growth.ours,
        growth.ratio,
        growth.low,
        growth.high,
        Goal("<=", 1.3),
        "its time as a multiple of theirs",
    )


def _draws(sampler: Sampler, images: int) -> Measurement:
    poses = made_up_poses(images)
    sampler.fit(poses, 0.0)
    generator = torch.Generator().manual_seed(0)
    query = poses[torch.randperm(images, generator=generator)[:BATCH]]
    return timed(lambda: sampler.draw(query, K, generator), CPU, times=20)


def _choice() -> Measurement:
    poses = made_up_poses(W300LP_IMAGES)
    choice = GaussianChoice(poses.yaw.numpy(), 30)
    rng = np.random.default_rng(0)
    return timed(lambda: [choice(item, K, rng) for item in range(BATCH)], CPU)


def _median(measurement: Measurement) -> float:
    measurement()
    return float(np.median([measurement() for _ in range(3)]))
