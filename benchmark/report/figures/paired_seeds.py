"""Each seed's MAE through the arms."""

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from benchmark.report.figures.drawing import Drawing, LackingError
from benchmark.report.labels import protocol_title
from benchmark.report.material import Material
from benchmark.report.style import BASELINE, headline, legend, named_rows
from benchmark.statistics import seed_table

ARMS_DRAWN = 30
SEEDS_DRAWN = 20
SEEDS_NAMED = 10
"""Seeds up to which each has a line in the legend."""
CORRELATED_FROM = 4
"""Seeds from which a correlation is written."""


def draw(material: Material) -> Drawing:
    """One line a seed through all arms, and how much each arm goes along with its baseline."""
    if material.cells.dropna(subset=["mae"])["seed"].nunique() < 2:
        raise LackingError("fewer than two seeds have a result")
    arms = list(dict.fromkeys(material.table.loc[material.table["mae"].notna(), "arm"]))[:ARMS_DRAWN]
    figure, axes = named_rows(len(material.protocols), arms)
    for axis, protocol in zip(axes, material.protocols, strict=True):
        seeds = seed_table(material.cells[material.cells["protocol"] == protocol])
        shown = seeds.reindex(columns=arms).head(SEEDS_DRAWN)
        for (seed, values), colour in zip(shown.iterrows(), sns.color_palette("viridis", len(shown)), strict=True):
            name = f"seed {seed}" if len(shown) <= SEEDS_NAMED else "_"  # which a legend leaves out
            axis.plot(values, range(len(arms)), "-o", ms=3.5, lw=1, color=colour, mfc="white", label=name)
        axis.plot(seeds.reindex(columns=arms).mean(), range(len(arms)), "D", ms=6, color=BASELINE, label="mean")
        _correlations(axis, seeds, arms, material)
        axis.set(title=protocol_title(protocol), xlabel="MAE in degrees")
    legend(figure, axes)
    headline(figure, f"{material.title}: paired seeds")
    return Drawing(
        figure,
        "Each line is one seed through all arms: same initial weights, data order and augmentation "
        f"(at most {SEEDS_DRAWN} are drawn; the means are over all). At the right r, "
        f"the correlation of an arm's seeds with its baseline's (from {CORRELATED_FROM} seeds on): the nearer to 1, "
        "the more does pairing remove; near 0 or below it removes nothing.",
        f"A line for each seed across {len(arms)} arms, MAE on the horizontal axis.",
    )


def _correlations(axis: Axes, seeds: pd.DataFrame, arms: list[str], material: Material) -> None:
    for place, arm in enumerate(arms):
        own = material.baselines.get(arm, arm)
        if own == arm or own not in seeds or arm not in seeds:
            continue
        pairs = seeds[[arm, own]].dropna()
        if len(pairs) >= CORRELATED_FROM:
            text = f"r={pairs[arm].corr(pairs[own]):.1f}".replace("-", "−")
            axis.text(1.01, place, text, transform=axis.get_yaxis_transform(), va="center", fontsize=7)
