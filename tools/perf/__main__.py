"""Measure the suite beside straightforward code for the same work: ``python -m tools.perf --help``."""

import os
import tempfile
from dataclasses import asdict
from pathlib import Path

import click
import pandas as pd
import torch

from benchmark.report.writers import TextTable, csv_text, markdown_text, write_files
from benchmark.run.environment import environment
from tools.perf.rows import ROWS, Row, Setting


@click.command()
@click.option("--row", "names", multiple=True, type=click.Choice(list(ROWS)), help="Only these rows; repeatable.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True, help="Of networks.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Where to write perf.csv and perf.md.")
def main(names: tuple[str, ...], device: str, out: Path | None) -> None:
    """Measure the suite's speed against straightforward code, in one run, on one thread.

    Leave the machine alone meanwhile; it takes some minutes. Exit status 1: a goal is not met.
    """
    place, machine = torch.device(device), environment(device, "auto")["device"]
    torch.set_num_threads(1)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MHPE_CACHE"] = f"{folder}/cache"  # an earlier run's reports would be found there
        for name in names or ROWS:
            for row in ROWS[name](Setting(place, Path(folder))):
                rows.append(row)
                click.echo(" | ".join(filter(None, as_text([row]).iloc[0])))
    if out is not None:
        lead = f"Measured by python -m tools.perf on {machine}."
        text = markdown_text({"Ratios": TextTable(as_text(rows))}, "Speed", lead)
        write_files({"perf.csv": csv_text(as_frame(rows)), "perf.md": text}, out)
    raise SystemExit(int(any(row.met is False for row in rows)))


def as_frame(rows: list[Row]) -> pd.DataFrame:
    """The rows as numbers."""
    return pd.DataFrame([asdict(row) | {"ratio": row.ratio, "met": row.met} for row in rows])


def as_text(rows: list[Row]) -> pd.DataFrame:
    """The rows as people read them."""
    return pd.DataFrame(
        [
            {
                "What": row.what,
                "Time": _duration(row.seconds),
                "Against": f"{row.against}: {_duration(row.other)}" if row.other else "",
                "Times as fast": f"{row.ratio:.3g}" if row.ratio else "",
                "Goal": f">= {row.ratio_goal:.3g}" if row.ratio_goal
                else f"<= {_duration(row.seconds_goal)}" if row.seconds_goal else "",
                "Met": {True: "met", False: "NOT MET", None: ""}[row.met],
            }
            for row in rows
        ]
    )  # fmt: skip


def _duration(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


if __name__ == "__main__":
    main()
