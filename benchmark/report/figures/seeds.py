"""Differences to the baseline, and each seed's MAE."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from benchmark.report.study_report import Material
from benchmark.report.style import BASELINE, Drawing, NoDataError, hover, named_rows
from benchmark.report.summary import INTERVAL_FROM
from benchmark.report.text import NOTHING, chances, difference, protocol_title, signed
from benchmark.statistics import paired_differences, seed_table
from benchmark.study.names import counted

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


def forest(material: Material) -> Drawing:
    """Mean difference of MAE to the baseline, its interval, the single seeds' differences and the margin."""
    rows = material.table[material.table["difference"].notna()]
    if rows.empty:
        raise NoDataError("no arm shares a seed with its baseline")
    baselines = rows["baseline"].unique()
    baseline = baselines[0] if len(baselines) == 1 else "its baseline"
    protocols = list(dict.fromkeys(rows["protocol"]))
    arms = list(dict.fromkeys(rows["arm"]))[:ARMS_DRAWN]
    figure, axes = named_rows(len(protocols), arms, 1.4, sharex=True)
    for axis, protocol in zip(axes, protocols, strict=True):
        margin = f"margin of equivalence, ± {material.margin:g}°"
        axis.axvspan(-material.margin, material.margin, color="#999999", alpha=0.2, lw=0, label=margin)
        axis.axvline(0, color="#444444", lw=1)
        seeds = seed_table(material.cells[material.cells["protocol"] == protocol])
        differences = paired_differences(seeds, material.baselines)
        for row in rows[rows["protocol"] == protocol].to_dict("records"):
            if row["arm"] in arms:
                _arm(axis, arms.index(row["arm"]), row, differences[row["arm"]].dropna())
        axis.set(title=protocol_title(protocol), xlabel="difference of MAE in degrees")
        axis.grid(visible=False, axis="y")
    said = [
        f"{row['arm']} on {protocol_title(row['protocol'])} {signed(row['difference'])} ({row['verdict']})"
        for _, row in rows.head(12).iterrows()
    ]
    return Drawing(
        figure,
        f"Difference to {baseline} over paired seeds, left is better. Bars are 95 % Student-t intervals "
        f"(from {INTERVAL_FROM} pairs on), open circles single seeds; at the right the "
        "number of pairs and the probabilities, in percent, that the difference is below, within and above the margin.",
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
    probable = chances(row["p_better"], row["p_equivalent"], row["p_worse"])
    beside = f"n={row['pairs']:g}" + ("" if probable == NOTHING else f": {probable} %")
    axis.text(1.01, place, beside, transform=axis.get_yaxis_transform(), va="center", fontsize=7)


SEEDS_NAMED = 10  # seeds up to which each has a line in the legend
CORRELATED_FROM = 4  # seeds from which a correlation is written


def paired_seeds(material: Material) -> Drawing:
    """One line a seed through all arms, and how much each arm goes along with its baseline."""
    if material.cells.dropna(subset=["mae"])["seed"].nunique() < 2:
        raise NoDataError("fewer than two seeds have a result")
    arms = list(dict.fromkeys(material.table.loc[material.table["mae"].notna(), "arm"]))[:ARMS_DRAWN]
    figure, axes = named_rows(len(material.protocols), arms, 0.6, sharex=False)
    for axis, protocol in zip(axes, material.protocols, strict=True):
        seeds = seed_table(material.cells[material.cells["protocol"] == protocol])
        shown = seeds.reindex(columns=arms).head(SEEDS_DRAWN)
        colours = mpl.colormaps["viridis"](np.linspace(0, 0.9, len(shown)))
        for (seed, values), colour in zip(shown.iterrows(), colours, strict=True):
            name = f"seed {seed}" if len(shown) <= SEEDS_NAMED else "_"  # which a legend leaves out
            (line,) = axis.plot(values, range(len(arms)), "-o", ms=3.5, lw=1, color=colour, mfc="white", label=name)
            hover(line, [f"{arm}, seed {seed}: {value:.2f}°" for arm, value in values.dropna().items()])
        axis.plot(seeds.reindex(columns=arms).mean(), range(len(arms)), "D", ms=6, color=BASELINE, label="mean")
        for row in material.arms(protocol).query("arm in @arms and pairs >= @CORRELATED_FROM").to_dict("records"):
            said = f"r={row['correlation']:.1f}".replace("-", "−")
            place = arms.index(row["arm"])
            axis.text(1.01, place, said, transform=axis.get_yaxis_transform(), va="center", fontsize=7)
        axis.set(title=protocol_title(protocol), xlabel="MAE in degrees")
    return Drawing(
        figure,
        "Each line is one seed through all arms: same initial weights, data order and augmentation "
        f"(at most {SEEDS_DRAWN} are drawn; the means are over all). At the right r, "
        f"the correlation of an arm's seeds with its baseline's (from {CORRELATED_FROM} seeds on): the nearer to 1, "
        "the more does pairing remove; near 0 or below it removes nothing.",
        f"A line for each seed across {len(arms)} arms, MAE on the horizontal axis.",
    )
