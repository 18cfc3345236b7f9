"""Printing to the terminal."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.table import Table

out = Console(width=None if sys.stdout.isatty() else 160, highlight=False, markup=False)
err = Console(stderr=True, highlight=False)

UNLIMITED = 100_000
"""Width in which every table fits."""


def plain_table(*columns: str, title: str | None = None, numbers_from: int | None = None) -> Table:
    """A table without lines; columns from ``numbers_from`` on are aligned right."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for i, column in enumerate(columns):
        number = numbers_from is not None and i >= numbers_from
        table.add_column(column, justify="right" if number else "left", no_wrap=number or i == 0)
    return table


def needed_width(table: Table) -> int:
    """Columns of the terminal that a table needs for every number, and every word of its text, to be whole."""
    unlimited = out.options.update(width=UNLIMITED)
    for column in table.columns:
        if column.no_wrap:  # which rich would cut
            cells = (column.header, *column.cells)
            column.min_width = max(out.measure(cell, options=unlimited).maximum for cell in cells)
    return out.measure(table, options=unlimited).minimum


def print_table(table: Table) -> None:
    """Print a table; one that does not fit is as wide as it must be, and the terminal wraps its lines."""
    needed = needed_width(table)
    if needed > out.width:
        table.width = needed
    out.print(table, crop=False)


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Context in which SIGTERM, which batch systems send, does what Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
