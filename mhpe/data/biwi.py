"""BIWI Kinect Head Pose: 24 sequences of 20 persons, full frames or already cropped ones."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from mhpe.data.crops import DAMAGED, HEAD_MM, HEAD_UP, Box, check_box, projected_box
from mhpe.data.source import Label, Record, Source
from mhpe.errors import InputError
from mhpe.rotations import to_euler

SEQUENCES = 24
SAME_PERSON = {"21": "02", "15": "03", "18": "05", "22": "07"}
"""Sequences that show a person already seen in another one."""


class Calibration(NamedTuple):
    """``rgb.cal``: camera matrix (3, 3), rotation (3, 3) and translation (3,) in mm from depth to RGB camera."""

    camera: NDArray[np.float64]
    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    size: tuple[int, int]


@lru_cache(maxsize=64)
def read_calibration(path: Path) -> Calibration:
    """Read a sequence's ``rgb.cal``.

    Raises:
        InputError: if it does not hold camera, distortion, rotation, translation and image size.
    """
    values = _numbers(path, 27, "camera matrix, distortion, rotation, translation and image size")
    camera, rotation, translation = values[:9].reshape(3, 3), values[13:22].reshape(3, 3), values[22:25]
    return Calibration(camera, rotation, translation, (int(values[25]), int(values[26])))


class BIWI(Source):
    """BIWI (Fanelli et al., "Random forests for real time 3D face analysis", IJCV 2013).

    A frame of the size that ``rgb.cal`` names is a full one: its face square is found from the head's
    centre in space, without a face detector, so that every frame is kept. Any other image is taken as
    already cropped.
    """

    name = "biwi"
    title = "BIWI"
    folder = "BIWI"
    licence = "non-commercial research and education"
    published_images = 15678
    folder_file = "rgb.cal"
    crop_rule = f"projected head centre, {HEAD_MM} mm, up {HEAD_UP}; cropped frames as they are"

    def records(self, data_root: Path) -> list[Record]:
        """All frames by sequence and number; the identity is the person."""
        root = self._sequences(data_root)
        records = [
            Record(
                path,
                path.with_name(path.name.replace("_rgb.png", "_pose.txt")),
                f"{path.parent.name}/{path.name.removesuffix('_rgb.png')}",
                SAME_PERSON.get(path.parent.name, path.parent.name),
            )
            for path in sorted(root.glob("[0-9][0-9]/frame_*_rgb.png"))
        ]
        return self._need(records, "01/frame_00003_rgb.png, 02/...", data_root)

    def lacking(self, data_root: Path) -> list[str]:
        """How many sequences have no folder."""
        root = self._sequences(data_root)
        missing = sum(not (root / f"{number:02d}").is_dir() for number in range(1, SEQUENCES + 1))
        return [f"{missing} of {SEQUENCES} sequences missing"] if missing else []

    def _sequences(self, data_root: Path) -> Path:
        root = self.root(data_root)
        return root / "hpdb" if (root / "hpdb").is_dir() else root

    def label(self, record: Record) -> Label:
        """Read the pose file: a 3x3 matrix, then the head's centre in mm.

        The matrix's columns are the head's left, down and back axes in camera coordinates with z away
        from the viewer; both z axes are turned round. The result has the Euler angles that HopeNet's and
        FSA-Net's readers compute.
        """
        values = _numbers(record.label, 12, "a 3x3 rotation and a head centre")
        towards_viewer = np.diag([1.0, 1.0, -1.0])
        rotation = towards_viewer @ values[:9].reshape(3, 3) @ towards_viewer
        if (
            not (np.abs(rotation) < 2).all()
            or abs(np.linalg.det(rotation) - 1) > 1e-2
            or np.abs(rotation @ rotation.T - np.eye(3)).max() > 1e-2
        ):
            raise InputError(f"{record.label}: its first nine values are no rotation matrix")
        angles = to_euler(torch.from_numpy(rotation)).numpy()
        return Label(angles, self._box(record, values[9:12]), rotation)

    def _box(self, record: Record, centre: NDArray[np.float64]) -> Box | None:
        calibration_file = record.image.parent / self.folder_file
        if not calibration_file.exists():
            return None
        calibration = read_calibration(calibration_file)
        try:
            with Image.open(record.image) as image:
                if image.size != calibration.size:
                    return None
        except DAMAGED:
            return None  # a corrupt image is counted where images are read
        with np.errstate(all="ignore"):  # absurd numbers make a box that is refused below
            in_rgb = calibration.rotation @ centre + calibration.translation
            projected = calibration.camera @ in_rgb / in_rgb[2]
        if in_rgb[2] <= 0:
            raise InputError(f"{record.label}: the head's centre lies behind the camera")
        box = projected_box(projected[:2], float(in_rgb[2]), float(calibration.camera[0, 0]))
        return check_box(box, record.label)


def _numbers(path: Path, count: int, what: str) -> NDArray[np.float64]:
    """The numbers of a text file.

    Raises:
        InputError: if the file is missing or holds another count of numbers.
    """
    try:
        values = np.array(path.read_text(encoding="ascii").split(), dtype=np.float64)
    except FileNotFoundError:
        raise InputError(f"{path}: file missing; it should hold {what}") from None
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: not a file of numbers ({error})") from None
    if values.size != count or not np.isfinite(values).all():
        raise InputError(f"{path}: {values.size} numbers where {count} were expected: {what}")
    return values
