"""What tables show: columns of a study's numbers as text, the same in every format."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmark.report.text import NOTHING, difference, duration, number, p_value, plain, protocol_title, with_error

Row = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: what stands above it.
        text: of a row, what a cell shows.
    """

    heading: str
    text: Callable[[Row], str]


def metric(name: str, heading: str) -> Column:
    """A metric's mean over seeds and its half-width."""
    return Column(heading, lambda row: with_error(row[name], row[f"{name}_hw"]))


ARM = Column("Result", lambda row: str(row["arm"]))
PARAMETERS = [
    Column("Range of bins", lambda row: plain(row["bin_width"])),
    Column("Std dev", lambda row: plain(row["sigma"])),
]
WHERE = [
    Column("Protocol", lambda row: protocol_title(row["protocol"])),
    Column("Preset", lambda row: str(row["preset"])),
]
EULER = [metric("yaw", "Yaw"), metric("pitch", "Pitch"), metric("roll", "Roll")]
MAE = metric("mae", "MAE")
SEEDS = Column("Seeds", lambda row: str(row["n"]))
MISSING = Column("Missing", lambda row: row["missing"])
VECTORS = [metric("left", "Left"), metric("down", "Down"), metric("front", "Front"), metric("maev", "MAEV")]
ROTATION = [
    metric("geodesic_mean", "Geodesic"),
    metric("geodesic_median", "Geodesic median"),
    metric("aligned_mean", "Aligned"),
]
COST = [
    Column("Parameters (M)", lambda row: number(row["weights"] / 1e6)),
    Column("CEP", lambda row: number(row["cep"])),
    Column("Training", lambda row: duration(row["seconds"])),
]
DIFFERENCE = [
    Column("Against", lambda row: "" if row["verdict"] == "baseline" else str(row["baseline"])),
    Column("Difference", lambda row: difference(row["difference"], row["low"], row["high"])),
    Column("Verdict", lambda row: row["verdict"]),
    Column("Holm p", lambda row: p_value(row["p_holm"])),
    Column("Smallest p", lambda row: p_value(row["smallest_p_holm"])),
]
REMARK = Column("Note", lambda row: row["note"])

OPTIONAL = ("Range of bins", "Std dev", "Missing", "Note")
"""Columns that are left out where no row has anything to say."""
GROUP_VIEW = [ARM, *PARAMETERS, *EULER, MAE, SEEDS, *DIFFERENCE, REMARK, MISSING]
"""The page's main table of one preset on one protocol."""
TERMINAL_VIEW = [ARM, *PARAMETERS, *EULER, MAE, SEEDS, *DIFFERENCE[:3], MISSING]
"""What the terminal shows of one preset on one protocol."""
GROUP_DETAILS = [ARM, *VECTORS, *ROTATION, *COST]
"""Its second table."""

NOTE = "Degrees; mean over seeds ± half-width of its 95 % Student-t interval."
COMPARISON_NOTE = (
    "Difference of MAE to the baseline over paired seeds with its 95 % Student-t interval; p of the exact sign-flip "
    "test, Holm-adjusted over the arms of one study and protocol; the smallest p is the adjusted one that this number "
    "of pairs can reach at best."
)
VECTOR_NOTE = (
    "Left, Down, Front: angle between the predicted and the labelled axis of the head of that name; MAEV: mean of the "
    "three. Geodesic: angle of the rotation from the predicted to the labelled pose, mean over images; Geodesic "
    "median: its median. Aligned: geodesic error after the mean rotation between predicted and labelled frames is "
    "removed, which uses the test labels."
)


VIEWS = {
    "Errors": ([ARM, *PARAMETERS, *WHERE, *EULER, MAE, SEEDS, MISSING], NOTE),
    "Difference to the baseline": ([ARM, *WHERE, MAE, SEEDS, *DIFFERENCE, REMARK], f"{NOTE} {COMPARISON_NOTE}"),
    "Vector and rotation errors": ([ARM, *WHERE, *VECTORS, *ROTATION], f"{NOTE} {VECTOR_NOTE}"),
}
"""The tables of a study in Markdown and LaTeX by heading: columns, and how to read them."""


def rows_of(table: pd.DataFrame) -> list[Row]:
    """A table's rows as mappings."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def as_text(table: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """A view of a table as text; columns that say nothing are left out."""
    rows = rows_of(table)
    shown = {column.heading: [column.text(row) for row in rows] for column in columns}
    for heading in ("Preset", "Protocol", "Against"):  # said elsewhere where it is the same for all
        if len(set(shown.get(heading, ())) - {""}) < 2:
            shown.pop(heading, None)
    optional = [heading for heading, cells in shown.items() if set(cells) <= {"", NOTHING} and heading in OPTIONAL]
    return pd.DataFrame({heading: cells for heading, cells in shown.items() if heading not in optional})
