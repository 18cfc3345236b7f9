"""What tables show: numbers as text, the same in every format."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from benchmark.report import text
from benchmark.report.text import NOTHING
from benchmark.statistics import WEAK

Row = Mapping[Hashable, Any]
Columns = dict[str, Callable[[Row], str]]
"""By heading, what a cell shows of a row."""


def cell(text: Callable[..., str], *names: str) -> Callable[[Row], str]:
    """A column of what ``text`` makes of some values of a row."""
    return lambda row: text(*(row[name] for name in names))


def _unpaired(correlation: float, *difference: float) -> str:
    return text.difference(*difference) if correlation < WEAK else NOTHING


METRICS = {
    "Yaw": "yaw", "Pitch": "pitch", "Roll": "roll", "MAE": "mae", "Left": "left", "Down": "down", "Front": "front",
    "MAEV": "maev", "Geodesic": "geodesic_mean", "Geodesic median": "geodesic_median", "Aligned": "aligned_mean",
}  # fmt: skip
COLUMNS: Columns = {
    "Result": cell(str, "arm"),
    "Range of bins": cell(text.plain, "bin_width"),
    "Std dev": cell(text.plain, "sigma"),
    "Protocol": cell(text.protocol_title, "protocol"),
    "Preset": cell(str, "preset"),
    **{heading: cell(text.with_error, metric, f"{metric}_hw") for heading, metric in METRICS.items()},
    "Seeds": cell(str, "n"),
    "Against": lambda row: "" if row["verdict"] == "baseline" else str(row["baseline"]),
    "Difference": cell(text.difference, "difference", "low", "high"),
    "Below / within / above margin": cell(text.chances, "p_better", "p_equivalent", "p_worse"),
    "Verdict": cell(str, "verdict"),
    "Holm p": cell(text.p_value, "p_holm"),
    "q": cell(text.p_value, "q"),
    # Of presets whose references come from a pool: one name stands for another sampler there.
    "Pool": cell(text.plain, "pool"),
    "Coverage": lambda row: text.share(row["coverage"]) if row["pool"] > 0 else NOTHING,
    "From another bin": lambda row: text.share(row["fallback_share"]) if row["pool"] > 0 else NOTHING,
    "Note": cell(str, "note"),
    "Missing": cell(str, "missing"),
    "Pairs": lambda row: text.plain(row["pairs"] or math.nan),
    "p": cell(text.p_value, "p"),
    "Family": cell(text.plain, "family"),
    "Smallest Holm p": cell(text.p_value, "smallest_p_holm"),
    "Correlation": cell(text.number, "correlation"),
    "Unpaired (Welch)": cell(_unpaired, "correlation", "unpaired", "unpaired_low", "unpaired_high"),
    "Interquartile mean": cell(text.with_interval, "iqm", "iqm_low", "iqm_high"),
    "Odd seeds": cell(str, "outliers"),
    "Parameters (M)": lambda row: text.number(row["weights"] / 1e6),
    "CEP": cell(text.number, "cep"),
    "Training": cell(text.duration, "seconds"),
}
"""Of the rows of :func:`benchmark.report.summary.summarise` with those of ``add_draws`` and q."""
PARAMETERS = ["Range of bins", "Std dev"]
WHERE = ["Protocol", "Preset"]
EULER = ["Yaw", "Pitch", "Roll"]
DIFFERENCE = ["Against", "Difference", "Below / within / above margin", "Verdict"]
DRAWS = ["Pool", "Coverage", "From another bin"]
STATISTICS = [
    "Pairs", "p", "Holm p", "q", "Family", "Smallest Holm p", "Correlation", "Unpaired (Welch)", "Interquartile mean",
    "Odd seeds",
]  # fmt: skip
ROTATION = ["Left", "Down", "Front", "MAEV", "Geodesic", "Geodesic median", "Aligned"]
OPTIONAL = {*PARAMETERS, *DRAWS, "Missing", "Note", "Odd seeds", "Unpaired (Welch)"}
"""Columns that are left out where no row has anything to say."""
GROUP_VIEW = ["Result", *EULER, "MAE", "Seeds", *DIFFERENCE, "Holm p", "q", *DRAWS, "Note", "Missing"]
"""The page's main table of one preset on one protocol."""
GROUP_STATISTICS = ["Result", *STATISTICS]  # its second table
GROUP_DETAILS = ["Result", *ROTATION, "Parameters (M)", "CEP", "Training"]  # its third table
TERMINAL_VIEW = ["Result", *PARAMETERS, *EULER, "MAE", "Seeds", "Difference", "Verdict", "Missing"]
"""What the terminal shows of one preset on one protocol."""
WIDE_VIEW = ["Result", *PARAMETERS, *GROUP_VIEW[1:], *GROUP_STATISTICS[1:], *GROUP_DETAILS[1:]]
"""What the terminal shows with --wide: all columns."""

NOTE = "Degrees; mean over seeds ± half-width of its 95 % Student-t interval."
COMPARISON_NOTE = (
    "Difference of MAE to the baseline over paired seeds with its 95 % Student-t interval. Below / within / above "
    "margin: probabilities, in percent, of where the true difference lies (Student-t posterior); a difference may be "
    "surely worse, and probably within the margin."
)
POOL_NOTE = (
    "Pool: images that references are drawn from, where not all are. Coverage: share of the training set drawn at all. "
    "From another bin: share of the references that their bin had too few images for."
)
STATISTICS_NOTE = (
    "p: sign-flip test, exact up to 30 pairs. Holm p: adjusted over all arms that the study plans on a protocol "
    "(family). q: Benjamini and Hochberg's, over all distinct comparisons of this report. Smallest Holm p: the least "
    "that this number of pairs can reach. Correlation of the arm's seeds and the baseline's; below 0.3 the difference "
    "over all seeds, paired or not, stands beside (Welch). Interquartile mean of the MAE with a bootstrap interval. "
    "Odd seeds: differences beyond 3 median absolute deviations."
)
VECTOR_NOTE = (
    "Left, Down, Front: angle between the predicted and the labelled axis of the head of that name; MAEV: mean of the "
    "three. Geodesic: angle of the rotation from the predicted to the labelled pose, mean over images; Geodesic "
    "median: its median. Aligned: geodesic error after the mean rotation between predicted and labelled frames is "
    "removed, which uses the test labels."
)


VIEWS = {
    "Errors": (["Result", *PARAMETERS, *WHERE, *EULER, "MAE", "Seeds", "Missing"], NOTE),
    "Difference to the baseline": (
        ["Result", *WHERE, "MAE", *DIFFERENCE, *DRAWS, "Note"],
        f"{NOTE} {COMPARISON_NOTE}",
    ),
    "Statistics": (["Result", *WHERE, *STATISTICS], STATISTICS_NOTE),
    "Vector and rotation errors": (["Result", *WHERE, *ROTATION], f"{NOTE} {VECTOR_NOTE}"),
}
"""The tables of a study in Markdown and LaTeX by heading: columns, and how to read them."""


def columns(*headings: str) -> Columns:
    """Some of ``COLUMNS``."""
    return {heading: COLUMNS[heading] for heading in headings}


def to_text(table: pd.DataFrame, of: Columns) -> pd.DataFrame:
    """A table for display."""
    rows = table.to_dict("records")
    return pd.DataFrame({heading: [shown(row) for row in rows] for heading, shown in of.items()})


def shown(text: pd.DataFrame, headings: Sequence[str]) -> pd.DataFrame:
    """Some of a study's ``COLUMNS``, all as text; those that say nothing are left out."""
    found = text[list(headings)]
    # What is the same for all is said elsewhere.
    same = [name for name in ("Preset", "Protocol", "Against") if name in found and len({*found[name]} - {""}) < 2]
    empty = [name for name in found if name in OPTIONAL and {*found[name]} <= {"", NOTHING}]
    return found.drop(columns=[*same, *empty])
