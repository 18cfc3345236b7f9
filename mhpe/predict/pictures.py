"""Pictures with the head's axes drawn into them."""

import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from mhpe.data import HeadPoseSet
from mhpe.data.crops import Box
from mhpe.data.images import UnreadableError, opened, read_file
from mhpe.errors import InputError
from mhpe.predict.photographs import HeadPose, read_photograph
from mhpe.rotations import ANGLES, AXES

COLOURS = ("#ff3b30", "#30d158", "#2f7bff")
"""Of the left, down and front axis."""

TILE = 128
GAP = 4
SMALLEST, LARGEST, LINE = 520, 1600, 32  # sides of a picture in pixels, and the height of the line below it

MARK = ("Software", "mhpe-bench predict")
"""Text in a picture that says which program wrote it, so that it may be overwritten."""


def draw_axes(image: Image.Image, rotation: NDArray[np.floating], box: Box | None = None) -> None:
    """Draw the left, down and front axes into an RGB image, the farthest first.

    ``rotation`` is canonical; its columns are the axes, z towards the viewer. They start in the middle of the box
    (left, top, right, bottom in pixels), or of the whole image.
    """
    pen = ImageDraw.Draw(image)
    left, top, right, bottom = box or (0, 0, *image.size)
    centre, side = np.array([left + right, top + bottom]) / 2, min(right - left, bottom - top)
    length, width = 0.38 * side, max(2, round(side) // 50)
    for axis in np.argsort(rotation[2]):
        end = centre + length * rotation[:2, axis]
        pen.line([*centre, *end], fill=COLOURS[axis], width=width)


def pose_picture(image: Image.Image, poses: Iterable[HeadPose], caption: str) -> Image.Image:
    """A photograph with face squares and heads' axes; below it the caption and the axes' names in their colours.

    The photograph is enlarged or made smaller to a size that shows them.
    """
    scale = min(max(SMALLEST / min(image.size), 1.0), LARGEST / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    picture = Image.new("RGB", (size[0], size[1] + LINE), "white")
    photograph = image.resize(size, Image.Resampling.LANCZOS)
    for pose in poses:
        left, top, right, bottom = (edge * scale for edge in pose.square)
        ImageDraw.Draw(photograph).rectangle((left, top, right, bottom), outline="white", width=2)
        draw_axes(photograph, pose.rotation, (left, top, right, bottom))
    picture.paste(photograph)
    pen, x = ImageDraw.Draw(picture), 8.0
    for text, colour in ((caption + "   ", "#222"), *zip((f"{axis} " for axis in AXES), COLOURS, strict=True)):
        font = ImageFont.load_default(18)
        pen.text((x, size[1] + LINE / 2), text, fill=colour, font=font, anchor="lm")
        x += pen.textlength(text, font=font)
    return picture


def contact_sheet(data: HeadPoseSet, number: int, seed: int = 0) -> Image.Image:
    """Random images of a data set (all, if there are fewer) in a grid, with their axes and yaw, pitch and roll."""
    chosen = np.sort(np.random.default_rng(seed).permutation(len(data))[:number])
    columns = max(1, min(12, round(np.sqrt(1.5 * len(chosen)))))
    rows = -(-len(chosen) // columns)
    pitch = TILE + GAP
    sheet = Image.new("RGB", (columns * pitch + GAP, rows * (pitch + 14) + GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for place, i in enumerate(chosen):
        tile = Image.fromarray(data.images[i].transpose(1, 2, 0)).resize((TILE, TILE), Image.Resampling.BICUBIC)
        draw_axes(tile, data.rotations[i])
        left, top = GAP + place % columns * pitch, GAP + place // columns * (pitch + 14)
        sheet.paste(tile, (left, top))
        yaw, tilt, roll = data.angles[i]
        pen.text((left + 1, top + TILE + 1), f"y {yaw:z.0f}  p {tilt:z.0f}  r {roll:z.0f}", fill="#333")
    return sheet


def picture_paths(images: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Paths of the photographs' pictures: ``NAME.png``; a repeated name gets a number.

    Raises:
        InputError: if a photograph, or a file that is not an earlier picture of this program, has such a path.
    """
    originals = {os.path.realpath(image) for image in images}
    paths: dict[Path, Path] = {}
    taken: set[str] = set()
    for image in dict.fromkeys(images):
        numbered = (f"{image.stem}-{i}" for i in itertools.count(2))
        name = next(name for name in itertools.chain([image.stem], numbered) if name not in taken)
        taken.add(name)
        path = paths[image] = folder / f"{name}.png"
        if os.path.lexists(path) and (os.path.realpath(path) in originals or not _is_ours(path)):
            what = "is one of the images itself, or not of this program"
            raise InputError(f"--pictures {folder}: {path} exists and {what}; name another folder")
    return paths


def _is_ours(path: Path) -> bool:
    try:
        with opened(read_file(path)) as picture:
            return picture.info.get(MARK[0]) == MARK[1]
    except UnreadableError:
        return False


def write_pictures(poses: Iterable[HeadPose], paths: Mapping[Path, Path]) -> None:
    """Write each photograph with its heads' axes to its path, as :func:`picture_paths` gives them.

    Raises:
        InputError: if one cannot be written.
    """
    mark = PngInfo()
    mark.add_text(*MARK)
    faces: dict[Path, dict[Box, HeadPose]] = {}
    for pose in poses:
        faces.setdefault(pose.image, {})[pose.square] = pose
    for image, by_square in faces.items():
        path, pose = paths[image], next(iter(by_square.values()))
        caption = "  ".join(f"{angle} {value:z.0f}°" for angle, value in zip(ANGLES, pose.angles, strict=True))
        caption += f"  expected error {pose.expected_error:.0f}°"
        if len(by_square) > 1:
            caption = f"{len(by_square)} faces"
        try:
            picture = pose_picture(read_photograph(image), by_square.values(), caption)
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path, pnginfo=mark)
        except UnreadableError as error:
            raise InputError(f"{image}: {error}; it changed meanwhile") from None
        except OSError as error:
            raise InputError(f"cannot write pictures to {path.parent}: {error.strerror or error}") from None
