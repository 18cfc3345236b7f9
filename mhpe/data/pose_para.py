"""300W-LP and AFLW2000-3D: photographs, each with ``Pose_Para`` and landmarks in a Matlab file.

Both are from Zhu et al., "Face alignment across large poses: a 3D solution", CVPR 2016.
"""

import io
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhpe.data.crops import LANDMARK_SCALE, LANDMARK_UP, check_box, landmark_box
from mhpe.data.images import read_file
from mhpe.data.real import Label, RealSet, Record
from mhpe.errors import InputError

LARGEST_LABEL = 16 * 2**20  # bytes of a label file; genuine ones have some thousands


class _WithPosePara(RealSet):
    endings = (".jpg", ".mat")
    landmarks: str  # variable whose first two rows are 68 landmarks

    def label(self, record: Record) -> Label:
        """Read ``Pose_Para = [pitch, yaw, roll, tx, ty, tz, scale]`` (radians) and the landmarks' face square."""
        from scipy.io import loadmat  # takes a second, and runs on prepared data need none

        path = record.label
        try:
            file: Any = io.BytesIO(read_file(path, LARGEST_LABEL))
            content = loadmat(file, variable_names=["Pose_Para", self.landmarks])
        except NotImplementedError:
            raise InputError(f"{path}: a Matlab 7.3 file; version 7 (save -v7) would be right") from None
        except Exception as error:  # scipy raises many kinds for a damaged file
            raise InputError(f"{path}: no readable label file ({error}); every image has its .mat beside it") from error
        pose, points = content.get("Pose_Para"), content.get(self.landmarks)
        if pose is None or pose.size < 3:
            raise InputError(f"{path}: no Pose_Para with pitch, yaw and roll in it")
        with np.errstate(over="ignore"):  # infinite degrees are beyond the largest angle, too
            pitch, yaw, roll = np.degrees(_numbers(pose, f"{path}: Pose_Para").reshape(-1)[:3])
        if points is None or points.ndim != 2 or points.shape[0] < 2 or points.shape[1] != 68:
            raise InputError(f"{path}: no {self.landmarks} with 68 landmarks in it")
        box = landmark_box(_numbers(points[:2], f"{path}: {self.landmarks}"))
        return Label(np.array([yaw, pitch, roll]), check_box(box, path))


class AFLW2000(_WithPosePara):
    """AFLW2000-3D: 2,000 photographs, each an identity of its own.

    Its landmarks are ``pt3d_68``: ``pt2d`` has 21, with invisible ones at -1.
    """

    name = "aflw2000"
    title = "AFLW2000-3D"
    folder = "AFLW2000"
    landmarks = "pt3d_68"
    crop_rule = f"landmarks {landmarks} x {LANDMARK_SCALE}, up {LANDMARK_UP}"
    stem = r"image\d+"
    example = "image00002.jpg"


class W300LP(_WithPosePara):
    """300W-LP: synthetic large-pose views of 300-W photographs and their mirror images."""

    name = "300w_lp"
    title = "300W-LP"
    folder = "300W_LP"
    landmarks = "pt2d"
    crop_rule = f"landmarks {landmarks} x {LANDMARK_SCALE}, up {LANDMARK_UP}"
    parts = ("AFW", "AFW_Flip", "HELEN", "HELEN_Flip", "IBUG", "IBUG_Flip", "LFPW", "LFPW_Flip")
    stem = r"\S+_\d+"
    example = "AFW/AFW_134212_1_0.jpg"

    def identity(self, part: str, stem: str) -> str:  # noqa: ARG002
        """The face: ``AFW_134212_1_3`` is the fourth view of face 1 of photograph 134212, as are its mirror images."""
        return re.sub(r"_\d+$", "", stem)


def _numbers(values: NDArray[Any], what: str) -> NDArray[np.float64]:
    """A variable's values, which a Matlab file may hold as text, cells or anything else."""
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        raise InputError(f"{what} holds values that are not finite numbers")
    return values.astype(np.float64)
