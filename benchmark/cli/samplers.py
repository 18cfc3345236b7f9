"""``bench samplers``: list the samplers, describe one, or show what it draws from a training set."""

import inspect
import re
from pathlib import Path
from typing import Literal, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from benchmark.cli.draws import print_draws
from benchmark.cli.options import (
    data_root_option,
    jobs_option,
    parameters,
    preset_option,
    sampler_files_option,
    set_option,
)
from benchmark.cli.study_data import StudyData
from benchmark.cli.terminal import plain_table, print_table
from benchmark.report.figures.sampler import draws_figure
from benchmark.report.style import save
from benchmark.run.simulation import simulate
from benchmark.study.presets import PRESETS, default_preset
from benchmark.study.protocols import protocol
from mhpe.config import CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.datasets import title as set_title
from mhpe.errors import InputError
from mhpe.synthheads.sets import SynthConfig
from mhpe.train.loop import poses_of
from samplers.base import Sampler
from samplers.random import Random
from samplers.support.bin_table import weights_table
from samplers.support.registry import Registry


@click.command("samplers")
@click.argument("name", required=False)
@click.option("--protocol", "protocol_name", metavar="NAME", help="Show what it draws from this one's training set.")
@click.option(
    "--yaw",
    type=click.FloatRange(-180, 180),
    default=10.0,
    show_default=True,
    metavar="DEGREES",
    help="Of the input in the table of weights.",
)
@preset_option
@set_option
@sampler_files_option
@data_root_option
@jobs_option
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("results/samplers"),
    show_default=True,
    metavar="DIR",
    help="Where to write the figure.",
)
def samplers_verb(
    name: str | None,
    protocol_name: str | None,
    yaw: float,
    preset: str | None,
    settings: tuple[str, ...],
    sampler_files: tuple[Path, ...],
    data_root: Path | None,
    jobs: int | None,
    folder: Path,
) -> None:
    """List the samplers, describe one, or show what it draws; nothing is trained.

    \b
    bench samplers gaussian
    bench samplers gaussian --set sigma=45 --protocol aflw2000_to_biwi --data-root ~/data
    """
    registry = Registry(sampler_files)
    if name is None:
        if protocol_name is not None:
            raise InputError("--protocol needs the name of a sampler, for example gaussian")
        if settings:
            raise InputError("--set needs the name of a sampler, for example gaussian")
        _list(registry)
        return
    cls = registry.find(name)
    if settings or protocol_name is not None:
        sampler = registry.build(name, parameters(settings), name)
    if protocol_name is None:
        _describe(cls)
        return

    core, data = _training_set(protocol_name, preset, data_root, jobs)
    poses = poses_of(data)
    try:
        table = weights_table(sampler, poses, yaw, core.k)
        counts = simulate(core, sampler, poses)
    except Exception as error:  # whatever a sampler of the user's raises
        raise InputError(
            f"{name}: drawing failed with {type(error).__name__}: {error}; bench check-sampler says more"
        ) from error
    at_random = simulate(core.model_copy(update={"epochs": 1}), Random(), poses)

    values = ", ".join(f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}" for key, value in sampler)
    title = f"{name}({values}) on {set_title(data.name)}" if values else f"{name} on {set_title(data.name)}"
    print_draws(title, core, table, yaw, counts, len(data))
    file = re.sub(r"[^\w.=-]", "_", "-".join((name, *settings, protocol_name)))
    try:
        save(draws_figure(title, table, yaw, counts, at_random), file, folder)
    except OSError as error:
        raise InputError(f"cannot write the figure: {error}") from None
    click.echo(f"written: {folder / file}.png and .svg")


def _training_set(
    protocol_name: str, preset: str | None, data_root: Path | None, jobs: int | None
) -> tuple[CoreConfig, HeadPoseSet]:
    """A protocol's training set, and the core that a preset would train on it."""
    of_protocol = protocol(protocol_name)
    sizes = PRESETS[preset or default_preset([of_protocol])]
    core, synth = CoreConfig.model_validate(sizes.core), SynthConfig.model_validate(sizes.synthheads)
    return core, StudyData(synth, data_root, jobs or -1)(of_protocol.train, core.image_size)


def _describe(cls: type[Sampler]) -> None:
    click.echo(f"{cls.name}\n\n{inspect.getdoc(cls)}")
    table = plain_table("parameter", "default", "values")
    for key, info in cls.model_fields.items():
        values = get_args(info.annotation) if get_origin(info.annotation) is Literal else ()
        table.add_row(key, _default(info), " or ".join(map(str, values)))
    if table.row_count:
        click.echo()
        print_table(table)


def _default(info: FieldInfo) -> str:
    return "needed" if info.is_required() else str(info.default)


def _list(registry: Registry) -> None:
    table = plain_table("sampler", "what it draws", "parameters")
    for key, cls in sorted(registry.classes.items()):
        fields = ", ".join(f"{field}={_default(info)}" for field, info in cls.model_fields.items())
        table.add_row(key, (inspect.getdoc(cls) or "").partition("\n")[0], fields)
    print_table(table)
    for module, reason in registry.broken.items():
        click.echo(f"bench: {module} cannot be used: {reason}", err=True)
