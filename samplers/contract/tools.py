"""What the checks are made of: made-up poses, draws, and what every draw must be."""

import torch
from torch import Tensor

from mhpe.poses import Poses
from mhpe.rotations import from_euler
from samplers.base import Sampler


def made_up_poses(count: int, seed: int = 0) -> Poses:
    """Poses distributed like photographs', two images an identity."""
    spread = torch.tensor([35.0, 15.0, 10.0])
    angles = (torch.randn(count, 3, generator=seeded(seed)) * spread).clamp(-88, 88)
    index = torch.arange(count)
    return Poses(from_euler(angles), angles, index // 2, index)


def poses_at_yaw(yaw: Tensor, first: int) -> Poses:
    """Poses with these yaws (N,) in degrees, no pitch and no roll, numbered from ``first`` on."""
    angles = torch.stack((yaw, torch.zeros_like(yaw), torch.zeros_like(yaw)), 1)
    index = torch.arange(len(yaw)) + first
    return Poses(from_euler(angles), angles, index, index)


def seeded(seed: int) -> torch.Generator:
    """A generator of its own."""
    return torch.Generator().manual_seed(seed)


def fresh(sampler: Sampler) -> Sampler:
    """An unfitted sampler with the same parameters."""
    return type(sampler).model_validate(sampler.model_dump())


def fitted(sampler: Sampler, poses: Poses, progress: float = 0.0) -> Sampler:
    """A fresh sampler, fitted; as in the first epoch if nothing else is said."""
    sampler = fresh(sampler)
    sampler.fit(poses, progress)
    return sampler


def draw(sampler: Sampler, poses: Poses, query: Poses, k: int, seed: int = 0) -> Tensor:
    """Draws of a fresh sampler fitted to the poses."""
    return fitted(sampler, poses).draw(query, k, seeded(seed))


def demand(condition: bool, otherwise: str) -> None:
    """An ``assert`` that ``python -O`` leaves in.

    Raises:
        AssertionError: with the text ``otherwise``, unless the condition holds.
    """
    if not condition:
        raise AssertionError(otherwise)


def demand_valid(drawn: Tensor, candidates: Poses, query: Poses, k: int) -> None:
    """Demand (B, k) positions in the candidates."""
    shape = (len(query), k)
    demand(tuple(drawn.shape) == shape, f"draws have shape {tuple(drawn.shape)}, not {shape}")
    low, high, last = int(drawn.min()), int(drawn.max()), len(candidates) - 1
    demand(low >= 0 and high <= last, f"positions go from {low} to {high}, candidates from 0 to {last}")


def demand_not_itself(drawn: Tensor, candidates: Poses, query: Poses) -> None:
    """Demand that no input is among its own references."""
    itself = (candidates.index[drawn] == query.index[:, None]).any(1)
    count = int(itself.sum())
    demand(count == 0, f"{count} of {len(query)} inputs are their own reference, with {len(candidates)} candidates")
