"""What a figure is, and why one may be missing."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.report.images import ARMS_SHOWN
from benchmark.report.material import Material
from benchmark.report.style import headline, legend


class NoDataError(Exception):
    """The store has no data for a figure; the message says which."""


@dataclass(frozen=True)
class Drawing:
    """A figure with its words."""

    figure: Figure
    caption: str  # how to read it
    alt: str  # alternative text


def finished(figure: Figure, axes: Sequence[Axes], title: str, caption: str, alt: str, arms: int = 0) -> Drawing:
    """A drawing whose panels are complete, with a legend, a title, and a note if not all of its ``arms`` are shown."""
    legend(figure, axes)
    headline(figure, title)
    if arms > ARMS_SHOWN:
        caption += f" Shown are {ARMS_SHOWN} of {arms:,} arms."
    return Drawing(figure, caption, alt)


def need_several_rules(material: Material) -> None:
    """Raise :class:`NoDataError` if there is nothing to compare: all arms have the same sampler."""
    if len(material.table[["sampler", "parameters"]].astype(str).drop_duplicates()) < 2:
        raise NoDataError("all arms draw by the same rule")
