"""``bench data``: prepare data sets and say what is there."""

from pathlib import Path

import click

from benchmark.cli.options import data_root_option, jobs_option
from benchmark.cli.progress import data_progress
from benchmark.cli.terminal import out, plain_table
from mhpe.config import CoreConfig
from mhpe.data import SOURCES, prepared, source
from mhpe.errors import InputError
from mhpe.paths import cache_folder

size_option = click.option(
    "--size",
    type=click.IntRange(16),
    default=CoreConfig().image_size,
    show_default=True,
    help="Side of the crops in pixels.",
)


@click.group("data")
def data_group() -> None:
    """Prepare data sets and say what is there."""


@data_group.command("prepare")
@click.argument("name")
@data_root_option
@size_option
@jobs_option
def prepare_verb(name: str, data_root: Path | None, size: int, jobs: int | None) -> None:
    """Convert a data set to memory-mapped arrays, once.

    \b
    bench data prepare aflw2000 --data-root ~/data
    """
    with data_progress(source(name).title) as progress:
        data = prepared(name, size, data_root, jobs or -1, progress)
    unreadable = data.meta.get("unreadable", [])
    for problem in unreadable:
        click.echo(f"bench: left out: {problem}", err=True)
    click.echo(
        f"{source(name).title}: {len(data)} of {data.meta['found']} images at {size} px "
        f"({data.meta['beyond_max_angle']} beyond 99 degrees, {len(unreadable)} unreadable); {data.folder}"
    )


@data_group.command("check")
@data_root_option
def check_verb(data_root: Path | None) -> None:
    """Say for every data set what is present, counted and missing."""
    table = plain_table("data set", "images", "original files", "prepared")
    for name, data_set in SOURCES.items():
        count, place = "", "pass --data-root or set MHPE_DATA"
        if data_root is not None:
            try:
                records = data_set.records(data_root)
                count, place = str(len(records)), str(data_set.root(data_root))
                unlabelled = sum(not record.label.exists() for record in records)
                place += f" ({unlabelled} without label file)" if unlabelled else ""
            except InputError as error:
                place = str(error)
        ready = sorted(path.name for path in (cache_folder() / "prepared").glob(f"{name}-*"))
        table.add_row(name, count, place, ", ".join(ready) or "no")
    out.print(table)
