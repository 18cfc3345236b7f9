"""Tables of the page: cells with links to the trials they come from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from benchmark.report.page.trials import Group
from benchmark.report.views import Column, as_text, without_constants
from benchmark.report.writers import is_number


@dataclass(frozen=True)
class PageTable:
    """A table that the page can sort."""

    caption: str  # what it shows
    headings: list[str]  # of its columns
    numeric: list[bool]  # whether each column holds numbers
    rows: list[list[str]]  # cells of text
    links: list[str]  # of each row, the address of the trials behind it, or nothing
    marked: list[str]  # of each row, a word for its look, such as "better"


def page_table(text: pd.DataFrame, caption: str) -> PageTable:
    """A table of text; a column that says the same in every row is part of the caption instead."""
    text, said = without_constants(text)
    caption = f"{caption.rstrip('.')}. {said}" if said else caption
    nothing = [""] * len(text)
    numeric = [is_number(text[column]) for column in text]
    return PageTable(caption, list(text.columns), numeric, text.to_numpy().tolist(), nothing, nothing)


def group_table(rows: pd.DataFrame, columns: Sequence[Column], caption: str, groups: dict[Group, int]) -> PageTable:
    """A view of the arms of one preset on one protocol; each row leads to its trials.

    Args:
        rows: of :func:`benchmark.report.summary.summarise`, with column ``study``.
        columns: of the view.
        caption: what it shows.
        groups: numbers of the groups of trials.
    """
    keys = zip(rows["study"], rows["preset"], rows["protocol"], rows["arm"], strict=True)
    links = [f"#trials-{groups[key]}" for key in keys]
    marked = [str(verdict).split(" (")[0] for verdict in rows["verdict"]]
    return replace(page_table(as_text(rows, columns), caption), links=links, marked=marked)
