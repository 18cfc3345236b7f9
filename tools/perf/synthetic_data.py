"""Synthetic data sets of any size, noise with head poses: what an image shows does not change its time."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mhpe.data import HeadPoseSet
from mhpe.rotations import from_euler

W300LP_IMAGES = 122_450
"""Images in 300W-LP."""
SPREAD = (38.0, 22.0, 15.0)
"""Standard deviations of yaw, pitch and roll in degrees, like 300W-LP's."""
SIDE, FACE = 450, (115, 115, 335, 335)
"""Side of a synthetic photograph, and the box of its face, pixels."""
DISTINCT = 64
"""Synthetic photographs that differ."""


@lru_cache(maxsize=2)
def synthetic_set(count: int, size: int) -> HeadPoseSet:
    """A data set of ``count`` noise images with sides of ``size`` pixels."""
    rng = np.random.default_rng(0)
    angles = (rng.standard_normal((count, 3)) * SPREAD).clip(-95, 95).astype(np.float32)
    images = np.frombuffer(rng.bytes(count * 3 * size * size), np.uint8).reshape(count, 3, size, size).copy()
    rotations = from_euler(torch.from_numpy(angles)).numpy()
    ids, identities = tuple(map(str, range(count))), np.arange(count) // 16
    return HeadPoseSet("synthetic", Path(), images, rotations, angles, ids, identities, f"synthetic {count} {size}", {})


def photographs(folder: Path, count: int) -> list[Path]:
    """Paths of ``count`` JPEG files like AFLW2000-3D's, about 26 KB each; after :data:`DISTINCT` they repeat."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03d}.jpg" for number in range(DISTINCT)]
    rng = np.random.default_rng(0)
    for path in paths:
        coarse = Image.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8))
        smooth = np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32)
        noisy = (smooth + rng.normal(0, 5, smooth.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(path, quality=75)
    return [paths[number % DISTINCT] for number in range(count)]
