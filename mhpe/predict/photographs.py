"""Head poses of photographs that belong to no data set: finding, reading, cropping and predicting them."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from mhpe.data.biwi import CROP_ASPECT
from mhpe.data.crops import SMALLEST_SIDE, Box, cut, square
from mhpe.data.images import UnreadableError, folder_files, not_read, opened, read_file, to_rgb
from mhpe.errors import InputError
from mhpe.model.network import Network
from mhpe.predict.faces import find_faces
from mhpe.predict.views import answer, expected_error
from mhpe.rotations import to_euler

BATCH = 64
ORIENTATION = ExifTags.Base.Orientation
SUFFIXES = (".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
LEAST_INSIDE = 0.5
"""Least share of a face's box that must lie in the photograph; less is a mistake, not a face at its edge."""
FILLS = 0.8
"""Least share of a face crop's shorter side that the face square has; 2 % of AFLW2000-3D's whole images have it."""


@dataclass(frozen=True)
class HeadPose:
    """The head pose of one face in a photograph."""

    image: Path  # path of the photograph
    size: tuple[int, int]  # its width and height in pixels
    square: Box  # the face square: left, top, right, bottom in pixels
    rotation: NDArray[np.float32]  # (3, 3) canonical rotation
    angles: tuple[float, ...]  # yaw, pitch, roll in degrees
    strengths: tuple[float, ...] | None  # matrix Fisher concentration s1 >= s2 >= s3 >= 0; None if there is none
    expected_error: float  # degrees, as :mod:`mhpe.predict.views` finds it


def find_images(paths: Iterable[Path], say: Callable[[str], None] = lambda _: None) -> list[Path]:
    """The images that paths name, in order; a folder stands for the images in it, hidden files left out.

    ``say`` receives a line on images of a folder that are of another kind.

    Raises:
        InputError: if a path does not exist, or a folder holds no image or cannot be read.
    """
    found: list[Path] = []
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112, which fails for names that are too long
            files = folder_files(path)
            images = [file for file in files if file.suffix.lower() in SUFFIXES]
            others = not_read([file for file in files if file.suffix.lower() not in SUFFIXES])
            if not images:
                kinds = ", ".join(f"*{suffix}" for suffix in SUFFIXES)
                raise InputError("; ".join((f"{path}: holds no image ({kinds})", *others)))
            for fact in others:
                say(f"{path}: {fact}")
            found += images
        elif os.path.lexists(path):
            found.append(path)
        else:
            raise InputError(f"{path}: no such image or folder")
    return found


def read_photograph(path: Path) -> Image.Image:
    """Read an image as RGB, turned as its camera says.

    Raises:
        UnreadableError: if it is not a complete image that can be decoded.
    """
    with opened(read_file(path)) as image:
        rgb = to_rgb(image)
        rgb.info = {}  # nothing else of a camera's metadata is read, which may be malformed
        rgb.getexif()[ORIENTATION] = image.getexif().get(ORIENTATION, 1)
    return ImageOps.exif_transpose(rgb)


def face_square(image: Image.Image, box: Box | None) -> Box:
    """The face square of a photograph.

    ``box`` is left, top, right, bottom in pixels, right > left and bottom > top; its shorter side is made longer. None
    means the largest square in the middle of the photograph.

    Raises:
        InputError: if more of the box lies outside the photograph than in it, or the square is too small.
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
    if side < SMALLEST_SIDE:
        raise InputError(f"a face square of {side:g} pixels is too small; {SMALLEST_SIDE:g} or more would be right")
    return square(x, y, side, 0)


def face_squares(image: Image.Image, box: Box | None) -> list[Box]:
    """The face squares of a photograph: that of the box, or one for each face that :func:`find_faces` finds.

    The square in the middle is the only one where there is no detector, and where the image is a face crop already:
    about square, with a face that fills it or none that is found.

    Raises:
        InputError: as :func:`face_square`, or if no face is found.
    """
    middle = face_square(image, box)
    if box is not None or (found := find_faces(image)) is None:
        return [middle]
    shorter, longer = sorted(image.size)
    filled = max((right - left for left, _, right, _ in found), default=shorter) >= FILLS * shorter
    if longer <= CROP_ASPECT * shorter and filled:
        return [middle]
    if not found:
        raise InputError("no face is found; --box names one")
    return found


def crop_for(image: Image.Image, square: Box, size: int) -> NDArray[np.uint8]:
    """What the network sees of a photograph: the square at the network's size, (3, size, size)."""
    return np.ascontiguousarray(cut(image, square, size).transpose(2, 0, 1))


def predict_photographs(
    network: Network,
    images: Sequence[Path],
    box: Box | None,
    left_out: Callable[[Path, str], None],
) -> Iterator[HeadPose]:
    """Predict the faces of photographs in batches.

    Args:
        network: the network.
        images: their paths.
        box: as :func:`face_squares`, the same for all of them.
        left_out: called with every file that is not a complete image or holds no usable face square, and why.
    """
    for start in range(0, len(images), BATCH):
        faces = []
        for path in images[start : start + BATCH]:
            try:
                photograph = read_photograph(path)
                found = face_squares(photograph, box)
            except (UnreadableError, InputError) as error:
                left_out(path, str(error))
                continue
            size = network.config.image_size
            faces += [(path, photograph.size, face, crop_for(photograph, face, size)) for face in found]
        if not faces:
            continue
        crops = torch.from_numpy(np.stack([crop for *_, crop in faces]))
        (rotations, strengths), spread = answer(network, crops)
        expected, angles = expected_error(spread), to_euler(rotations)
        for i, (path, whole, face, _) in enumerate(faces):
            known = None if strengths[i].isnan().any() else tuple(strengths[i].tolist())
            yield HeadPose(
                path, whole, face, rotations[i].numpy(), tuple(angles[i].tolist()), known, expected[i].item()
            )
