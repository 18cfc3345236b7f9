"""Labels of 300W-LP and AFLW2000-3D: ``Pose_Para`` and landmarks in a Matlab file."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from mhpe.data.crops import landmark_box
from mhpe.data.source import Label
from mhpe.errors import InputError


def read_pose_para(path: Path, landmarks: str) -> Label:
    """Read ``Pose_Para = [pitch, yaw, roll, tx, ty, tz, scale]`` (radians) and the face box.

    Args:
        path: the ``.mat`` file.
        landmarks: name of the variable whose first two rows are 68 landmarks.

    Raises:
        InputError: if the file is missing, unreadable, or lacks one of the two variables.
    """
    if not path.is_file():
        raise InputError(f"{path}: label file missing; every image needs its .mat beside it")
    try:
        content = loadmat(path, variable_names=["Pose_Para", landmarks])
    except Exception as error:  # scipy raises many kinds for a damaged file
        raise InputError(f"{path}: not a readable .mat file ({error})") from error
    if "Pose_Para" not in content or content["Pose_Para"].size < 3:
        raise InputError(f"{path}: no Pose_Para with pitch, yaw and roll in it")
    pitch, yaw, roll = np.degrees(content["Pose_Para"].reshape(-1)[:3].astype(np.float64))
    return Label(np.array([yaw, pitch, roll]), landmark_box(_landmarks(content.get(landmarks), landmarks, path)))


def _landmarks(points: NDArray[np.float64] | None, name: str, path: Path) -> NDArray[np.float64]:
    if points is None or points.ndim != 2 or points.shape[0] < 2 or points.shape[1] != 68:
        raise InputError(f"{path}: no {name} with 68 landmarks in it")
    points = points[:2].astype(np.float64)
    if not np.isfinite(points).all():
        raise InputError(f"{path}: {name} holds values that are not finite")
    return points
