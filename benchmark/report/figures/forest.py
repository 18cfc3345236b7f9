"""Differences to the baseline with their intervals."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from benchmark.report.figures.drawing import INTERVAL_FROM, Drawing, LackingError
from benchmark.report.labels import protocol_title
from benchmark.report.material import Material
from benchmark.report.style import headline, legend, named_rows
from benchmark.report.text import signed
from benchmark.statistics import paired_differences, seed_table

ARMS_DRAWN = 40
SEEDS_DRAWN = 20
LOOKS = {
    "better": ("C2", "v"),
    "worse": ("C3", "^"),
    "equivalent": ("C0", "s"),
    "inconclusive": ("#777777", "o"),
}
"""Colour and marker of each verdict."""


def draw(material: Material) -> Drawing:
    """Mean difference of MAE to the baseline, its interval, the single seeds' differences and the margin."""
    rows = material.table[material.table["difference"].notna()]
    if rows.empty:
        raise LackingError("no arm shares a seed with its baseline")
    baselines = rows["baseline"].unique()
    baseline = baselines[0] if len(baselines) == 1 else "its baseline"
    protocols = list(dict.fromkeys(rows["protocol"]))
    arms = list(dict.fromkeys(rows["arm"]))[:ARMS_DRAWN]
    figure, axes = named_rows(len(protocols), arms)
    for axis, protocol in zip(axes, protocols, strict=True):
        margin = f"margin of equivalence, ± {material.margin:g}°"
        axis.axvspan(-material.margin, material.margin, color="#999999", alpha=0.2, lw=0, label=margin)
        axis.axvline(0, color="#444444", lw=1)
        seeds = seed_table(material.cells[material.cells["protocol"] == protocol])
        differences = paired_differences(seeds, material.baselines)
        for row in rows[rows["protocol"] == protocol].to_dict("records"):
            if row["arm"] in arms:
                _arm(axis, arms.index(row["arm"]), row, differences[row["arm"]].dropna())
        axis.set(title=protocol_title(protocol), xlabel=f"MAE minus that of {baseline}, degrees")
        axis.grid(visible=False, axis="y")
    legend(figure, axes)
    headline(figure, f"{material.title}: difference to {baseline}")
    said = [
        f"{row['arm']} on {protocol_title(row['protocol'])} {signed(row['difference'])} ({row['verdict']})"
        for _, row in rows.head(12).iterrows()
    ]
    return Drawing(
        figure,
        f"Difference to {baseline} over paired seeds, left is better. Bars are 95 % Student-t intervals "
        f"(from {INTERVAL_FROM} pairs on), open circles single seeds; the verdict is that of the Holm-adjusted "
        "sign-flip test and of the margin.",
        f"Forest plot of differences in degrees: {'; '.join(said)}.",
    )


def _arm(axis: Axes, place: int, row: dict[str, Any], seeds: pd.Series) -> None:
    colour, marker = LOOKS[row["verdict"]]
    if len(seeds) <= SEEDS_DRAWN:
        axis.plot(seeds, np.full(len(seeds), place), "o", ms=4, mfc="none", alpha=0.6, color=colour)
    if row["pairs"] >= INTERVAL_FROM:
        axis.hlines(place, row["low"], row["high"], color=colour, lw=2)
    axis.plot(row["difference"], place, marker, ms=8, color=colour, label=row["verdict"], linestyle="none")
    axis.text(1.01, place, f"n={row['pairs']:g}", transform=axis.get_yaxis_transform(), va="center", fontsize=7)
