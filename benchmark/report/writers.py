"""Tables as files: CSV, Markdown and LaTeX (booktabs)."""

import json
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

_LATEX = {
    **{char: "\\" + char for char in "{}$&#%_"},
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': "{''}", "–": "--", "—": "---", "“": "``", "”": "''", "\u2019": "'",
    "±": r"\ensuremath{\pm}", "−": r"\ensuremath{-}", "×": r"\ensuremath{\times}", "·": r"\ensuremath{\cdot}",
    "°": r"\ensuremath{^\circ}", "²": r"\ensuremath{^2}", "≤": r"\ensuremath{\leq}", "≥": r"\ensuremath{\geq}",
    "σ": r"\ensuremath{\sigma}", "θ": r"\ensuremath{\theta}", "μ": r"\ensuremath{\mu}",
}  # fmt: skip
_ACCENTS = dict(zip("\u0300\u0301\u0302\u0303\u0308\u030a\u030c\u0327", "`'^~\"rvc", strict=True))
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|&~$#])")


def latex(text: str) -> str:
    """Any text for LaTeX, so that it shows as it is; a question mark for a character that plain LaTeX lacks."""
    return "".join(map(_latex_character, " ".join(text.split())))


def _latex_character(char: str) -> str:
    if char in _LATEX or (char.isascii() and char.isprintable()):
        return _LATEX.get(char, char)
    base, *accents = list(unicodedata.normalize("NFD", char))
    if len(accents) == 1 and accents[0] in _ACCENTS and base.isascii():
        return rf"\{_ACCENTS[accents[0]]}{{{base}}}"
    return "?"


def markdown(text: str) -> str:
    """Any text for Markdown, so that it shows as it is."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """A table in full precision; mappings are written as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = table.map(lambda value: json.dumps(value, sort_keys=True) if isinstance(value, dict) else value)
    plain.to_csv(path, index=False, lineterminator="\n")


class TextTable(NamedTuple):
    """A table of text.

    Attributes:
        cells: as they are shown.
        note: how to read them.
    """

    cells: pd.DataFrame
    note: str = ""


def write_markdown(tables: Mapping[str, TextTable], title: str, lead: str, path: Path) -> None:
    """Tables under their headings.

    Args:
        tables: by heading.
        title: of the file.
        lead: what stands before the first table.
        path: of the file.
    """
    parts = [f"# {markdown(title)}", markdown(lead)]
    for heading, (table, note) in tables.items():
        cells = table.map(markdown).rename(columns=markdown)
        aligned = ["---:" if is_number(table[column]) else ":---" for column in table]
        rows: list[list[str]] = [[*map(str, cells)], aligned, *cells.to_numpy().tolist()]
        lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        parts += [f"## {markdown(heading)}", lines, markdown(note)]
    _write("\n\n".join(filter(None, parts)) + "\n", path)


def write_latex(tables: Mapping[str, TextTable], title: str, lead: str, label: str, path: Path) -> None:
    """Tables, each a booktabs ``table`` no wider than the text; they need the packages booktabs and graphicx.

    Args:
        tables: by heading.
        title: of the file; captions begin with it.
        lead: ends the first table's caption.
        label: begins the tables' labels.
        path: of the file.
    """
    parts = []
    for i, (heading, (table, note)) in enumerate(tables.items()):
        rows = table.map(latex).rename(columns=latex).to_latex(
            index=False, column_format="".join("r" if is_number(table[column]) else "l" for column in table)
        )  # fmt: skip
        caption = " ".join(filter(None, (f"{title}: {heading}.", note, lead if i == 0 else "")))
        parts.append(
            "\n".join(
                (
                    r"\begin{table}[htbp]",
                    r"\centering",
                    rf"\caption{{{latex(caption)}}}",
                    rf"\label{{tab:{re.sub('[^A-Za-z0-9-]', '-', label)}-{i + 1}}}",
                    r"\footnotesize\setlength{\tabcolsep}{3pt}",
                    r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
                    rf"{rows.strip()}}}",
                    r"\end{table}",
                )
            )
        )
    _write("\n\n".join(parts) + "\n", path)


def is_number(column: "pd.Series[str]") -> bool:
    """Whether a column of text holds numbers, and is aligned right."""
    return bool(column.str.match(r"[+−<\[ ]*\d|–$").all())


def _write(text: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
