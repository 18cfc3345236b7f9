"""Made-up data sets of any size, noise with head poses: what an image shows makes no difference to its time."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

from mhpe.data import HeadPoseSet
from mhpe.poses import Poses
from mhpe.rotations import from_euler
from mhpe.train.loop import poses_of

W300LP_IMAGES = 122_450
"""Images in 300W-LP."""
SPREAD = (38.0, 22.0, 15.0)
"""Standard deviations of yaw, pitch and roll in degrees, like 300W-LP's."""
SIDE = 450
"""Of a made-up photograph, pixels."""
DISTINCT = 64
"""Made-up photographs that differ."""


@lru_cache(maxsize=2)
def made_up_set(count: int, size: int) -> HeadPoseSet:
    """A data set of noise.

    Args:
        count: of images.
        size: side of an image in pixels.
    """
    rng = np.random.default_rng(0)
    angles = (rng.standard_normal((count, 3)) * SPREAD).clip(-95, 95).astype(np.float32)
    images = np.frombuffer(rng.bytes(count * 3 * size * size), np.uint8).reshape(count, 3, size, size).copy()
    rotations = from_euler(torch.from_numpy(angles)).numpy()
    ids, identities = tuple(map(str, range(count))), np.arange(count) // 16
    return HeadPoseSet("made_up", Path(), images, rotations, angles, ids, identities, f"made up {count} {size}", {})


def made_up_poses(count: int) -> Poses:
    """The poses of such a set."""
    return poses_of(made_up_set(count, 1))


def photographs(folder: Path, count: int = DISTINCT) -> list[Path]:
    """Made-up photographs, 450 x 450 pixels and about 26 KB each, like AFLW2000-3D's.

    Args:
        folder: where they are written, if they are not there already.
        count: of files; those beyond the first :data:`DISTINCT` are the same ones again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03d}.jpg" for number in range(DISTINCT)]
    rng = np.random.default_rng(0)
    for path in paths:
        if not path.exists():
            coarse = Image.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8))
            smooth = np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32)
            noisy = (smooth + rng.normal(0, 5, smooth.shape)).clip(0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(path, quality=75)
    return [paths[number % DISTINCT] for number in range(count)]


def face_landmarks() -> NDArray[np.float64]:
    """(3, 68) landmarks in such a photograph, 180 pixels across."""
    turn = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    return np.stack((SIDE / 2 + 90 * np.cos(turn), SIDE / 2 + 90 * np.sin(turn), 0 * turn))


def made_up_aflw2000(data_root: Path, count: int) -> None:
    """The photographs in the layout of AFLW2000-3D under a data root, with label files."""
    folder = data_root / "AFLW2000"
    folder.mkdir(parents=True)
    label = data_root / "label.mat"
    savemat(label, {"Pose_Para": np.array([[0.1, 0.2, 0.0, 0, 0, 0, 1]]), "pt3d_68": face_landmarks()})
    for number, path in enumerate(photographs(data_root / "photographs", count)):
        (folder / f"image{number:06d}.jpg").hardlink_to(path)
        (folder / f"image{number:06d}.mat").hardlink_to(label)
