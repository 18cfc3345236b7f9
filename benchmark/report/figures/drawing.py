"""What a figure is, and why one may be missing."""

from dataclasses import dataclass

from matplotlib.figure import Figure

from benchmark.report.images import ARMS_SHOWN
from benchmark.report.material import Material


class NoDataError(Exception):
    """The store has no data for a figure; the message says which."""


@dataclass(frozen=True)
class Drawing:
    """A figure with its words."""

    figure: Figure  # matplotlib's
    caption: str  # how to read it
    alt: str  # alternative text


def shown_note(count: int) -> str:
    """For a caption: which of ``count`` arms are shown if not all."""
    return f" Shown are {ARMS_SHOWN} of {count:,} arms." if count > ARMS_SHOWN else ""


def need_several_rules(material: Material) -> None:
    """Raise :class:`NoDataError` if there is nothing to compare: all arms have the same sampler."""
    if len(material.table[["sampler", "parameters"]].astype(str).drop_duplicates()) < 2:
        raise NoDataError("all arms draw by the same rule")
