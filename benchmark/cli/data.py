"""``bench data``: prepare data sets, show them, and say what is there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmark.cli.options import data_root_option, jobs_option, refuse_without
from benchmark.cli.progress import data_progress
from benchmark.cli.terminal import plain_table, print_table, say, warn
from mhpe.config import CoreConfig
from mhpe.errors import InputError
from mhpe.names import LARGEST_SET, LARGEST_SIZE, MAX_ANGLE, PUBLISHED_IMAGES, TITLES
from mhpe.paths import cache_folder

if TYPE_CHECKING:
    from mhpe.data import HeadPoseSet

MOST_SHOWN = 2_000  # images on a contact sheet; more make a picture that few programs open


def set_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """``NAME``, and the options by which :func:`_prepared` gets the data set of that name."""
    size = click.option(
        "--size", type=click.IntRange(16, LARGEST_SIZE), default=CoreConfig().image_size, show_default=True,
        help="Side of the crops in pixels.",
    )  # fmt: skip
    count = click.option(
        "--count", type=click.IntRange(1, LARGEST_SET),
        help="Images of a SynthHeads set to render.  [default: the standard preset's]",
    )  # fmt: skip
    return click.argument("name")(data_root_option(size(count(jobs_option(verb)))))


def _prepared(name: str, data_root: Path | None, size: int, count: int | None, jobs: int | None) -> "HeadPoseSet":
    """A data set, prepared if it is not yet."""
    from mhpe.datasets import REAL_SETS, check_name, prepared
    from mhpe.synthheads.sets import SynthConfig

    name = check_name(name)
    if name in REAL_SETS:
        refuse_without(f"a SynthHeads set; {TITLES[name]} has the images it has", ("count",))
    else:
        refuse_without(f"a real set; {TITLES[name]} is rendered", ("data_root",))
    synth = SynthConfig() if count is None else SynthConfig(train=count, lab=count, wild=count)
    with data_progress(TITLES[name]) as progress:
        return prepared(name, size, data_root, synth, jobs or -1, progress, warn)


@click.group("data")
def data_group() -> None:
    """Prepare data sets, show them, and say what is there.

    \b
    bench data check --data-root ~/data
    bench data show synth_wild
    """


@data_group.command("prepare")
@set_options
def prepare_verb(**of_set: Any) -> None:
    """Convert or render a data set to memory-mapped arrays, once.

    \b
    bench data prepare aflw2000 --data-root ~/data
    """
    from mhpe.data.biwi import BIWI
    from mhpe.datasets import REAL_SETS

    data = _prepared(**of_set)
    unreadable = data.meta["unreadable"]
    for problem in unreadable:
        warn(f"left out: {problem}")
    facts = [f"{len(unreadable)} unreadable"]
    if data.name in REAL_SETS:
        facts = [f"{data.meta['beyond_max_angle']} beyond {MAX_ANGLE:g} degrees", *facts, *data.meta["missing"]]
    if data.name == BIWI.name:
        cropped = data.meta["already_cropped"]
        facts = [f"{len(data) - cropped} full frames, {cropped} already cropped", *facts]
    found = f"{len(data)} of {data.meta['found']} images at {data.images.shape[-1]} px"
    say(f"{TITLES[data.name]}: {found} ({', '.join(facts)}); {data.folder}")


@data_group.command("show")
@click.option(
    "--number", type=click.IntRange(1, MOST_SHOWN), default=48, show_default=True, help="Images on the sheet."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Chooses the images.")
@click.option(
    "--out", "path", type=click.Path(path_type=Path), metavar="FILE", help="PNG to write.  [default: NAME.png]"
)
@set_options
def show_verb(number: int, seed: int, path: Path | None, **of_set: Any) -> None:
    """Draw a contact sheet with the head's axes.

    Left is red, down green, front blue.

    \b
    bench data show synth_train --count 200
    bench data show biwi --data-root ~/data --out biwi.png
    """
    from mhpe.predict.pictures import contact_sheet

    data = _prepared(**of_set)
    path = path or Path(f"{data.name}.png")
    try:
        contact_sheet(data, number, seed).save(path)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot write {path}: {error}; name a .png file in a folder that can be written") from None
    say(f"written: {path} ({TITLES[data.name]}, {min(number, len(data))} of {len(data)} images)")


@data_group.command("check")
@data_root_option
def check_verb(data_root: Path | None) -> None:
    """Say for every data set what is present, counted and missing.

    \b
    bench data check --data-root ~/data
    """
    from mhpe.datasets import REAL_SETS, check_root

    check_root(data_root)
    originals = {name: _originals(name, data_root) for name in REAL_SETS}
    table = plain_table("data set", "images", "published", "original files", "prepared")
    for name in TITLES:
        count, place = originals.get(name, ("", "rendered when first used"))
        published = f"{PUBLISHED_IMAGES[name]:,}" if name in REAL_SETS else ""
        ready = [_state(path) for path in sorted((cache_folder() / "prepared").glob(f"{name}-*"))]
        table.add_row(name, count, published, place, ", ".join(ready) or "no")
    print_table(table)
    say("published: images in published results, which leave out those beyond 99 degrees")
    if data_root is not None and not any(count for count, _ in originals.values()):
        raise InputError(f"--data-root {data_root} (or MHPE_DATA): none of the data sets can be read there")


def _state(folder: Path) -> str:
    """Name of a prepared folder, and whether this version cannot read it."""
    from mhpe.data.dataset import FORMAT

    try:
        readable = json.loads((folder / "meta.json").read_text(encoding="utf-8"))["format"] == FORMAT
    except (OSError, ValueError, TypeError, KeyError):
        return f"{folder.name} (damaged)"
    return folder.name if readable else f"{folder.name} (another version)"


def _originals(name: str, data_root: Path | None) -> tuple[str, str]:
    """How many images a real set has, and where, or what is missing."""
    from mhpe.data.biwi import BIWI
    from mhpe.datasets import REAL_SETS

    if data_root is None:
        return "", "pass --data-root or set MHPE_DATA"
    real = REAL_SETS[name]
    try:
        records = real.records(data_root)
        facts = [*([real.kinds(records)] if isinstance(real, BIWI) else ()), *real.missing(data_root)]
        return f"{len(records):,}", str(real.root(data_root)) + (f" ({'; '.join(facts)})" if facts else "")
    except InputError as error:
        return "", str(error)
