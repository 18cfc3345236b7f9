"""Differences to the baseline."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from benchmark.report.figures.drawing import Drawing, NoDataError, finished
from benchmark.report.material import Material
from benchmark.report.style import hover, named_rows
from benchmark.report.summary import INTERVAL_FROM
from benchmark.report.text import counted, difference, protocol_title, signed
from benchmark.statistics import paired_differences, seed_table

ARMS_DRAWN = 40
SEEDS_DRAWN = 20
LOOKS = {
    "better": ("C2", "v"),
    "worse": ("C3", "^"),
    "equivalent": ("C0", "s"),
    "equivalent (detectably better)": ("C0", "<"),
    "equivalent (detectably worse)": ("C0", ">"),
    "inconclusive": ("#777777", "o"),
}
"""Colour and marker of each verdict."""
PROBABLE = ("better", "equivalent", "worse")


def forest(material: Material) -> Drawing:
    """Mean difference of MAE to the baseline, its interval, the single seeds' differences and the margin."""
    rows = material.table[material.table["difference"].notna()]
    if rows.empty:
        raise NoDataError("no arm shares a seed with its baseline")
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
    said = [
        f"{row['arm']} on {protocol_title(row['protocol'])} {signed(row['difference'])} ({row['verdict']})"
        for _, row in rows.head(12).iterrows()
    ]
    return finished(
        figure,
        axes,
        f"{material.title}: difference to {baseline}",
        f"Difference to {baseline} over paired seeds, left is better. Bars are 95 % Student-t intervals "
        f"(from {INTERVAL_FROM} pairs on), open circles single seeds; at the right the "
        "number of pairs and the probabilities, in percent, that the arm is better, equivalent and worse.",
        f"Forest plot of differences in degrees: {'; '.join(said)}.",
    )


def _arm(axis: Axes, place: int, row: dict[str, Any], seeds: pd.Series) -> None:
    colour, marker = LOOKS[row["verdict"]]
    if len(seeds) <= SEEDS_DRAWN:
        (points,) = axis.plot(seeds, np.full(len(seeds), place), "o", ms=4, mfc="none", alpha=0.6, color=colour)
        hover(points, [f"{row['arm']}, seed {seed}: {signed(value)}°" for seed, value in seeds.items()])
    if row["pairs"] >= INTERVAL_FROM:
        axis.hlines(place, row["low"], row["high"], color=colour, lw=2)
    (mean,) = axis.plot(row["difference"], place, marker, ms=8, color=colour, label=row["verdict"], linestyle="none")
    said = difference(row["difference"], row["low"], row["high"])
    hover(mean, [f"{row['arm']}, {counted(int(row['pairs']), 'pair')}: {said}°, {row['verdict']}"])
    axis.text(1.01, place, _beside(row), transform=axis.get_yaxis_transform(), va="center", fontsize=7)


def _beside(row: dict[str, Any]) -> str:
    """Number of pairs, and the probabilities that the arm is better, equivalent and worse."""
    if pd.isna(row["p_better"]):
        return f"n={row['pairs']:g}"
    return f"n={row['pairs']:g}: " + " / ".join(f"{100 * row[f'p_{name}']:.0f}" for name in PROBABLE) + " %"
