"""Printing to the terminal."""

import re
import sys
from contextlib import suppress
from typing import Any

import click
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

WIDTH = 80  # columns that a table takes where no terminal says how wide it is
UNLIMITED = 100_000  # width in which every table fits
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """The text with control characters, which could command the terminal, written as ``\\x1b``."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class _Console(Console):
    """A console that prints no control characters of others; on the standard error a line that fails stops nothing."""

    def print(self, *objects: Any, **options: Any) -> None:
        if all(isinstance(each, str) for each in objects):
            options.setdefault("soft_wrap", not self.is_terminal)
        safe = [printable(each) if isinstance(each, str) else each for each in objects]
        with suppress(*((OSError,) if self.stderr else ())):
            super().print(*safe, **options)


class _Table(Table):
    """A table whose cells hold no control characters."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        super().add_row(*(printable(cell) if isinstance(cell, str) else cell for cell in cells), **options)


out = _Console(width=None if sys.stdout and sys.stdout.isatty() else WIDTH, highlight=False, markup=False)
err = _Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """Print a line, or several."""
    click.echo(printable(text))


def warn(text: str) -> None:
    """Print a line with the program's name on the standard error."""
    with suppress(OSError):
        click.echo(f"bench: {printable(text)}", err=True)


def plain_table(*columns: str, title: str | None = None, numbers_from: int | None = None) -> Table:
    """A table without lines; columns from ``numbers_from`` on are aligned right."""
    table = _Table(title=title and printable(title), box=None, pad_edge=False, header_style="bold")
    for i, column in enumerate(columns):
        number = numbers_from is not None and i >= numbers_from
        table.add_column(column, justify="right" if number else "left", no_wrap=number or i == 0)
    return table


def needed_width(table: Table) -> int:
    """Columns of the terminal that a table needs for every number, and every word of its text, to be whole."""
    for column in table.columns:  # rich would cut what it cannot wrap
        texts = "\n".join(map(str, (column.header, *column.cells)))
        column.min_width = max(map(cell_len, texts.splitlines() if column.no_wrap else texts.split()), default=0)
    return sum(column.min_width or 0 for column in table.columns) + 2 * (len(table.columns) - 1)


def print_table(table: Table, wide: bool = False) -> None:
    """Print a table; its text is wrapped to make it fit unless ``wide``. The terminal wraps lines that are too long."""
    if table.title:
        out.print(Text(str(table.title), "italic"))  # a title of the table would be wrapped at the table's width
        table.title = None
    needed = out.measure(table, options=out.options.update(width=UNLIMITED)).maximum if wide else needed_width(table)
    if wide or needed > out.width:
        table.width = needed
    out.print(table, crop=False)
