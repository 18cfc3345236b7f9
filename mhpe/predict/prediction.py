"""Head poses of photographs: predicted, as rows of a table, and as pictures."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mhpe.data.crops import DAMAGED, Box
from mhpe.errors import InputError
from mhpe.model.network import Network
from mhpe.predict.expected_error import expected_error
from mhpe.predict.photographs import UnreadableError, crop_for, face_square, read_photograph
from mhpe.predict.pictures import pose_picture
from mhpe.rotations import ANGLES, to_euler

BATCH = 64
MARK = ("Software", "mhpe-bench predict")
"""Text in a picture that says who wrote it, so that it may be overwritten."""


@dataclass(frozen=True)
class HeadPose:
    """The head pose in one photograph.

    Attributes:
        image: path of the photograph.
        size: its width and height in pixels.
        square: what was cut out of it, left, top, right, bottom in pixels.
        rotation: (3, 3) canonical rotation.
        angles: yaw, pitch, roll in degrees.
        strengths: matrix Fisher concentration s1 >= s2 >= s3 >= 0, or None if the network predicts none.
        expected_error: mean angle that the concentration promises, degrees, or None. The network's own claim.
    """

    image: Path
    size: tuple[int, int]
    square: Box
    rotation: NDArray[np.float32]
    angles: tuple[float, float, float]
    strengths: tuple[float, float, float] | None
    expected_error: float | None


def predict_photographs(
    network: Network, images: Sequence[Path], box: Box | None, unreadable: Callable[[Path, str], None]
) -> Iterator[HeadPose]:
    """Predict photographs in batches.

    Args:
        network: the network.
        images: their paths.
        box: as :func:`mhpe.predict.photographs.face_square`, the same for all of them.
        unreadable: told of every file that is no complete image, and why; it is left out.

    Raises:
        InputError: if the box lies mostly outside an image.
    """
    for start in range(0, len(images), BATCH):
        kept, sizes, squares, crops = [], [], [], []
        for path in images[start : start + BATCH]:
            try:
                photograph = read_photograph(path)
            except UnreadableError as error:
                unreadable(path, str(error))
                continue
            try:
                square = face_square(photograph, box)
            except InputError as error:
                raise InputError(f"{path}: {error}") from None
            kept.append(path)
            sizes.append(photograph.size)
            squares.append(square)
            crops.append(crop_for(photograph, square, network.config.image_size))
        if kept:
            yield from _predict(network, kept, sizes, squares, crops)


def _predict(
    network: Network,
    images: list[Path],
    sizes: list[tuple[int, int]],
    squares: list[Box],
    crops: list[NDArray[np.uint8]],
) -> Iterator[HeadPose]:
    rotations, strengths = network.predict(torch.from_numpy(np.stack(crops)))
    claims = expected_error(strengths)
    angles = to_euler(rotations)
    for i, image in enumerate(images):
        known = not strengths[i].isnan().any()
        yield HeadPose(
            image,
            sizes[i],
            squares[i],
            rotations[i].numpy(),
            _triple(angles[i]),
            _triple(strengths[i]) if known else None,
            claims[i].item() if known else None,
        )


def _triple(values: torch.Tensor) -> tuple[float, float, float]:
    first, second, third = values.tolist()
    return first, second, third


def as_csv(poses: Iterable[HeadPose]) -> str:
    """One row an image; the rotation by rows, ``r12`` is row 1, column 2."""
    rows = []
    for pose in poses:
        entries = {f"r{i + 1}{j + 1}": float(pose.rotation[i, j]) for i in range(3) for j in range(3)}
        strengths = pose.strengths or (None, None, None)
        rows.append(
            {"image": str(pose.image)}
            | {angle: round(value, 3) for angle, value in zip(ANGLES, pose.angles, strict=True)}
            | {name: round(value, 7) for name, value in entries.items()}
            | {f"concentration{i + 1}": _rounded(value) for i, value in enumerate(strengths)}
            | {"expected_error": _rounded(pose.expected_error)}
        )
    return pd.DataFrame(rows).to_csv(index=False)


def as_json(poses: Iterable[HeadPose]) -> str:
    """A list of objects, one a line."""
    lines = [json.dumps(_object(pose)) for pose in poses]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _object(pose: HeadPose) -> dict[str, Any]:
    return {
        "image": str(pose.image),
        "square": [round(edge, 2) for edge in pose.square],
        **{angle: round(value, 3) for angle, value in zip(ANGLES, pose.angles, strict=True)},
        "rotation": [[round(float(value), 7) for value in row] for row in pose.rotation],
        "concentration": [round(value, 3) for value in pose.strengths] if pose.strengths else None,
        "expected_error": _rounded(pose.expected_error),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def picture_paths(images: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Where the pictures of photographs go: ``NAME.png``; a repeated name gets a number.

    Raises:
        InputError: if a photograph, or another file that is no earlier picture of this program, lies there.
    """
    originals = {_file(image) for image in images}
    paths: dict[Path, Path] = {}
    taken: set[str] = set()
    for image in dict.fromkeys(images):
        numbered = (f"{image.stem}-{i}" for i in itertools.count(2))
        name = next(name for name in itertools.chain([image.stem], numbered) if name not in taken)
        taken.add(name)
        path = paths[image] = folder / f"{name}.png"
        if not path.is_file():
            continue
        if _file(path) in originals:
            raise InputError(f"--pictures {folder}: {path} is one of the images itself; name another folder")
        if not _is_ours(path):
            raise InputError(f"--pictures {folder}: {path} is there and not of this program; name another folder")
    return paths


def _file(path: Path) -> tuple[int, int]:
    """What tells a file from others, whatever it is called."""
    status = path.stat()
    return status.st_dev, status.st_ino


def _is_ours(path: Path) -> bool:
    try:
        with Image.open(path) as picture:
            return picture.info.get(MARK[0]) == MARK[1]
    except DAMAGED:
        return False


def write_pictures(poses: Iterable[HeadPose], paths: Mapping[Path, Path]) -> None:
    """Write each photograph with its head's axes.

    Args:
        poses: of the photographs.
        paths: as :func:`picture_paths` gives them.

    Raises:
        InputError: if one cannot be written.
    """
    mark = PngInfo()
    mark.add_text(*MARK)
    for pose in poses:
        path = paths[pose.image]
        caption = "  ".join(f"{angle} {value:z.0f}°" for angle, value in zip(ANGLES, pose.angles, strict=True))
        if pose.expected_error is not None:
            caption += f"  expected error {pose.expected_error:.0f}°"
        picture = pose_picture(read_photograph(pose.image), pose.square, pose.rotation, caption)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path, pnginfo=mark)
        except OSError as error:
            raise InputError(f"cannot write pictures to {path.parent}: {error.strerror or error}") from None
