"""``bench perf``: the suite's own speed, as ratios measured in one run."""

import tempfile
from pathlib import Path

import click
import torch

from benchmark.cli.options import data_root_option, usable_device
from benchmark.cli.terminal import err, out, plain_table, print_table
from benchmark.report.style import save, style
from benchmark.report.writers import TextTable, write_csv, write_markdown
from benchmark.run.environment import environment
from mhpe.errors import InputError
from tools.perf.growth import growth, growth_figure
from tools.perf.rows import Row, Setting
from tools.perf.table import MEASURES, as_frame, as_text, measure


@click.command("perf")
@click.option("--row", "names", multiple=True, type=click.Choice(list(MEASURES)), help="Only these rows; repeatable.")
@click.option("--growth", "with_growth", is_flag=True, help="Measure also how cost grows with K, batch and sizes.")
@click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True, help="Of trainings and networks."
)
@click.option(
    "--out", "folder", type=click.Path(path_type=Path), metavar="DIR", help="Where to write the table and the figure."
)
@data_root_option
def perf_verb(
    names: tuple[str, ...], with_growth: bool, device: str, folder: Path | None, data_root: Path | None
) -> int:
    """Measure the suite's own speed against straightforward ways to do the same.

    Every ratio is the median over turns in which both are timed one after the other, one thread each. Leave the
    machine alone meanwhile; it takes some minutes. Exit status 1: a goal is not met.

    \b
    bench perf
    bench perf --row training --row step
    bench perf --growth --out results/perf
    """
    device = usable_device(device)
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot write to {folder}: {error.strerror or error}") from None
    place, name = torch.device(device), environment(device, "auto")["device"]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rows = _rows(names or tuple(MEASURES), place, data_root)
        points = growth(place) if with_growth else None
    finally:
        torch.set_num_threads(threads)
    _print(rows, name)
    if points is not None:
        out.print(points.pivot(index=["series", "value"], columns="references", values="inputs_per_second").round(1))
    if folder is not None:
        try:
            write_csv(as_frame(rows), folder / "perf.csv")
            ratios = {"Ratios": TextTable(as_text(rows))}
            write_markdown(ratios, "Speed", f"Measured by bench perf on {name}.", folder / "perf.md")
            if points is not None:
                write_csv(points, folder / "growth.csv")
                with style():
                    figure = growth_figure(points, name)
                save(figure, "growth", folder)
        except OSError as error:
            raise InputError(f"cannot write to {folder}: {error.strerror or error}") from None
    return int(any(row.met is False for row in rows))


def _rows(names: tuple[str, ...], device: torch.device, data_root: Path | None) -> list[Row]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, err.status("measuring") as status:
        for row in measure(names, Setting(device, Path(folder), data_root)):
            rows.append(row)
            status.update(f"measuring; {len(rows)} done, the last: {row.what}")
    return rows


def _print(rows: list[Row], device: str) -> None:
    text = as_text(rows)
    notes = text.pop("Note")
    table = plain_table(*text.columns, title=f"Speed on {device}")
    for column in table.columns[:3]:
        column.no_wrap = False
    for cells in text.itertuples(index=False):
        table.add_row(*cells)
    print_table(table)
    for row, note in zip(rows, notes, strict=True):
        if note:
            out.print(f"{row.what}: {note}")
