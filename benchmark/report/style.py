"""One look for all figures: colour-blind safe, readable in grey."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

BASELINE = "#444444"


@contextmanager
def style() -> Iterator[None]:
    """Context of the report's style, drawing without a screen."""
    settings: dict[Any, Any] = {
        "figure.figsize": (6.4, 4.0),
        "figure.dpi": 110,
        "savefig.bbox": "tight",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "svg.hashsalt": "mhpe-bench",  # the same figure gives the same file
        "svg.fonttype": "none",
    }
    with (
        sns.axes_style("whitegrid", {"grid.color": "#e6e6e6"}),
        sns.color_palette("colorblind"),
        mpl.rc_context(settings),
    ):
        yield


def save(figure: Figure, name: str, folder: Path) -> None:
    """Write a figure as PNG and SVG and close it."""
    folder.mkdir(parents=True, exist_ok=True)
    with style():
        figure.savefig(folder / f"{name}.png", metadata={"Software": None})
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)
