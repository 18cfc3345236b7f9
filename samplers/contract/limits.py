"""The surroundings of a check: global random states, and a limit of memory."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

MEMORY_GIB = 4
"""Memory that a sampler may take for a huge set; an N x N matrix of 300W-LP is 56 GiB."""


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
    """Leave the global generators as they were, whatever happens in between."""
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        yield
    finally:
        torch.set_rng_state(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
        random.setstate(before[2])


@contextmanager
def memory_limit(gib: float = MEMORY_GIB) -> Iterator[None]:
    """Let allocations fail that take more than so much memory in addition; only where Linux counts it."""
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
