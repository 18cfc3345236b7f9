"""``bench predict``: head poses of photographs."""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmark.cli.networks import chosen_network, network_options
from benchmark.cli.progress import data_progress
from benchmark.cli.terminal import plain_table, print_table, printable, say, warn
from benchmark.study.names import counted
from mhpe.errors import InputError

if TYPE_CHECKING:
    from mhpe.data.crops import Box
    from mhpe.predict.photographs import HeadPose

FORMATS = ("table", "csv", "json")


def _box(_: click.Context, __: click.Parameter, value: str | None) -> "Box | None":
    """Four numbers: left, top, right, bottom."""
    if value is None:
        return None
    from mhpe.data.crops import LARGEST_SIDE

    try:
        left, top, right, bottom = (float(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not left,top,right,bottom in pixels, such as 120,80,360,320") from None
    if not (left < right and top < bottom):
        raise click.BadParameter(f"{value!r} is not left,top,right,bottom with left < right and top < bottom")
    if max(right - left, bottom - top) > LARGEST_SIDE:
        raise click.BadParameter(f"{value!r} has a side of more than {LARGEST_SIDE:g} pixels")
    return left, top, right, bottom


@click.command("predict")
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IMAGE_OR_FOLDER...")
@click.option(
    "--box", callback=_box, metavar="L,T,R,B", help="The face square in pixels of the picture, the same for all."
)
@click.option(
    "--format", "shape", type=click.Choice(FORMATS), help="[default: what --out ends with, otherwise a table to read]"
)
@click.option("--out", "path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write to a file.")
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write each picture with the head's axes into this folder, as NAME.png (NAME-2.png where the name repeats).",
)
@network_options
def predict_verb(
    images: tuple[Path, ...],
    box: "Box | None",
    shape: str | None,
    path: Path | None,
    pictures: Path | None,
    trial: str | None,
    weights: Path | None,
    store: str,
) -> int:
    """Predict the head poses of the faces in photographs.

    The network wants a face crop: an upright square about 210 mm wide at the head, which is 1.45 times the extent of
    the 68 landmarks, its centre a little above the middle of the face (forehead to chin with some hair and neck). Give
    such crops, or pass --box; a loose or shifted crop makes large errors. With the extra "faces" (pip install
    'mhpe-bench[faces]') faces are found in whole photographs, one row a face; a square picture that a face fills, or
    in which none is found, is taken for a crop. Without the extra the largest square in the middle is taken.

    Yaw > 0 turns the nose to the picture's left, pitch > 0 up, roll > 0 clockwise. The rotation's columns are the
    head's left, down and front axes (x right, y down, z towards the viewer). The answer is the mean of those for the
    face and a wider crop, each also mirrored. The expected error follows from how far these differ; it is calibrated
    for the package's network on rendered heads, and photographs had 1.3 times as much.

    Without --trial or --weights the network is the one that comes with the package, trained on rendered heads alone.
    Exit status 1: an image could not be used and was left out.

    \b
    bench predict face.jpg --pictures drawn
    bench predict photo.jpg --box 120,80,360,320
    bench predict faces/ --out poses.csv --trial 3f2a
    """
    from mhpe.predict.photographs import find_images, predict_photographs
    from mhpe.predict.pictures import picture_paths, write_pictures

    shape = _format(shape, path)
    network, _ = chosen_network(trial, weights, store)
    files = find_images(images, warn)
    drawn = {} if pictures is None else picture_paths(files, pictures)
    problems: dict[Path, str] = {}
    poses, read = [], set()

    with data_progress("predict") as progress:
        for pose in predict_photographs(network, files, box, problems.__setitem__):
            poses.append(pose)
            read.add(pose.image)
            progress("images", len(read) + len(problems), len(files))
    if not poses:
        reason, count = Counter(problems.values()).most_common(1)[0]
        which = next(image for image in problems if problems[image] == reason)
        every = "" if len(files) == 1 else f"none of the {len(files)} images can be used; {count} of them like this: "
        raise InputError(f"{every}{which}: {reason}")
    for image, reason in problems.items():
        warn(f"left out: {image}: {reason}")
    if box is None:
        _say_what_is_cut(poses)
    if drawn:
        write_pictures(poses, drawn)
    if shape == "table":
        _print(poses, package=trial is None and weights is None)
    elif shape == "csv":
        _write(_csv(poses), path)
    else:
        _write("[\n" + ",\n".join(json.dumps(_object(pose)) for pose in poses) + "\n]\n", path)
    return 1 if problems else 0


def _say_what_is_cut(poses: "list[HeadPose]") -> None:
    """Say that a square was taken from images that are no crops yet."""
    from mhpe.predict.faces import detector

    cut = sum(pose.size[0] != pose.size[1] and _side(pose) == min(pose.size) for pose in poses)
    if cut:
        faces = "" if detector() else ", and pip install 'mhpe-bench[faces]' finds faces"
        taken = "the largest square in the middle is taken for the face crop; --box names another"
        warn(f"not square: {cut} of {counted(len(poses), 'image')}: {taken}{faces}")


def _format(shape: str | None, path: Path | None) -> str:
    """The format that ``--format`` and ``--out`` ask for."""
    if path is None:
        return shape or "table"
    shape = shape or path.suffix.removeprefix(".")
    if shape not in ("csv", "json"):
        raise InputError(f"--out {path}: its suffix or --format must say csv or json")
    return shape


def _write(text: str, path: Path | None) -> None:
    if path is None:
        click.echo(printable(text) if sys.stdout.isatty() else text, nl=False)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from None
    say(f"written: {path}")


def _print(poses: "list[HeadPose]", package: bool) -> None:
    whole = all(_side(pose) == max(pose.size) for pose in poses)
    table = plain_table("image", *(() if whole else ("box",)), "yaw", "pitch", "roll", "expected error", numbers_from=1)
    for pose in poses:
        box = () if whole else (",".join(f"{edge:.0f}" for edge in pose.square),)
        table.add_row(str(pose.image), *box, *(f"{value:z.1f}" for value in (*pose.angles, pose.expected_error)))
    print_table(table)
    if package:
        say("degrees; expected errors are calibrated on rendered heads, photographs had 1.3 times as much")
    else:
        say("degrees; expected errors are calibrated for the package's network, not for this one")


def _side(pose: "HeadPose") -> float:
    return pose.square[2] - pose.square[0]


def _csv(poses: Iterable["HeadPose"]) -> str:
    """One row a face; the box as ``--box`` takes it, the rotation by rows: ``r12`` is row 1, column 2."""
    import pandas as pd

    from mhpe.rotations import ANGLES

    rows = [
        {"image": face["image"], "box": ",".join(f"{edge:.2f}" for edge in face["box"])}
        | {angle: face[angle] for angle in ANGLES}
        | {f"r{i}{j}": value for i, row in enumerate(face["rotation"], 1) for j, value in enumerate(row, 1)}
        | {f"concentration{i}": value for i, value in enumerate(face["concentration"] or [None] * 3, 1)}
        | {"expected_error": face["expected_error"]}
        for face in map(_object, poses)
    ]
    return pd.DataFrame(rows).to_csv(index=False)


def _object(pose: "HeadPose") -> dict[str, Any]:
    from mhpe.rotations import ANGLES

    return {
        "image": str(pose.image),
        "box": [round(edge, 2) for edge in pose.square],
        **{angle: round(value, 3) for angle, value in zip(ANGLES, pose.angles, strict=True)},
        "rotation": [[round(float(value), 7) for value in row] for row in pose.rotation],
        "concentration": [round(value, 3) for value in pose.strengths] if pose.strengths else None,
        "expected_error": round(pose.expected_error, 3),
    }
