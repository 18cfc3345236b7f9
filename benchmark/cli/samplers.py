"""``bench samplers``: list the samplers, describe one, or show what it draws from a training set."""

import ast
import inspect
import math
import re
from importlib.metadata import entry_points
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import click

from benchmark.cli.options import (
    data_root_option,
    jobs_option,
    out_option,
    parameters,
    preset_option,
    refuse_without,
    sampler_files_option,
    set_option,
    wide_option,
)
from benchmark.cli.terminal import plain_table, print_table, say, warn
from benchmark.study.presets import PRESETS, default_preset
from benchmark.study.protocols import protocol
from mhpe.config import CoreConfig
from mhpe.errors import InputError
from mhpe.names import title as set_title

if TYPE_CHECKING:
    from mhpe.data import HeadPoseSet
    from mhpe.poses import Poses
    from samplers.base import Sampler

ENTRY_POINTS = "mhpe_bench.samplers"  # as in samplers.support.registry, whose import takes PyTorch, and seconds
REFERENCES = 200_000  # about how many references are drawn at most
DRAWING = ("protocol_name", "yaw", "preset", "data_root", "jobs", "folder")
"""Parameters that are about draws from a training set."""


@click.command("samplers")
@click.argument("name", required=False)
@click.option("--protocol", "protocol_name", metavar="NAME", help="Show what it draws from this one's training set.")
@click.option(
    "--yaw", type=click.FloatRange(-180, 180), default=10.0, show_default=True, metavar="DEGREES",
    help="Of the input in the table of weights.",
)  # fmt: skip
@wide_option
@preset_option
@set_option
@sampler_files_option
@data_root_option
@jobs_option
@out_option("results/samplers", "Where to write the figure.")
def samplers_verb(
    name: str | None,
    protocol_name: str | None,
    yaw: float,
    wide: bool,
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
    if math.isnan(yaw):
        raise InputError("--yaw nan: a number of degrees from -180 to 180 is wanted")
    if name is None:
        refuse_without("the name of a sampler, for example gaussian", (*DRAWING, "settings"))
        _list(sampler_files, wide)
        return
    if protocol_name is None:
        refuse_without("--protocol, whose training set is drawn from", DRAWING)
    from samplers.support.registry import Registry

    registry = Registry(sampler_files)
    cls = registry.find(name)
    sampler = registry.build(name, parameters(settings), name) if settings or protocol_name else None
    if protocol_name is None or sampler is None:
        _describe(cls, sampler)
        return

    from benchmark.report.figures.sampler import draws_figure
    from benchmark.report.style import rendered
    from benchmark.report.writers import FigureFile
    from benchmark.study.names import label_of
    from mhpe.train.loop import poses_of
    from samplers.random import Random
    from samplers.support.recorder import SamplerError
    from samplers.support.worked_example import worked_example

    core, data = _training_set(protocol_name, preset, data_root, jobs)
    poses = poses_of(data)
    try:
        one = worked_example(sampler, poses, yaw, core.k)
        counts = simulate(core, sampler, poses)
    except SamplerError as error:
        raise InputError(f"{name}: drawing failed with {error.kind}: {error}; bench check-sampler says more") from error
    at_random = simulate(core.model_copy(update={"epochs": 1}), Random(), poses)

    title = f"{label_of(name, dict(sampler))} on {set_title(data.name)}"
    if hasattr(sampler, "observe"):
        say(f"{name} learns from a training. Nothing is trained here: these are its draws before it has learned.")
    _print_draws(title, core, one, yaw, counts, len(data))
    file = re.sub(r"[^\w.=-]", "_", "-".join((name, *settings, protocol_name)))
    try:
        drawn = rendered(draws_figure(title, one, yaw, counts, at_random), png=True)
        FigureFile(file, title, "", "", *drawn).write(folder)
    except OSError as error:
        raise InputError(f"cannot write the figure: {error}") from None
    say(f"written: {folder / file}.png and .svg")


def simulate(config: CoreConfig, sampler: "Sampler", poses: "Poses", seed: int = 0) -> dict[str, Any]:
    """Numbers of the references that a trial with this seed draws, as ``DrawStatistics.summary`` gives them.

    Of a long training only the first batches of each epoch are drawn. A training of at most :data:`REFERENCES`
    references stores the very same numbers, unless the sampler learns from it: nothing calls ``observe`` here.
    """
    from mhpe.train.references import EpochDraws
    from samplers.support.recorder import Recorder

    recorder = Recorder(sampler, len(poses), poses.device)
    batches = math.ceil(REFERENCES / (config.epochs * config.batch_size * config.k))
    for epoch in range(config.epochs):
        for _ in islice(EpochDraws(config, recorder, poses, seed, epoch), batches):
            pass
    return recorder.statistics.summary()


def _training_set(
    protocol_name: str, preset: str | None, data_root: Path | None, jobs: int | None
) -> "tuple[CoreConfig, HeadPoseSet]":
    """A protocol's training set, and the core that a preset would train on it."""
    from benchmark.cli.progress import data_progress
    from benchmark.run.study_data import StudyData
    from mhpe.synthheads.sets import SynthConfig

    of_protocol = protocol(protocol_name)
    sizes = PRESETS[preset or default_preset([of_protocol], {})]
    core, synth = CoreConfig.model_validate(sizes.core), SynthConfig.model_validate(sizes.synthheads)
    return core, StudyData(synth, data_root, jobs or -1, data_progress, warn)(of_protocol.train, core.image_size)


def _describe(cls: "type[Sampler]", sampler: "Sampler | None") -> None:
    """Print a sampler's documentation and parameters; their values, too, if there is one with parameters set."""
    documentation = re.sub(r":\w+:|`", "", inspect.getdoc(cls) or "")  # without its markup
    say(f"{cls.name}\n\n{documentation}")
    table = plain_table("parameter", "default", *(("value",) if sampler else ()), "values")
    for key, default in _defaults(cls).items():
        annotation = cls.model_fields[key].annotation
        values = get_args(annotation) if get_origin(annotation) is Literal else ()
        value = (str(getattr(sampler, key)),) if sampler else ()
        table.add_row(key, default, *value, " or ".join(map(str, values)))
    if table.row_count:
        say("")
        print_table(table)


def _list(sampler_files: tuple[Path, ...], wide: bool) -> None:
    rows, broken = [(name, summary, "") for name, summary in summaries().items()], {}
    if wide or sampler_files or entry_points(group=ENTRY_POINTS):
        from samplers.support.registry import Registry

        registry = Registry(sampler_files)
        broken = registry.broken
        rows = [
            (name, _summary(inspect.getdoc(cls)), ", ".join(f"{key}={value}" for key, value in _defaults(cls).items()))
            for name, cls in registry.classes.items()
        ]
    columns = 3 if wide else 2
    table = plain_table(*("sampler", "what it draws", "parameters")[:columns])
    for row in sorted(rows):
        table.add_row(*row[:columns])
    print_table(table, wide)
    for module, reason in broken.items():
        warn(f"{module} cannot be used: {reason}")


def summaries() -> dict[str, str]:
    """What each built-in sampler draws, by name, as its source states it: to import them takes PyTorch, and seconds."""
    files = (Path(__file__).parents[2] / "samplers").glob("*.py")
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    found = {}
    for cls in (node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)):
        for node in cls.body:
            match node:
                case ast.Assign(targets=[ast.Name(id="name")], value=ast.Constant(value=str(name))):
                    found[name] = _summary(ast.get_docstring(cls))
    return found


def _summary(docstring: str | None) -> str:
    return (docstring or "").partition("\n")[0].replace("`", "")


def _defaults(cls: "type[Sampler]") -> dict[str, str]:
    """A sampler's parameters with their defaults."""
    fields = cls.model_fields.items()
    return {key: "required" if info.is_required() else str(info.default) for key, info in fields}


def _print_draws(
    title: str, core: CoreConfig, one: dict[str, Any], yaw: float, counts: dict[str, Any], images: int
) -> None:
    """Print the references of one input at ``yaw``, and numbers of a whole training's draws (``counts``)."""
    pool, k = core.references == "pool", core.k
    source = f"a pool of {core.pool_size} images a batch" if pool else "all images"
    say(f"{title}: {images} images, K = {k}, references from {source}\n")
    say(f"references of an input at yaw {yaw:g}°{', from all images' if pool else ''}")
    bins = one["bins"]
    columns = {"images": (bins["images"], "d")}
    if bins["requested"]:  # not by a sampler with bins that draws in its own way
        columns |= {"weight": (bins["weights"], ".3g"), "share": (bins["shares"], ".3g")}
        columns |= {f"{k} x share": ([k * share for share in bins["shares"]], ".2f")}
        columns |= {"requested": (bins["requested"], ".2f")}
    columns |= {"achieved": (bins["achieved"], ".2f")}
    table = plain_table("yaw bin", *columns, numbers_from=1)
    for i, numbers in enumerate(zip(*(numbers for numbers, _ in columns.values()), strict=True)):
        texts = (format(number, form) for number, (_, form) in zip(numbers, columns.values(), strict=True))
        table.add_row(f"[{bins['width'] * i - 180:g}, {bins['width'] * (i + 1) - 180:g})", *texts)
    print_table(table)
    say(f"effective number of images behind them: {_number(one['effective_references'])}\n")
    table = plain_table("references of a whole training", "", numbers_from=1)
    table.add_row("effective number of references", f"{_number(counts['effective_references'])} of {images}")
    table.add_row(f"images drawn at all in {counts['references']} draws", f"{counts['coverage']:.1%}")
    if counts["fallback_share"] is not None:
        table.add_row("references from another bin than requested", f"{counts['fallback_share']:.1%}")
    table.add_row("mean distance of input and reference", f"{counts['distance']['mean']:.1f}°")
    print_table(table)
    say("")


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0f}"
