"""What the checks are made of: synthetic poses, draws, what every draw must be, random states and a memory limit."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mhpe.poses import Poses
from samplers.base import Sampler
from samplers.support.recorder import out_of_range, own_references, wrong_log_weights, wrong_shape
from samplers.yaw_bins import YawBinSampler

MEMORY_GIB = 4  # memory that a sampler may take for a huge set; an N x N matrix of 300W-LP is 56 GiB


def synthetic_poses(count: int, seed: int = 0) -> Poses:
    """Poses distributed like photographs', two images an identity."""
    spread = torch.tensor([35.0, 15.0, 10.0])
    angles = (torch.randn(count, 3, generator=seeded(seed)) * spread).clamp(-88, 88)
    return Poses.from_angles(angles, torch.arange(count) // 2)


def poses_at_yaw(yaw: Tensor, first: int) -> Poses:
    """Poses with these yaws (N,) in degrees, no pitch and no roll, numbered from ``first`` on."""
    poses = Poses.from_angles(torch.nn.functional.pad(yaw[:, None], (0, 2)))
    return replace(poses, identities=poses.index + first, index=poses.index + first)


def seeded(seed: int) -> torch.Generator:
    """A generator with this seed."""
    return torch.Generator().manual_seed(seed)


def fresh(sampler: Sampler) -> Sampler:
    """An unfitted sampler with the same parameters."""
    return type(sampler).model_validate(sampler.model_dump())


def fitted(sampler: Sampler, poses: Poses, progress: float = 0.0) -> Sampler:
    """A fresh sampler, fitted as in the first epoch by default."""
    sampler = fresh(sampler)
    sampler.fit(poses, progress)
    return sampler


def draw(sampler: Sampler, poses: Poses, query: Poses, k: int, seed: int = 0) -> Tensor:
    """Draws of a fresh sampler fitted to the poses."""
    return fitted(sampler, poses).draw(query, k, seeded(seed))


def demand(condition: bool, otherwise: str) -> None:
    """An ``assert`` that ``python -O`` keeps; the AssertionError says ``otherwise``."""
    if not condition:
        raise AssertionError(otherwise)


def demand_right(drawn: Tensor, candidates: Poses, query: Poses, k: int) -> None:
    """Demand (B, k) positions in the candidates, and no input among its own references while there are others."""
    shape = (len(query), k)
    demand(tuple(drawn.shape) == shape, f"draws have shape {tuple(drawn.shape)}, not {shape}")
    wrong = out_of_range(drawn, candidates) or own_references(drawn, candidates, query)
    demand(not wrong, wrong)


def wrong_result(sampler: Sampler) -> str:
    """Which method of a sampler returns what, and what it should return; empty if results are as they should be."""
    poses = synthetic_poses(300)
    drawer = fitted(sampler, poses)
    if isinstance(drawer, YawBinSampler) and (wrong := wrong_log_weights(drawer, poses)):
        return wrong
    wrong = wrong_shape(drawer.draw(poses, 10, seeded(0)), (len(poses), 10))
    return wrong and f"draw returns {wrong}"


def global_random_state() -> dict[str, Any]:
    """State of each library's global generator, comparable with ``==``."""
    kind, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002, it is the legacy state that is watched
    return {
        "torch": torch.get_rng_state().tolist(),
        "numpy": (kind, np.asarray(keys).tolist(), *rest),
        "random": random.getstate(),
    }


def seed_global_random_state(seed: int) -> None:
    """Seed each library's global generator."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)


@contextmanager
def restored_random_state() -> Iterator[None]:
    """Restore the global generators at the end."""
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        yield
    finally:
        torch.set_rng_state(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
        random.setstate(before[2])


@contextmanager
def memory_limit(gib: float = MEMORY_GIB) -> Iterator[None]:
    """Let allocations fail that take more than ``gib`` of further memory; only where Linux counts it."""
    if sys.platform != "linux":
        yield
        return
    import resource  # there is none on Windows

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    allowed = pages * resource.getpagesize() + int(gib * 2**30)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (min(limit for limit in (allowed, soft, hard) if limit >= 0), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
