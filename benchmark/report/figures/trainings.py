"""Figures of the trainings: what the samplers drew, the error against it, and the losses."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from benchmark.report.images import first_arms, shown_note
from benchmark.report.study_report import Material
from benchmark.report.style import BASELINE, Drawing, NoDataError, in_legend, line_styles, panels, same_span
from benchmark.report.summary import INTERVAL_FROM
from benchmark.report.text import protocol_title
from benchmark.study.protocols import described
from mhpe.names import title as set_title


def _need_several_rules(material: Material) -> None:
    """Raise :class:`NoDataError` if there is nothing to compare: all arms have the same sampler."""
    if len(material.table[["sampler", "parameters"]].astype(str).drop_duplicates()) < 2:
        raise NoDataError("all arms draw by the same rule")


def distances(material: Material) -> Drawing:
    """Shares of the references in bars of geodesic distance to their input, as counted in the trainings."""
    found: dict[str, dict[str, Any]] = {}
    for row in material.draws.dropna(subset=["shares"]).to_dict("records"):
        found.setdefault(row["train_set"], {})[row["arm"]] = row["shares"]
    if not found:
        raise NoDataError("no trial stores the diagnostics of its draws")
    _need_several_rules(material)
    figure, axes = panels(len(found), sharex=True, sharey=True)
    for axis, (train_set, shares) in zip(axes, found.items(), strict=True):
        arms = first_arms(list(shares), material.baseline)
        styles = line_styles(arms, material.baseline)
        for arm in arms:
            edges = np.linspace(0, 180, len(shares[arm]) + 1)
            if arm == material.baseline:
                axis.stairs(100 * shares[arm], edges, color=BASELINE, alpha=0.25, fill=True, label=in_legend(arm))
                continue
            middles = (edges[:-1] + edges[1:]) / 2
            axis.plot(middles, 100 * shares[arm], ms=4, markevery=2, label=in_legend(arm), **styles[arm])
        axis.set(title=f"trained on {set_title(train_set)}", xlim=(0, 180))
        axis.set(xlabel="geodesic distance of input and reference, degrees", xticks=range(0, 181, 30))
        axis.set_ylabel(f"references in bars of {180 / len(next(iter(shares.values()))):g}°, %")
    axes[0].set_ylim(bottom=0)  # of all panels, once all of them are drawn
    return Drawing(
        figure,
        "Geodesic distance between inputs and the references that were drawn for them, counted during the trainings; "
        "mean over seeds. The grey area is the baseline." + shown_note(max(len(shares) for shares in found.values())),
        "Distributions of the distance between input and reference, a line for each arm, the baseline as an area.",
    )


COLUMNS = {
    "images_per_input": "distinct images encoded for an input",
    "distance": "mean distance of input and reference, degrees",
}


def error_against_draws(material: Material) -> Drawing:
    """MAE against the number of distinct images and against the references' distance, a point for each arm."""
    protocols = [protocol for protocol in material.protocols if len(_draws(material, protocol))]
    if not protocols:
        raise NoDataError("no trial stores the diagnostics of its draws")
    _need_several_rules(material)
    figure, axes = panels(len(protocols) * len(COLUMNS), columns=len(COLUMNS), sharex="col", sharey="row")
    for i, protocol in enumerate(protocols):
        row = axes[i * len(COLUMNS) : (i + 1) * len(COLUMNS)]
        rows = material.arms(protocol).merge(_draws(material, protocol), on="arm")
        for axis, (column, words) in zip(row, COLUMNS.items(), strict=True):
            _points(axis, rows, column, material.baseline)
            axis.set_xlabel(words)
            axis.tick_params(labelbottom=True)
        row[0].set(title=protocol_title(protocol), ylabel="MAE in degrees")
    same_span(axes[:: len(COLUMNS)])
    return Drawing(
        figure,
        f"Each arm's MAE, with its 95 % Student-t interval from {INTERVAL_FROM} seeds on: left against the distinct "
        "images that a step encodes for an input (with fewer there is less to learn from), right against the mean "
        "geodesic distance of its references. An observation, no experiment: in many samplers the two go together."
        + shown_note(material.table["arm"].nunique()),
        "Scatter plots of the MAE against distinct images and against distance, a point for each arm.",
    )


def _draws(material: Material, protocol: str) -> pd.DataFrame:
    known, draws = described(protocol), material.draws
    return draws if known is None else draws[draws["train_set"] == known.train]


def _points(axis: Axes, rows: pd.DataFrame, column: str, baseline: str) -> None:
    arms = first_arms(rows["arm"].tolist(), baseline)
    styles = line_styles(arms, baseline)
    taken: set[tuple[str, str]] = set()
    for row in rows[rows["arm"].isin(arms)].to_dict("records"):
        x, mae, label = row[column], row["mae"], in_legend(row["arm"])
        colour, marker = styles[row["arm"]]["color"], styles[row["arm"]]["marker"]
        face = "white" if (colour, marker) in taken else colour  # dashes tell lines apart only
        taken.add((colour, marker))
        axis.plot(x, mae, marker, color=colour, mfc=face, ms=7, label=label)
        if row["n"] >= INTERVAL_FROM:
            axis.vlines(x, mae - row["mae_hw"], mae + row["mae_hw"], color=colour, lw=1, zorder=1)


WIDE = 30  # ratio of the largest loss to the smallest from which the axis is logarithmic


def losses(material: Material) -> Drawing:
    """Total loss over the epochs, mean over seeds."""
    shown = first_arms(list(dict.fromkeys(material.table["arm"])), material.baseline)
    found = material.store.losses(material.study, material.preset, shown)
    if found.empty:
        raise NoDataError("no trial stores the history of its training")
    if found["epoch"].nunique() < 2:
        raise NoDataError("a training of one epoch has no curve")
    train_sets = list(dict.fromkeys(found["train_set"]))
    figure, axes = panels(len(train_sets), sharey=True)
    for axis, train_set in zip(axes, train_sets, strict=True):
        of_set = found[found["train_set"] == train_set]
        arms = list(dict.fromkeys(of_set["arm"]))
        styles = line_styles(arms, material.baseline)
        for arm in arms:
            of_arm = of_set[of_set["arm"] == arm]
            every = 1 + len(of_arm) // 20
            axis.plot(of_arm["epoch"] + 1, of_arm["loss"], ms=4, markevery=every, label=in_legend(arm), **styles[arm])
        axis.set(title=f"trained on {set_title(train_set)}", xlabel="epoch", ylabel="total loss")
        if (of_set["loss"] > 0).all() and of_set["loss"].max() > WIDE * of_set["loss"].min():
            axis.set_yscale("log")
            axis.yaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    return Drawing(
        figure,
        "Total training loss of each epoch, mean over seeds. Losses of different samplers are not comparable as "
        "results: their references differ, and so does what the distance loss measures. Different "
        "heads have different losses." + shown_note(material.table["arm"].nunique()),
        "Training loss by epoch, a line for each arm.",
    )
