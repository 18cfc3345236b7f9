"""BIWI Kinect Head Pose: 24 sequences of 20 persons, full frames or already cropped ones."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mhpe.data.crops import HEAD_MM, HEAD_UP, Box, check_box, projected_box
from mhpe.data.images import UnreadableError, image_size, read_file
from mhpe.data.real import Label, RealSet, Record
from mhpe.errors import InputError
from mhpe.rotations import to_euler

SAME_PERSON = {"21": "02", "15": "03", "18": "05", "22": "07"}
"""Sequences that show a person already seen in another one."""
CROP_SIDES = (32, 320)
"""Pixels of a face crop's sides; a face is 70 to 160 wide in a full frame, and crops may have a margin."""
CROP_ASPECT = 1.15  # largest ratio of a face crop's sides: detectors' boxes are cut off at a frame's edge
LARGEST_TEXT = 2**16  # bytes of a text file; genuine ones have some hundreds


class BIWI(RealSet):
    """BIWI (Fanelli et al., "Random forests for real time 3D face analysis", IJCV 2013).

    A frame of the size that ``rgb.cal`` names is a full one: its face square is found from the head's
    centre in space, without a face detector, so that every frame is kept. A frame that is square, within
    ``CROP_ASPECT``, and has ``CROP_SIDES`` is already cropped and used as it is. Any other one is refused.
    """

    name = "biwi"
    title = "BIWI"
    folder = "BIWI"
    parts = tuple(f"{number:02d}" for number in range(1, 25))
    stem = r"frame_\d+"
    endings = ("_rgb.png", "_pose.txt")
    example = "01/frame_00003_rgb.png"
    folder_file = "rgb.cal"
    crop_rule = f"projected head centre, {HEAD_MM} mm, up {HEAD_UP}; cropped frames as they are"

    def root(self, data_root: Path) -> Path:
        """The set's folder, or ``hpdb/`` in it."""
        root = super().root(data_root)
        return root / "hpdb" if (root / "hpdb").is_dir() else root

    def identity(self, part: str, stem: str) -> str:  # noqa: ARG002
        """The person."""
        return SAME_PERSON.get(part, part)

    def kinds(self, records: Sequence[Record]) -> str:
        """How many frames are full ones and how many already cropped."""
        counts = {"full frames": 0, "already cropped": 0, "neither a full frame nor a crop": 0, "unreadable": 0}
        for record in records:
            try:
                counts["already cropped" if self._calibration(record) is None else "full frames"] += 1
            except UnreadableError:
                counts["unreadable"] += 1
            except InputError:
                counts["neither a full frame nor a crop"] += 1
        return ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)

    def label(self, record: Record) -> Label:
        """Read the pose file: a 3x3 matrix, then the head's centre in mm.

        The matrix's columns are the head's left, down and back axes in camera coordinates with z away from the viewer;
        both z axes are reversed. The result has the Euler angles that HopeNet's and FSA-Net's readers compute.
        """
        import roma  # loads torch._dynamo: seconds

        values = _numbers(record.label, 12, "a 3x3 rotation and a head centre")
        towards_viewer = np.diag([1.0, 1.0, -1.0])
        rotation = towards_viewer @ values[:9].reshape(3, 3) @ towards_viewer
        if not roma.is_rotation_matrix(torch.from_numpy(rotation), epsilon=0.02):
            raise InputError(f"{record.label}: its first nine values are no rotation matrix")
        angles = to_euler(torch.from_numpy(rotation)).numpy()
        return Label(angles, self._box(record, values[9:12]), rotation)

    def _calibration(self, record: Record) -> NDArray[np.float64] | None:
        """The 27 numbers of ``rgb.cal`` for a full frame; None for a frame that is already cropped.

        Raises UnreadableError if the frame is not an image, InputError if it is neither.
        """
        width, height = size = image_size(record.image)
        file = record.image.parent / self.folder_file
        full = f"with {file}"
        if file.exists():
            what = "camera matrix, distortion, rotation and translation from the depth camera, width and height"
            calibration = _numbers(file, 27, what)
            of_full = int(calibration[25]), int(calibration[26])
            if size == of_full:
                return calibration
            full = f"the {of_full[0]} x {of_full[1]} of {file.name}"
        low, high = min(size), max(size)
        if CROP_SIDES[0] <= low and high <= CROP_SIDES[1] and high <= CROP_ASPECT * low:
            return None
        raise InputError(
            f"{record.image}: {width} x {height} pixels are neither a full frame ({full}) nor a face crop "
            f"(square, {CROP_SIDES[0]} to {CROP_SIDES[1]})"
        )

    def _box(self, record: Record, centre: NDArray[np.float64]) -> Box | None:
        try:
            calibration = self._calibration(record)
        except UnreadableError:
            return None  # counted where images are decoded
        if calibration is None:
            return None
        camera, rotation = calibration[:9].reshape(3, 3), calibration[13:22].reshape(3, 3)
        with np.errstate(all="ignore"):  # absurd numbers make a box that is refused below
            in_rgb = rotation @ centre + calibration[22:25]  # mm
            projected = camera @ in_rgb / in_rgb[2]
        if in_rgb[2] <= 0:
            raise InputError(f"{record.label}: the head's centre lies behind the camera")
        box = projected_box(projected[:2], float(in_rgb[2]), float(camera[0, 0]))
        return check_box(box, record.label)


def _numbers(path: Path, count: int, what: str) -> NDArray[np.float64]:
    """The numbers of a text file; an InputError if it is missing or holds anything else."""
    right = f"{count} numbers with decimal points would be right: {what}"
    try:
        numbers = np.array(read_file(path, LARGEST_TEXT).decode("utf-8-sig").split(), dtype=np.float64)
    except ValueError as error:  # of a file that is missing, no text, or no numbers
        raise InputError(f"{path}: {str(error)[:200]}; {right}") from None
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise InputError(f"{path}: {np.isfinite(numbers).sum()} finite numbers; {right}")
    return numbers
