"""Tables as files, CSV, Markdown and LaTeX (booktabs), and figures as files."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmark.report.text import NOTHING

_LATEX = {
    **{char: "\\" + char for char in "{}$&#%_"},
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': "{''}", "–": "--", "—": "---", "“": "``", "”": "''", "\u2019": "'",
    "±": r"\ensuremath{\pm}", "−": r"\ensuremath{-}", "×": r"\ensuremath{\times}", "·": r"\ensuremath{\cdot}",
    "°": r"\ensuremath{^\circ}", "²": r"\ensuremath{^2}", "≤": r"\ensuremath{\leq}", "≥": r"\ensuremath{\geq}",
    "≠": r"\ensuremath{\neq}", "σ": r"\ensuremath{\sigma}", "θ": r"\ensuremath{\theta}", "μ": r"\ensuremath{\mu}",
}  # fmt: skip
_UNKNOWN = set("ÐðÞþĐđĄąĘęĮįŲųŊŋĦħŦŧĸĿŀŉ")  # letters that LaTeX's default encoding lacks
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|&~$#])")


def latex(text: str) -> str:
    """Any text for LaTeX, so that it shows as it is; a question mark for a character that plain LaTeX does not have."""
    shown = " ".join(text.split())
    return "".join(
        _LATEX.get(c, c if " " <= c <= "~" or ("À" <= c <= "ž" and c not in _UNKNOWN) else "?") for c in shown
    )


def markdown(text: str) -> str:
    """Any text for Markdown, so that it shows as it is."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def csv_text(table: pd.DataFrame) -> str:
    """A table in full precision; mappings are written as JSON."""
    others = table.select_dtypes(exclude="number")
    plain = others.map(lambda value: json.dumps(value, sort_keys=True) if isinstance(value, dict) else value)
    return table.assign(**plain).to_csv(index=False, lineterminator="\n")


class FigureFile(NamedTuple):
    """A figure that was drawn."""

    name: str  # of its files, without suffix
    title: str  # what it shows
    caption: str  # how to read it
    alt: str  # alternative text
    svg: str  # its drawing
    png: bytes = b""  # the same as PNG file; empty if it was not asked for
    main: bool = True  # whether the page shows it without being asked

    def write(self, folder: Path) -> None:
        """Write the SVG file, and the PNG file if there is one."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.svg").write_text(self.svg, encoding="utf-8")
        if self.png:
            (folder / f"{self.name}.png").write_bytes(self.png)


class TextTable(NamedTuple):
    """A table of text."""

    cells: pd.DataFrame  # as they are shown
    note: str = ""  # how to read them


def without_constants(text: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """A table of text without the columns that say nothing, or the same in every row, and a sentence that says it.

    The row of the baseline, which is compared with nothing, may be empty there.
    """
    empty, constant = [], {}
    for column in text.columns[1:]:
        said = [cell for cell in text[column] if cell not in ("", NOTHING)]
        if not said:
            empty.append(column)
        elif len(text) > 1 and len(set(said)) == 1 and (len(said) == len(text) or len(said) == len(text) - 1 > 1):
            constant[column] = f"{column} {said[0]}"
    if len(empty) + len(constant) == len(text.columns) - 1:
        return text, ""  # a list of names would be left
    return text.drop(columns=[*empty, *constant]), f"In every row: {', '.join(constant.values())}." if constant else ""


def table_files(
    table: pd.DataFrame, views: Mapping[str, TextTable], title: str, lead: str, name: str
) -> dict[str, str]:
    """A table as CSV, and views of it, without columns that say the same in every row, as Markdown and LaTeX.

    The ``views`` are given by heading; ``name`` is that of the files without suffix. ``lead`` stands before all.
    """
    fitted = {heading: without_constants(view.cells) for heading, view in views.items()}
    shown = {h: TextTable(cells, f"{views[h].note} {said}".strip()) for h, (cells, said) in fitted.items()}
    texts = csv_text(table), markdown_text(shown, title, lead), latex_text(shown, title, lead, name)
    return dict(zip((f"{name}.csv", f"{name}.md", f"{name}.tex"), texts, strict=True))


def markdown_text(tables: Mapping[str, TextTable], title: str, lead: str) -> str:
    """Tables under their headings; ``lead`` stands before the first one."""
    parts = [f"# {markdown(title)}", markdown(lead)]
    for heading, (table, note) in tables.items():
        cells = table.map(markdown).rename(columns=markdown)
        aligned = ["---:" if is_number(table[column]) else ":---" for column in table]
        rows: list[list[str]] = [[*map(str, cells)], aligned, *cells.to_numpy().tolist()]
        lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        parts += [f"## {markdown(heading)}", lines, markdown(note)]
    return "\n\n".join(filter(None, parts)) + "\n"


LONGEST = 50  # characters of a cell that LaTeX does not wrap
WRAPPED = r">{\raggedright\arraybackslash}p{18em}"


def latex_text(tables: Mapping[str, TextTable], title: str, lead: str, label: str) -> str:
    """Tables, each a ``table`` shrunk to the width of the text; they need the packages adjustbox, array and booktabs.

    Captions begin with ``title``, and the first one ends with ``lead``; the tables' labels begin with ``label``.
    """
    parts = []
    for i, (heading, (table, note)) in enumerate(tables.items()):
        caption = " ".join(filter(None, (f"{title}: {heading}.", note, lead if i == 0 else "")))
        longest = dict(table.map(len).max())
        columns = "".join("r" if is_number(table[n]) else "l" if longest[n] <= LONGEST else WRAPPED for n in table)
        rows = [" & ".join(map(latex, row)) for row in (list(table), *table.to_numpy().tolist())]
        head, *body = (rf"{row} \\" for row in rows)
        name = re.sub("[^A-Za-z0-9-]", "-", f"{label}-{i + 1}")
        parts += [
            rf"\begin{{table}}[htbp]\centering\small\caption{{{latex(caption)}}}\label{{tab:{name}}}",
            rf"\begin{{adjustbox}}{{max width=\linewidth}}\begin{{tabular}}{{{columns}}}",
            *(r"\toprule", head, r"\midrule", *body, r"\bottomrule"),
            "\\end{tabular}\\end{adjustbox}\n\\end{table}\n",
        ]
    return "\n".join(parts)


def is_number(column: "pd.Series[str]") -> bool:
    """Whether a column of text holds numbers, and is aligned right."""
    return bool(column.str.match(r"[+−<≠\[ ]*\d|–$").all())


def write_files(files: Mapping[str, str], folder: Path) -> None:
    """Write texts by the names of their files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
