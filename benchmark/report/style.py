"""One look for all figures: colour-blind safe, readable in grey."""

import math
import re
import warnings
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
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
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

BASELINE = "#444444"
PALETTE = ("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#fbafe4", "#949494")
"""Seaborn's colour-blind palette: C0 to C7."""
COLOURS = ("C0", "C1", "C2", "C3", "C4", "C5", "C7")  # those that can be seen on white
MARKERS = "o^DvP<X"
DASHES = ("-", "--", "-.", ":")
COLUMNS = 3  # panels in a row; with more a figure is too wide for a page
LEFT, NARROW, BELOW, ABOVE, TITLE = 0.8, 0.35, 0.6, 0.4, 0.25
"""Room for texts around a panel and for the figure's title, inches; ``NARROW`` beside panels without ticks."""
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
    """A figure's title, at the left like those of its panels; the figure becomes wider for a long one."""
    if not figure.get_layout_engine():
        _widen(figure, 0.2 + text_width([text], "large"))
    y = None if figure.get_layout_engine() else 1 - 0.1 / figure.get_figheight()
    figure.suptitle(text, x=0.1 / figure.get_figwidth(), y=y, ha="left")


def panels(
    count: int, width: float = 4.4, height: float = 3.0, left: float = LEFT, beside: float = 0.15,
    columns: int = COLUMNS, **share: Any,
) -> tuple[Figure, list[Axes]]:  # fmt: skip
    """A figure of panels of a size in inches, with room for texts ``left`` of all and ``beside`` each.

    ``share`` are the options sharex and sharey of Matplotlib's subplots. Its own layouts take as long as drawing.
    """
    rows = math.ceil(count / columns)
    columns = math.ceil(count / rows)
    across, down = beside + (NARROW if share.get("sharey") else LEFT), BELOW + ABOVE  # from panel to panel
    size = left + columns * (width + across) - across + beside, rows * (height + down) + TITLE
    figure = Figure(figsize=size)
    axes = figure.subplots(rows, columns, squeeze=False, **share)
    ends = left / size[0], BELOW / size[1], 1 - beside / size[0], 1 - (ABOVE + TITLE) / size[1]
    figure.subplots_adjust(*ends, across / width, down / height)
    for unused in axes.flat[count:]:
        unused.remove()
    return figure, list(axes.flat[:count])


def same_span(axes: Sequence[Axes]) -> None:
    """Give panels with data around different values the same height in units, so that differences compare."""
    limits = [axis.get_ylim() for axis in axes]
    reach = max(high - low for low, high in limits) / 2
    for axis, (low, high) in zip(axes, limits, strict=True):
        axis.set_ylim((low + high) / 2 - reach, (low + high) / 2 + reach)


def named_rows(count: int, names: Sequence[str], beside: float, sharex: bool) -> tuple[Figure, list[Axes]]:
    """A figure of panels that share a line for each name, the first name at the top, and perhaps their scale."""
    size = 2.8, max(1.5, 0.34 * len(names))
    figure, axes = panels(count, *size, 0.2 + text_width(names, "medium"), beside, sharex=sharex, sharey=True)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    return figure, axes


def text_width(texts: Iterable[str], size: str) -> float:
    """Of the longest text, inches."""
    font = FontProperties(size=size)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")
        return max(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0] for text in texts) / 72


def _widen(figure: Figure, width: float) -> None:
    """Make a figure at least so wide, inches; its panels stay where they are."""
    grid, before = figure.subplotpars, figure.get_figwidth()
    if width > before:
        figure.subplots_adjust(left=grid.left * before / width, right=grid.right * before / width)
        figure.set_figwidth(width)


def in_legend(name: str) -> str:
    """A name as a legend shows it: matplotlib leaves out labels that begin with an underscore."""
    return f" {name}" if name.startswith("_") else name


def legend(figure: Figure, axes: Sequence[Axes]) -> None:
    """One legend for all panels, right of them, for which the figure becomes wider: each label once."""
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    if handles:
        width = figure.get_figwidth()
        wider = width + 0.6 + text_width(handles, "small")
        _widen(figure, wider)
        figure.legend(
            list(handles.values()), list(handles),
            alignment="left", frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(width / wider, 0.5),
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
        if layout := figure.get_layout_engine():
            layout.execute(figure)
            figure.set_layout_engine("none")  # else each saving does it again, which takes as long as drawing
        # The canvases themselves: savefig draws every figure twice, once for a layout that is settled already.
        picture, text = BytesIO(), StringIO()
        if png:
            FigureCanvasAgg(figure).print_png(picture, metadata={"Software": None})
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None, "Creator": None})
    return _with_titles(text.getvalue()), picture.getvalue()


def _with_titles(svg: str) -> str:
    """The drawing with a ``title`` in each point whose artist :func:`hover` named."""
    parts = re.split(rf'<g id="{HOVER}([^"]*)">', svg)
    for i in range(1, len(parts), 2):
        first, *points = parts[i + 1].split("<use ")
        for j, title in enumerate(unquote(parts[i]).split("\t")[: len(points)]):
            points[j] = points[j].replace("/>", f"><title>{escape(title)}</title></use>", 1)
        parts[i], parts[i + 1] = "<g>", "<use ".join((first, *points))
    return "".join(parts)
