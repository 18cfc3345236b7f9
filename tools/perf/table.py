"""The whole table: which rows there are, and how they are written down."""

from collections.abc import Iterator
from dataclasses import asdict

import pandas as pd

from tools.perf.draws import sampler_rows
from tools.perf.mathematics import mathematics_rows
from tools.perf.network import network_row, prediction_rows
from tools.perf.preparation import preparation_rows
from tools.perf.processes import processes_row
from tools.perf.rendering import rendering_row
from tools.perf.reporting import report_row
from tools.perf.rows import Measure, Row, Setting
from tools.perf.training import step_row, training_rows

MEASURES: dict[str, Measure] = {
    "training": training_rows,
    "step": step_row,
    "network": network_row,
    "samplers": sampler_rows,
    "mathematics": mathematics_rows,
    "processes": processes_row,
    "rendering": rendering_row,
    "preparation": preparation_rows,
    "report": report_row,
    "prediction": prediction_rows,
}
"""Rows by the name that ``--row`` takes, in the table's order."""


def measure(names: tuple[str, ...], setting: Setting) -> Iterator[Row]:
    """The rows of some names, as they are measured."""
    for name in names:
        yield from MEASURES[name](setting)


def as_frame(rows: list[Row]) -> pd.DataFrame:
    """The rows as numbers."""
    columns = [asdict(row) | {"goal": str(row.goal or ""), "met": row.met} for row in rows]
    return pd.DataFrame(columns)


def as_text(rows: list[Row]) -> pd.DataFrame:
    """The rows as people read them."""
    return pd.DataFrame(
        [
            {
                "What": row.what,
                "Here": _with_unit(row.value, row.unit),
                "Against": f"{row.against}: {_with_unit(row.other, row.unit)}" if row.other is not None else "",
                "Ratio (quartiles)": _ratio(row),
                "Goal": str(row.goal or ""),
                "Met": {True: "yes", False: "NO", None: ""}[row.met],
                "Note": row.note,
            }
            for row in rows
        ]
    )


def _with_unit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"


def _ratio(row: Row) -> str:
    if row.ratio is None:
        return ""
    spread = f" ({row.low:.3g} to {row.high:.3g})" if row.low is not None and row.high is not None else ""
    return f"{row.ratio:.3g}{spread}"
