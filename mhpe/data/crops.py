"""The crop rule, one for training and testing and for all data sets.

A face is cut as an upright square of about 210 mm at the head, its centre a little above the face's
middle. It is found in one of two ways, by what a data set offers:

- **68 landmarks** (300W-LP, AFLW2000-3D): side 1.45 times the larger extent of the landmarks' box, centre
  moved up by 0.10 of the side. The larger extent is 144 mm on 3DDFA's metric face and hardly depends on
  the pose (quartiles 141 and 148 mm over AFLW2000-3D), so 1.45 of it is 209 mm.
- **The head's centre in space** (BIWI): 210 mm around its projection, moved up by 0.07 of the side.

Common code cuts training and test faces differently (HopeNet draws a margin for training, takes another
for AFLW2000-3D and a detector's box for BIWI). Here one rule holds for all of them.
"""

import hashlib
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mhpe.data.images import UnreadableError, opened, read_file, to_rgb
from mhpe.errors import InputError

LANDMARK_SCALE = 1.45
LANDMARK_UP = 0.10
HEAD_MM = 210.0
HEAD_UP = 0.07
SMALLEST_SIDE = 16.0  # of a face square, in pixels; no network takes a smaller image
LARGEST_SIDE = 9000.0  # of a face square, in pixels; Pillow warns of larger pictures, and memory runs out soon after

Box = tuple[float, float, float, float]


def square(centre_x: float, centre_y: float, side: float, up: float) -> Box:
    """Square around a centre that is first moved up by ``up`` of the side; pixels, y down."""
    centre_y -= up * side
    return centre_x - side / 2, centre_y - side / 2, centre_x + side / 2, centre_y + side / 2


def check_box(box: Box, where: Path) -> Box:
    """The box; an InputError that names the label file if it is too small, absurdly large or not finite."""
    side = box[2] - box[0]
    if not SMALLEST_SIDE <= side <= LARGEST_SIDE or not np.isfinite(box).all():
        right = f"{SMALLEST_SIDE:g} to {LARGEST_SIDE:g} would be right"
        raise InputError(f"{where}: its face square is {side:g} pixels wide; {right}")
    return box


def landmark_box(points: NDArray[np.float64]) -> Box:
    """Face square of 68 landmarks (2, 68), x and y in pixels."""
    low, high = points.min(1), points.max(1)
    x, y = (low + high) / 2
    return square(float(x), float(y), LANDMARK_SCALE * float((high - low).max()), LANDMARK_UP)


def projected_box(centre: NDArray[np.float64], depth: float, focal: float) -> Box:
    """Face square of a head ``depth`` mm along the optical axis, projected to ``centre`` (2,); ``focal`` in pixels."""
    return square(float(centre[0]), float(centre[1]), HEAD_MM * focal / depth, HEAD_UP)


def read_crop(path: Path, box: Box | None, size: int) -> tuple[NDArray[np.uint8], str]:
    """Decode a JPEG or PNG file, cut the box (black beyond the image) and scale it with antialiasing.

    ``box`` is a square in pixels of the full image; None takes the whole image.

    Returns:
        (size, size, 3) RGB, and a digest of the file's bytes.

    Raises:
        UnreadableError: if the file is not a complete image, or the box does not touch it.
    """
    content = read_file(path)
    with opened(content) as image:
        width, height = image.size
        left, top, right, bottom = box or (0.0, 0.0, float(width), float(height))
        if right <= 0 or bottom <= 0 or left >= width or top >= height:
            raise UnreadableError(f"its face square lies outside its {width} x {height} pixels")
        # A JPEG can be decoded at 1/2, 1/4 or 1/8 as long as the crop keeps at least `size` pixels.
        shrink = min(1.0, size / (right - left))
        image.draft("RGB", (math.ceil(width * shrink), math.ceil(height * shrink)))
        scale = image.size[0] / width
        left, top, right, bottom = (edge * scale for edge in (left, top, right, bottom))
        crop = cut(to_rgb(image), (left, top, right, bottom), size)
    return crop, hashlib.blake2b(content, digest_size=16).hexdigest()


def cut(image: Image.Image, box: Box, size: int) -> NDArray[np.uint8]:
    """Cut a box out of an RGB image (black beyond it) and scale it with antialiasing, (size, size, 3)."""
    left, top, right, bottom = box
    outer = math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)
    inner = left - outer[0], top - outer[1], right - outer[0], bottom - outer[1]
    return np.asarray(image.crop(outer).resize((size, size), Image.Resampling.BILINEAR, box=inner))
