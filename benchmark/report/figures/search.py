"""Figures of a search."""

import itertools
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from benchmark.report.figures.drawing import Drawing
from benchmark.report.figures.parameters import PARAMETERS
from benchmark.report.search import METRICS, SearchReport
from benchmark.report.style import headline, panels, style, watermark

DRAWN_FROM = 4  # fewest finished points for figures
TITLES = {"history": "History of the search", "slice": "Points by parameter", "landscape": "Landscape of the search"}


def draw_search(search: SearchReport) -> dict[str, tuple[str, Drawing]]:
    """Figures by kind (history, slice, landscape), each with its title; none for fewer than four finished points.

    ``optuna-dashboard`` shows more of the same database, such as the importance of the parameters.
    """
    points = search.points[search.points["status"] == "done"]
    if len(points) < DRAWN_FROM:
        return {}
    stored = search.stored
    space: dict[str, dict[str, Any]] = stored.definition["space"]
    value = f"{METRICS[stored.definition['search']['objective']]} on the validation part in degrees"
    with style():
        drawings = {"history": _history(points, value), "slice": _slice(points, space, value)}
        if len(space) > 1:
            drawings["landscape"] = _landscape(points, space, value)
        found = {}
        for kind, drawing in drawings.items():
            title = f"{TITLES[kind]}: {stored.definition['sampler']} on {stored.definition['train_set']}"
            headline(drawing.figure, title)
            if (ended := sum(point.ended for point in stored.points)) < stored.total:
                watermark(drawing.figure, f"incomplete: {ended:,} of {stored.total:,} points")
            found[kind] = title, drawing
    return found


def _history(points: pd.DataFrame, value: str) -> Drawing:
    figure, (axis,) = panels(1, beside=0)
    axis.plot(points["number"], points["value"], "o")
    axis.plot(points["number"], np.minimum.accumulate(points["value"]), drawstyle="steps-post")
    axis.set(xlabel="point", ylabel=value)
    caption = "Every finished point in the order of the search; the line is the best value so far."
    return Drawing(figure, caption, "Scatter plot of the points' values; the numbers are in the table of points.")


def _slice(points: pd.DataFrame, space: dict[str, dict[str, Any]], value: str) -> Drawing:
    figure, axes = panels(len(space), beside=0, sharey=True)
    for axis, name in zip(axes, space, strict=True):
        axis.scatter(_values(points, name), points["value"], c=points["number"], cmap="viridis_r")
        _scale(axis, "x", name, space)
    axes[0].set_ylabel(value)
    caption = "Every finished point against each parameter; darker points came later."
    return Drawing(figure, caption, "Scatter plots of value against parameter; the numbers are in the table of points.")


def _landscape(points: pd.DataFrame, space: dict[str, dict[str, Any]], value: str) -> Drawing:
    pairs = list(itertools.combinations(space, 2))
    figure, axes = panels(len(pairs), beside=1.2)
    for axis, (x, y) in zip(axes, pairs, strict=True):
        shown = axis.scatter(_values(points, x), _values(points, y), c=points["value"], cmap="cividis", s=60)
        _scale(axis, "x", x, space)
        _scale(axis, "y", y, space)
    figure.colorbar(shown, ax=axes, label=value)
    caption = (
        "The finished points; darker is better. Where seeds differ as much as points do, hills and valleys may be "
        "chance."
    )
    return Drawing(figure, caption, "Scatter plots of two parameters; the numbers are in the table of points.")


def _values(points: pd.DataFrame, name: str) -> pd.Series:
    """Values of a parameter; words and truth values as categories."""
    values = points[name]
    return values if pd.api.types.is_any_real_numeric_dtype(values) else values.astype(str)


def _scale(axis: Axes, which: Literal["x", "y"], name: str, space: dict[str, dict[str, Any]]) -> None:
    """Name an axis after its parameter, and make it logarithmic, with plain numbers, where the search is."""
    axis.set(**{f"{which}label": PARAMETERS.get(name, name)})
    if space[name].get("log"):
        axis.set(**{f"{which}scale": "log"})
        ticks = axis.xaxis if which == "x" else axis.yaxis
        ticks.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ticks.set_major_formatter("{x:g}")
        ticks.set_minor_locator(NullLocator())
