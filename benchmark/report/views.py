"""What tables show: columns of a study's numbers as text, the same in every format."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmark.report.references import share
from benchmark.report.text import NOTHING, difference, duration, number, p_value, plain, protocol_title, with_error
from benchmark.statistics import WEAK

Row = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    heading: str  # what stands above it
    text: Callable[[Row], str]  # of a row, what a cell shows


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
    Column("Better / equivalent / worse", lambda row: _probabilities(row)),
    Column("Verdict", lambda row: row["verdict"]),
]
ADJUSTED = [Column("Holm p", lambda row: p_value(row["p_holm"])), Column("q", lambda row: p_value(row["q"]))]
STATISTICS = [
    Column("Pairs", lambda row: plain(row["pairs"] or math.nan)),
    Column("p", lambda row: p_value(row["p"])),
    *ADJUSTED,
    Column("Family", lambda row: plain(row["family"])),
    Column("Smallest Holm p", lambda row: p_value(row["smallest_p_holm"])),
    Column("Correlation", lambda row: number(row["correlation"])),
    Column("Unpaired (Welch)", lambda row: _unpaired(row)),
    Column("Interquartile mean", lambda row: _middle(row)),
    Column("Odd seeds", lambda row: row["outliers"]),
]
DRAWS = [
    Column("Pool", lambda row: plain(row["pool"])),
    Column("Coverage", lambda row: share(row["coverage"]) if row["pool"] > 0 else NOTHING),
    Column("From another bin", lambda row: share(row["fallback_share"]) if row["pool"] > 0 else NOTHING),
]
"""Of presets whose references come from a pool: one name stands for another sampler there."""
REMARK = Column("Note", lambda row: row["note"])

OPTIONAL = {
    "Range of bins", "Std dev", "Missing", "Note", "Odd seeds", "Unpaired (Welch)",
    *(column.heading for column in DRAWS),
}  # fmt: skip
"""Columns that are left out where no row has anything to say."""
GROUP_VIEW = [ARM, *EULER, MAE, SEEDS, *DIFFERENCE, *ADJUSTED, *DRAWS, REMARK, MISSING]
"""The page's main table of one preset on one protocol."""
TERMINAL_VIEW = [ARM, *PARAMETERS, *EULER, MAE, SEEDS, DIFFERENCE[1], DIFFERENCE[3], MISSING]
"""What the terminal shows of one preset on one protocol."""
GROUP_STATISTICS = [ARM, *STATISTICS]  # its second table
GROUP_DETAILS = [ARM, *VECTORS, *ROTATION, *COST]  # its third table
WIDE_VIEW = [ARM, *PARAMETERS, *GROUP_VIEW[1:], *GROUP_STATISTICS[1:], *GROUP_DETAILS[1:]]
"""What the terminal shows with --wide: all columns."""

NOTE = "Degrees; mean over seeds ± half-width of its 95 % Student-t interval."
COMPARISON_NOTE = (
    "Difference of MAE to the baseline over paired seeds with its 95 % Student-t interval. Better / equivalent / "
    "worse: probabilities, in percent, that the true difference is below, within, above the margin (Student-t "
    "posterior). Pool, coverage and references from another bin are given where references come from a pool."
)
STATISTICS_NOTE = (
    "p: exact sign-flip test. Holm p: adjusted over all arms that the study plans on a protocol (family). q: "
    "Benjamini and Hochberg's, over all distinct comparisons of this report. Smallest Holm p: the least that this "
    "number of pairs can reach. Correlation of the arm's seeds and the baseline's; below 0.3 the difference over all "
    "seeds, paired or not, stands beside (Welch). Interquartile mean of the MAE with a bootstrap interval. Odd seeds: "
    "differences beyond 3 median absolute deviations."
)
VECTOR_NOTE = (
    "Left, Down, Front: angle between the predicted and the labelled axis of the head of that name; MAEV: mean of the "
    "three. Geodesic: angle of the rotation from the predicted to the labelled pose, mean over images; Geodesic "
    "median: its median. Aligned: geodesic error after the mean rotation between predicted and labelled frames is "
    "removed, which uses the test labels."
)


VIEWS = {
    "Errors": ([ARM, *PARAMETERS, *WHERE, *EULER, MAE, SEEDS, MISSING], NOTE),
    "Difference to the baseline": ([ARM, *WHERE, MAE, *DIFFERENCE, *DRAWS, REMARK], f"{NOTE} {COMPARISON_NOTE}"),
    "Statistics": ([ARM, *WHERE, *STATISTICS], STATISTICS_NOTE),
    "Vector and rotation errors": ([ARM, *WHERE, *VECTORS, *ROTATION], f"{NOTE} {VECTOR_NOTE}"),
}
"""The tables of a study in Markdown and LaTeX by heading: columns, and how to read them."""


def _probabilities(row: Row) -> str:
    values = [row["p_better"], row["p_equivalent"], row["p_worse"]]
    return NOTHING if math.isnan(values[0]) else " / ".join(f"{100 * value:.0f}" for value in values)


def _unpaired(row: Row) -> str:
    if not row["correlation"] < WEAK:
        return NOTHING
    return difference(row["unpaired"], row["unpaired_low"], row["unpaired_high"])


def _middle(row: Row) -> str:
    mean, low, high = (number(row[name]) for name in ("iqm", "iqm_low", "iqm_high"))
    return NOTHING if math.isnan(row["iqm"]) else f"{mean} [{low}, {high}]"


def without_constants(text: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """A table of text without the columns that say nothing, or the same in every row, and a sentence that says it.

    The row of the baseline, which is compared with nothing, may be empty there.
    """
    empty, constant = [], {}
    for column in text.columns[1:]:
        said = [cell for cell in text[column] if cell not in ("", NOTHING)]
        if not said:
            empty.append(column)
        elif len(text) > 1 and len(set(said)) == 1 and (len(said) == len(text) or len(said) == len(text) - 1 > 1):
            constant[column] = f"{column} {said[0]}"
    if len(empty) + len(constant) == len(text.columns) - 1:
        return text, ""  # a list of names would be left
    return text.drop(columns=[*empty, *constant]), f"In every row: {', '.join(constant.values())}." if constant else ""


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
