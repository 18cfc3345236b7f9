"""The tables of a study: the slides' columns, means over paired seeds with their uncertainty."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
from scipy import stats

from benchmark.protocols import PROTOCOLS

EULER = ("yaw", "pitch", "roll", "mae")
VECTORS = ("left", "down", "front", "maev")
SHOWN = (*EULER, *VECTORS, "geodesic_mean")
HEADINGS = {
    "arm": "Result",
    "bin_width": "Range of bins",
    "sigma": "Std dev",
    "protocol": "Protocol",
    "preset": "Preset",
    "yaw": "Yaw",
    "pitch": "Pitch",
    "roll": "Roll",
    "mae": "MAE",
    "left": "Left",
    "down": "Down",
    "front": "Front",
    "maev": "MAEV",
    "geodesic_mean": "Geodesic",
    "n": "Seeds",
    "missing": "Missing",
}


def half_width(values: pd.Series, level: float = 0.95) -> float:
    """Half the Student-t interval of the mean; not a number for fewer than two values."""
    n = values.count()
    if n < 2:
        return math.nan
    return float(stats.t.ppf((1 + level) / 2, n - 1) * values.std(ddof=1) / math.sqrt(n))


def study_table(results: pd.DataFrame) -> pd.DataFrame:
    """One row per preset, protocol and arm, in the study's order.

    Args:
        results: cells of the study, as :meth:`benchmark.store.Store.results` gives them.

    Returns:
        Columns preset, arm, bin_width, sigma, protocol; for each metric its mean over seeds and
        ``<metric>_hw``, the half-width of its 95 % interval; n, the seeds with a result; missing, what is
        not there and why.
    """
    rows = []
    for (preset, protocol, _, arm), cells in results.groupby(["preset", "protocol", "position", "arm"], sort=False):
        parameters = cells["parameters"].iloc[0]
        row: dict[str, Any] = {
            "preset": preset,
            "arm": arm,
            "bin_width": parameters.get("bin_width"),
            "sigma": parameters.get("sigma"),
            "protocol": protocol,
        }
        for metric in SHOWN:
            row[metric] = cells[metric].mean()
            row[f"{metric}_hw"] = half_width(cells[metric])
        row["n"] = int(cells["mae"].count())
        row["missing"] = _missing(cells)
        rows.append(row)
    return pd.DataFrame(rows)


def printable(table: pd.DataFrame) -> pd.DataFrame:
    """The table as people read it: mean +- half-width in degrees."""
    shown = pd.DataFrame(index=table.index)
    shown["arm"] = table["arm"]
    for parameter in ("bin_width", "sigma"):
        shown[parameter] = [f"{value:g}" if pd.notna(value) else "-" for value in table[parameter]]
    shown["protocol"] = [PROTOCOLS[name].title if name in PROTOCOLS else name for name in table["protocol"]]
    shown["preset"] = table["preset"]
    for metric in SHOWN:
        shown[metric] = [_with_error(row[metric], row[f"{metric}_hw"]) for _, row in table.iterrows()]
    shown["n"] = table["n"].astype(str)
    if table["missing"].any():
        shown["missing"] = table["missing"]
    return shown.rename(columns=HEADINGS)


def write_tables(table: pd.DataFrame, name: str, title: str, folder: Path) -> None:
    """Write a study's table as CSV (full precision), Markdown and LaTeX (booktabs)."""
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / f"{name}.csv", index=False)
    shown = printable(table)
    note = "Mean absolute errors in degrees; mean over seeds ± half of its 95 % interval."
    markdown = shown.to_markdown(index=False, disable_numparse=True)
    (folder / f"{name}.md").write_text(f"# {title}\n\n{note}\n\n{markdown}\n", encoding="utf-8")
    latex = (
        shown.map(_latex)
        .rename(columns=_latex)
        .to_latex(
            index=False,
            caption=_latex(f"{title}. {note}"),
            label=f"tab:{name}",
            column_format="l" * 5 + "r" * (len(shown.columns) - 5),
        )
    )
    (folder / f"{name}.tex").write_text(latex, encoding="utf-8")


def _missing(cells: pd.DataFrame) -> str:
    lacking = cells[cells["mae"].isna()]
    failed = lacking[lacking["status"] == "failed"]
    parts = [f"{kind} (seed {', '.join(map(str, group['seed']))})" for kind, group in failed.groupby("error_type")]
    if rest := len(lacking) - len(failed):
        parts.append(f"{rest} not run")
    return "; ".join(parts)


def _with_error(mean: float, error: float) -> str:
    if math.isnan(mean):
        return "-"
    return f"{mean:.2f}" if math.isnan(error) else f"{mean:.2f} ± {error:.2f}"


def _latex(text: str) -> str:
    for plain, escaped in (("\\", r"\textbackslash "), ("_", r"\_"), ("%", r"\%"), ("&", r"\&"), ("#", r"\#")):
        text = text.replace(plain, escaped)
    return text.replace("±", r"$\pm$")
