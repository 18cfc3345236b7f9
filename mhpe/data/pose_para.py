"""Labels of 300W-LP and AFLW2000-3D: ``Pose_Para`` and landmarks in a Matlab file."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from mhpe.data.crops import check_box, landmark_box
from mhpe.data.source import Label
from mhpe.errors import InputError


def read_pose_para(path: Path, landmarks: str) -> Label:
    """Read ``Pose_Para = [pitch, yaw, roll, tx, ty, tz, scale]`` (radians) and the face box.

    Args:
        path: the ``.mat`` file.
        landmarks: name of the variable whose first two rows are 68 landmarks.

    Raises:
        InputError: if the file is missing, unreadable, or lacks one of the two variables or usable numbers in it.
    """
    if not path.is_file():
        raise InputError(f"{path}: label file missing; every image needs its .mat beside it")
    try:
        content = loadmat(path, variable_names=["Pose_Para", landmarks])
    except Exception as error:  # scipy raises many kinds for a damaged file
        raise InputError(f"{path}: not a readable .mat file ({error})") from error
    pose = content.get("Pose_Para")
    if pose is None or pose.size < 3:
        raise InputError(f"{path}: no Pose_Para with pitch, yaw and roll in it")
    pitch, yaw, roll = np.degrees(_numbers(pose, "Pose_Para", path).reshape(-1)[:3])
    points = content.get(landmarks)
    if points is None or points.ndim != 2 or points.shape[0] < 2 or points.shape[1] != 68:
        raise InputError(f"{path}: no {landmarks} with 68 landmarks in it")
    box = landmark_box(_numbers(points[:2], landmarks, path))
    return Label(np.array([yaw, pitch, roll]), check_box(box, path))


def _numbers(values: NDArray[Any], name: str, path: Path) -> NDArray[np.float64]:
    """A variable's values, which a Matlab file may hold as text, cells or anything else."""
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        raise InputError(f"{path}: {name} holds values that are not finite numbers")
    return values.astype(np.float64)
