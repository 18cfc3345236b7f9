"""Photographs that belong to no data set: finding, reading and cropping them."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from mhpe.data.crops import DAMAGED, Box, cut
from mhpe.errors import InputError

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
LEAST_INSIDE = 0.5
"""Share of a face's box that must lie in the photograph; less is a mistake, not a face at its edge."""


class UnreadableError(ValueError):
    """A file is no complete image."""


def find_images(paths: Iterable[Path]) -> list[Path]:
    """The images that paths name, in order; a folder stands for the images in it.

    Raises:
        InputError: if a path does not exist, or a folder holds no image.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            images = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
            if not images:
                raise InputError(f"{path}: holds no image ({', '.join(f'*{suffix}' for suffix in SUFFIXES)})")
            found += images
        elif path.exists():
            found.append(path)
        else:
            raise InputError(f"{path}: no such image or folder")
    return found


def read_photograph(path: Path) -> Image.Image:
    """Read an image as RGB, turned as its camera says.

    Raises:
        UnreadableError: if it cannot be read.
    """
    try:
        with Image.open(path) as image:
            return ImageOps.exif_transpose(image).convert("RGB")
    except DAMAGED as error:
        raise UnreadableError(str(error)) from error


def face_square(image: Image.Image, box: Box | None) -> Box:
    """The square that is cut out of a photograph.

    Args:
        image: the photograph.
        box: left, top, right, bottom in pixels, right > left and bottom > top. One that is no square gets its shorter
            side longer. None for the largest square in the middle of the photograph.

    Raises:
        InputError: if more of the box lies outside the photograph than in it.
    """
    if box is None:
        side = float(min(image.size))
        x, y = image.width / 2, image.height / 2
    else:
        left, top, right, bottom = box
        width = max(0.0, min(right, image.width) - max(left, 0))
        height = max(0.0, min(bottom, image.height) - max(top, 0))
        inside = width * height / ((right - left) * (bottom - top))
        if inside < LEAST_INSIDE:
            where = f"{'mostly ' if inside else ''}outside an image of {image.width} x {image.height} pixels"
            raise InputError(f"box {left:g},{top:g},{right:g},{bottom:g} lies {where}")
        side = max(right - left, bottom - top)
        x, y = (left + right) / 2, (top + bottom) / 2
    return x - side / 2, y - side / 2, x + side / 2, y + side / 2


def crop_for(image: Image.Image, square: Box, size: int) -> NDArray[np.uint8]:
    """What the network sees of a photograph: the square at the network's size, (3, size, size)."""
    return np.ascontiguousarray(cut(image, square, size).transpose(2, 0, 1))
