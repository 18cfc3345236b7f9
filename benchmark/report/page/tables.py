"""Tables of the page: cells with links to the trials they come from."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from benchmark.report.page.trials import Group
from benchmark.report.views import Column, as_text
from benchmark.report.writers import is_number


@dataclass(frozen=True)
class PageTable:
    """A table that the page can sort.

    Attributes:
        caption: what it shows.
        headings: of its columns.
        numeric: whether each column holds numbers.
        rows: cells of text.
        links: of each row, the address of the trials behind it, or nothing.
        link_column: number of the column whose cells carry the links; -1 for none.
        marked: of each row, a word for its look: "baseline", "better", ...
    """

    caption: str
    headings: list[str]
    numeric: list[bool]
    rows: list[list[str]]
    links: list[str]
    link_column: int
    marked: list[str]


def page_table(text: pd.DataFrame, caption: str) -> PageTable:
    """A table of text."""
    nothing = [""] * len(text)
    return PageTable(
        caption, list(text.columns), [is_number(text[c]) for c in text], text.to_numpy().tolist(), nothing, -1, nothing
    )


def group_table(rows: pd.DataFrame, columns: Sequence[Column], caption: str, groups: dict[Group, int]) -> PageTable:
    """A view of the arms of one preset on one protocol; each row leads to its trials.

    Args:
        rows: of :func:`benchmark.report.summary.summarise`, with column ``study``.
        columns: of the view.
        caption: what it shows.
        groups: numbers of the groups of trials.
    """
    text = as_text(rows, columns)
    compared = (rows["verdict"] != "baseline").to_numpy()
    if "Note" in text and text.loc[compared, "Note"].nunique() == 1:  # said once, not in every row
        caption = f"{caption}. Of every arm but the baseline: {text.loc[compared, 'Note'].iloc[0]}"
        text = text.drop(columns="Note")
    table = page_table(text, caption)
    keys = zip(rows["study"], rows["preset"], rows["protocol"], rows["arm"], strict=True)
    links = [f"#trials-{groups[key]}" for key in keys]
    column = table.headings.index("Seeds" if "Seeds" in table.headings else "Result")
    return PageTable(
        caption,
        table.headings,
        table.numeric,
        table.rows,
        links,
        column,
        [str(verdict).split(" (")[0] for verdict in rows["verdict"]],
    )
