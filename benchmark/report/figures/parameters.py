"""MAE against the parameters that the arms vary."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from benchmark.report.study_report import Material
from benchmark.report.style import (
    BASELINE,
    Drawing,
    NoDataError,
    hover,
    in_legend,
    line_styles,
    panels,
    same_span,
    text_width,
)
from benchmark.report.summary import INTERVAL_FROM
from benchmark.report.text import protocol_title

PARAMETERS = {"sigma": "standard deviation in degrees", "bin_width": "range of a bin in degrees"}
SEEDS_DRAWN = 20  # most seeds drawn one by one
TICKS_NAMED = 12  # most values that are all named on the axis


def against_parameter(material: Material) -> Drawing:
    """Seeds, mean and interval of each arm against sigma or bin width, beside the baseline's mean."""
    arms = material.table[(material.table["arm"] != material.baseline) & material.table["mae"].notna()]
    parameter = next((name for name in PARAMETERS if list(_series(arms, name))), None)
    if parameter is None:
        raise NoDataError("no sampler with two results varies sigma or the bin width")
    shown = {arm for _, points in _series(arms, parameter) for arm in points["arm"]}
    others = [arm for arm in dict.fromkeys(arms["arm"]) if arm not in shown]
    figure, axes = panels(len(material.protocols))
    for axis, protocol in zip(axes, material.protocols, strict=True):
        rows = material.arms(protocol)
        for mae in rows.loc[rows["arm"] == material.baseline, "mae"]:
            axis.axhline(mae, color=BASELINE, linestyle="--", label=in_legend(f"{material.baseline} (baseline), mean"))
        of_protocol = arms[arms["protocol"] == protocol]
        series = list(_series(of_protocol, parameter))
        styles = line_styles([label for label, _ in series], "")
        cells = material.cells[material.cells["protocol"] == protocol]
        for offset, (label, points) in zip(_offsets(series, parameter), series, strict=True):
            name = in_legend(label) if len(series) > 1 else "mean over seeds"
            moved = points.assign(**{parameter: points[parameter] + offset})
            _points(axis, name, moved, cells, parameter, styles[label])
        axis.set(title=protocol_title(protocol), xlabel=PARAMETERS[parameter], ylabel="MAE in degrees")
        ticks = sorted(of_protocol[parameter].dropna().unique())
        if len(ticks) <= TICKS_NAMED and min(np.diff(ticks), default=0) > np.ptp(ticks) / (2 * TICKS_NAMED):
            axis.set_xticks(ticks, [f"{value:.4g}" for value in ticks])
        axis.margins(y=0.15)
    same_span(axes)
    return Drawing(
        figure,
        f"MAE against the {PARAMETERS[parameter].removesuffix(' in degrees')}. Open circles are single seeds, bars "
        f"95 % Student-t intervals (from {INTERVAL_FROM} seeds on); the dashed line is the baseline's mean."
        + (f" Not shown, as they do not vary it: {', '.join(others)}." if others else ""),
        f"Line chart of MAE against the {PARAMETERS[parameter]}, one point per arm, beside the baseline "
        f"{material.baseline}; the values are in the table of this study.",
    )


def _offsets(series: list[tuple[str, pd.DataFrame]], parameter: str) -> list[float]:
    """Horizontal offset of each line, so that intervals at the same value do not overlap."""
    values = sorted({value for _, points in series for value in points[parameter]})
    step = min((b - a for a, b in itertools.pairwise(values)), default=0.0) / 12
    return [step * (i - (len(series) - 1) / 2) for i in range(len(series))]


def _series(arms: pd.DataFrame, parameter: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Label and points of every line: arms of one sampler that differ in this parameter alone."""
    rest = [
        (sampler, tuple((name, value) for name, value in sorted(values.items()) if name != parameter))
        for sampler, values in zip(arms["sampler"], arms["parameters"], strict=True)
    ]
    lines = {}
    for key, points in arms.groupby(pd.Series(rest, arms.index, dtype=object), sort=False):
        by_arm = points.drop_duplicates("arm")
        # Arms with the same value differ in their core; a line would zigzag between them.
        if len(by_arm) > 1 and by_arm[parameter].notna().all() and by_arm[parameter].is_unique:
            lines[key] = points.sort_values(parameter)
    shared = set.intersection(*(set(values) for _, values in lines)) if lines else set()
    for (sampler, values), points in lines.items():
        own = ", ".join(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
                        for name, value in values if (name, value) not in shared)  # fmt: skip
        yield f"{sampler}, {own}" if own else str(sampler), points


def _points(
    axis: Axes, label: str, points: pd.DataFrame, cells: pd.DataFrame, parameter: str, look: dict[str, Any]
) -> None:
    seeds = cells.merge(points[["arm", parameter]], on="arm").dropna(subset=["mae"])
    colour = look["color"]
    if seeds["seed"].nunique() <= SEEDS_DRAWN:
        (single,) = axis.plot(
            seeds[parameter], seeds["mae"], "o", ms=4, mfc="none", alpha=0.7, color=colour, label="single seeds"
        )
        hover(single, [f"{row['arm']}, seed {row['seed']}: {row['mae']:.2f}°" for row in seeds.to_dict("records")])
    if points["n"].max() < 2:
        look = look | {"linestyle": "none"}  # one seed makes no line
    axis.plot(points[parameter], points["mae"], **look, label=label)
    sure = points[points["n"] >= INTERVAL_FROM]
    if len(sure):
        axis.errorbar(
            sure[parameter], sure["mae"], sure["mae_hw"], fmt="none", ecolor=colour, capsize=3, label="95 % interval"
        )


def heat_map(material: Material) -> Drawing:
    """Mean MAE of each sampler that varies both sigma and bin width; darker is better."""
    arms = material.table[material.table["mae"].notna()]
    grids = {
        (str(protocol), sampler): rows
        for (protocol, sampler), rows in arms.groupby(["protocol", "sampler"], sort=False)
        if rows["sigma"].nunique() > 1 and rows["bin_width"].nunique() > 1
    }
    if not grids:
        raise NoDataError("no sampler varies both sigma and the bin width")
    sizes = [(rows["sigma"].nunique(), rows["bin_width"].nunique()) for rows in grids.values()]
    width, height = max(s for s, _ in sizes), max(b for _, b in sizes)
    titles = [f"{sampler}: {protocol_title(protocol)}" for protocol, sampler in grids]
    figure, axes = panels(len(grids), max(0.65 * width, text_width(titles, "medium")), 0.8 + 0.45 * height)
    for axis, title, rows in zip(axes, titles, grids.values(), strict=True):
        _map(axis, rows)
        axis.set_title(title, fontsize="medium")
    return Drawing(
        figure,
        "Mean MAE in degrees by standard deviation and range of bins; darker is better. Empty fields have no result. "
        "Neighbouring values differ by chance, too: see the intervals in the table.",
        "Heat map of MAE by standard deviation and range of bins; the values are in the table of this study.",
    )


def _map(axis: Axes, rows: pd.DataFrame) -> None:
    table = rows.pivot_table(index="bin_width", columns="sigma", values="mae").sort_index(ascending=False)
    values = table.to_numpy()
    axis.imshow(values, cmap="cividis", aspect="auto")
    middle = (np.nanmin(values) + np.nanmax(values)) / 2
    for (y, x), value in np.ndenumerate(values):
        if not np.isnan(value):
            colour = "white" if value <= middle else "black"
            axis.text(x, y, f"{value:.2f}", ha="center", va="center", color=colour)
    axis.set_xticks(range(values.shape[1]), [f"{value:.4g}" for value in table.columns])
    axis.set_yticks(range(values.shape[0]), [f"{value:.4g}" for value in table.index])
    axis.set(xlabel="standard deviation in degrees", ylabel="range of a bin in degrees")
    axis.grid(visible=False)
    y, x = np.unravel_index(np.nanargmin(values), values.shape)
    axis.add_patch(Rectangle((x - 0.46, y - 0.46), 0.92, 0.92, fill=False, ec="white", lw=1.5))
