"""One look for all figures: colour-blind safe, readable in grey."""

import math
import re
import warnings
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from html import escape
from io import BytesIO, StringIO
from itertools import cycle
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import matplotlib as mpl
from cycler import cycler
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import LayoutEngine

BASELINE = "#444444"
PALETTE = ("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#fbafe4", "#949494")
"""Seaborn's colour-blind palette: C0 to C7."""
COLOURS = ("C0", "C1", "C2", "C3", "C4", "C5", "C7")  # those that can be seen on white
MARKERS = "o^DvP<X"
DASHES = ("-", "--", "-.", ":")
COLUMNS = 3  # panels in a row; with more a figure is too wide for a page
LARGER = 6  # how often a figure whose texts are too long for it is made larger by half
LEAST_PANEL = 1.0  # width and height of a panel, inches, that texts must leave room for
HOVER = "hover:"  # begins the name of an artist whose points have titles; see :func:`hover`
SETTINGS: dict[Any, Any] = {
    "figure.figsize": (6.4, 4.0),
    "figure.dpi": 110,
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.edgecolor": "#cccccc",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # no ticks are above an axis; to look for them takes a tenth of the drawing
    "grid.color": "#e6e6e6",
    "xtick.bottom": False,
    "ytick.left": False,
    "font.sans-serif": ["DejaVu Sans", "sans-serif"],  # the font that comes with matplotlib, on every machine
    "svg.hashsalt": "mhpe-bench",  # the same figure gives the same file
    "svg.fonttype": "none",
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
}


class NoDataError(Exception):
    """The store has no data for a figure; the message says which."""


class Drawing(NamedTuple):
    """A figure with its words."""

    figure: Figure  # matplotlib's
    caption: str  # how to read it
    alt: str  # alternative text


def style() -> AbstractContextManager[None]:
    """Context of the report's style."""
    return mpl.rc_context(SETTINGS)


def line_styles(arms: Sequence[str], baseline: str) -> dict[str, dict[str, Any]]:
    """Colour, dashes and marker of each arm; no two of the first 28 share both dashes and marker."""
    looks = zip(cycle(COLOURS), cycle(DASHES), cycle(MARKERS))
    names = ("color", "linestyle", "marker")
    styles = {arm: dict(zip(names, next(looks), strict=True)) for arm in arms if arm != baseline}
    return styles | {baseline: {"color": BASELINE, "linestyle": "-", "marker": "s", "linewidth": 2.2}}


def headline(figure: Figure, text: str) -> None:
    """A figure's title, at the left like those of its panels."""
    figure.suptitle(text, x=0.01, ha="left")


def panels(
    count: int, width: float = 4.8, height: float = 3.9, beside: float = 2.6, **share: Any
) -> tuple[Figure, list[Axes]]:
    """A figure of panels, at most three in a row, with room at the right for the legend; sizes in inches.

    ``share`` are the options sharex and sharey of Matplotlib's subplots.
    """
    rows = math.ceil(count / COLUMNS)
    columns = math.ceil(count / rows)
    figure = Figure(figsize=(beside + width * columns, height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **share)
    for unused in axes.flat[count:]:
        unused.remove()
    return figure, list(axes.flat[:count])


def same_span(axes: Sequence[Axes]) -> None:
    """Give panels with data around different values the same height in units, so that differences compare."""
    limits = [axis.get_ylim() for axis in axes]
    reach = max(high - low for low, high in limits) / 2
    for axis, (low, high) in zip(axes, limits, strict=True):
        axis.set_ylim((low + high) / 2 - reach, (low + high) / 2 + reach)


def named_rows(count: int, names: Sequence[str]) -> tuple[Figure, list[Axes]]:
    """A figure of panels that share their scale and a line for each name, the first name at the top."""
    figure, axes = panels(
        count, 4.2, 1.5 + 0.34 * len(names), 2.2 + 0.07 * max(map(len, names)), sharex=True, sharey=True
    )
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    return figure, axes


def in_legend(name: str) -> str:
    """A name as a legend shows it: matplotlib leaves out labels that begin with an underscore."""
    return f" {name}" if name.startswith("_") else name


def legend(figure: Figure, axes: Sequence[Axes]) -> None:
    """One legend for all panels, right of them: each label once."""
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    if handles:
        figure.legend(
            list(handles.values()), list(handles),
            alignment="left", frameon=False, fontsize="small", loc="outside right center",
        )  # fmt: skip


def watermark(figure: Figure, text: str) -> None:
    """Write across a figure that it is not what it should be."""
    if text:
        width = figure.get_size_inches()[0]
        size = min(34.0, 72 * width / (0.6 * len(text)))
        figure.text(
            0.5, 0.5, text, ha="center", va="center", fontsize=size, rotation=15, color="#b00000", alpha=0.22, zorder=9
        )


def hover(points: Artist, texts: Iterable[str]) -> None:
    """Give each point of a line of markers a title, which a browser shows under the pointer."""
    points.set_gid(HOVER + quote("\t".join(texts)))


def rendered(figure: Figure, png: bool = False) -> tuple[str, bytes]:
    """A figure as SVG text, with the titles of its points, and as PNG file; nothing for the latter unless ``png``."""
    with style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a PNG shows a box
        if (layout := figure.get_layout_engine()) is not None:
            _lay_out(figure, layout)
            figure.set_layout_engine("none")  # else each saving does it again, which takes as long as drawing
        # The canvases themselves: savefig draws every figure twice, once for a layout that is settled already.
        picture, text = BytesIO(), StringIO()
        if png:
            FigureCanvasAgg(figure).print_png(picture, metadata={"Software": None})
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None, "Creator": None})
    return _with_titles(text.getvalue()), picture.getvalue()


def _lay_out(figure: Figure, layout: LayoutEngine) -> None:
    """Lay out a figure, larger if its texts leave no room for its panels."""
    warnings.filterwarnings("error", "constrained_layout not applied")
    for _ in range(LARGER):
        width, height = figure.get_size_inches()
        with suppress(UserWarning):
            layout.execute(figure)
            places = [axes.get_position() for axes in figure.axes]
            if any(min(place.width * width, place.height * height) >= LEAST_PANEL for place in places) or not places:
                return
        figure.set_size_inches(1.5 * width, 1.5 * height)
    warnings.filterwarnings("ignore", "constrained_layout not applied")
    layout.execute(figure)


def _with_titles(svg: str) -> str:
    """The drawing with a ``title`` in each point whose artist :func:`hover` named."""
    parts = re.split(rf'<g id="{HOVER}([^"]*)">', svg)
    for i in range(1, len(parts), 2):
        first, *points = parts[i + 1].split("<use ")
        for j, title in enumerate(unquote(parts[i]).split("\t")[: len(points)]):
            points[j] = points[j].replace("/>", f"><title>{escape(title)}</title></use>", 1)
        parts[i], parts[i + 1] = "<g>", "<use ".join((first, *points))
    return "".join(parts)
