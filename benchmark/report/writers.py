"""Tables as files: CSV, Markdown and LaTeX (booktabs)."""

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
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
_ACCENTS = dict(zip("\u0300\u0301\u0302\u0303\u0308\u030a\u030c\u0327", "`'^~\"rvc", strict=True))
UNSHOWN = "?"
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|&~$#])")


def latex(text: str) -> str:
    """Any text for LaTeX, so that it shows as it is; a question mark for a character that plain LaTeX does not have."""
    return "".join(map(_latex_character, " ".join(text.split())))


def _latex_character(char: str) -> str:
    if char in _LATEX or (char.isascii() and char.isprintable()):
        return _LATEX.get(char, char)
    base, *accents = list(unicodedata.normalize("NFD", char))
    if len(accents) == 1 and accents[0] in _ACCENTS and base.isascii():
        return rf"\{_ACCENTS[accents[0]]}{{{base}}}"
    return UNSHOWN


def not_in_latex(texts: Iterable[str]) -> str:
    """Characters that :func:`latex` shows as question marks, each once."""
    chars = dict.fromkeys("".join(texts))
    return "".join(char for char in chars if char != UNSHOWN and not char.isspace() and latex(char) == UNSHOWN)


def markdown(text: str) -> str:
    """Any text for Markdown, so that it shows as it is."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """A table in full precision; mappings are written as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = table.map(lambda value: json.dumps(value, sort_keys=True) if isinstance(value, dict) else value)
    plain.to_csv(path, index=False, lineterminator="\n")


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


def write_table(table: pd.DataFrame, views: Mapping[str, TextTable], title: str, lead: str, path: Path) -> None:
    """Write a table as CSV, and views of it, without columns that say the same in every row, as Markdown and LaTeX.

    The ``views`` are given by heading; ``path`` is that of the files without suffix. ``lead`` stands before all.
    """
    fitted = {heading: without_constants(view.cells) for heading, view in views.items()}
    shown = {h: TextTable(cells, f"{views[h].note} {said}".strip()) for h, (cells, said) in fitted.items()}
    write_csv(table, path.with_name(f"{path.name}.csv"))
    write_markdown(shown, title, lead, path.with_name(f"{path.name}.md"))
    write_latex(shown, title, lead, path.name, path.with_name(f"{path.name}.tex"))


def write_markdown(tables: Mapping[str, TextTable], title: str, lead: str, path: Path) -> None:
    """Tables under their headings; ``lead`` stands before the first one."""
    parts = [f"# {markdown(title)}", markdown(lead)]
    for heading, (table, note) in tables.items():
        cells = table.map(markdown).rename(columns=markdown)
        aligned = ["---:" if is_number(table[column]) else ":---" for column in table]
        rows: list[list[str]] = [[*map(str, cells)], aligned, *cells.to_numpy().tolist()]
        lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        parts += [f"## {markdown(heading)}", lines, markdown(note)]
    _write("\n\n".join(filter(None, parts)) + "\n", path)


LONGEST_WORD = 14  # characters of a word in a table that is not broken
LONGEST = 50  # characters of a cell that LaTeX does not wrap
WRAPPED = r">{\raggedright\arraybackslash}p{18em}"


def write_latex(tables: Mapping[str, TextTable], title: str, lead: str, label: str, path: Path) -> None:
    """Tables, each a ``table`` shrunk to the width of the text; they need the packages adjustbox, array and booktabs.

    Captions begin with ``title``, and the first one ends with ``lead``; the tables' labels begin with ``label``.
    """
    parts = []
    for i, (heading, (table, note)) in enumerate(tables.items()):
        caption = " ".join(filter(None, (f"{title}: {heading}.", note, lead if i == 0 else "")))
        longest = dict(table.map(len).max())
        columns = "".join("r" if is_number(table[n]) else "l" if longest[n] <= LONGEST else WRAPPED for n in table)
        rows = [" & ".join(map(latex, row)) for row in (list(table), *table.to_numpy().tolist())]
        tabular = rf"\begin{{adjustbox}}{{max width=\linewidth}}{_ruled(columns, *rows)}\end{{adjustbox}}"
        parts.append(_floating(caption, f"{label}-{i + 1}", tabular))
    _write("\n\n".join(parts) + "\n", path)


def _floating(caption: str, label: str, content: str) -> str:
    label = re.sub("[^A-Za-z0-9-]", "-", label)
    head = rf"\begin{{table}}[htbp]\centering\small\caption{{{latex(caption)}}}\label{{tab:{label}}}"
    return "\n".join((head, content, r"\end{table}"))


def _ruled(columns: str, head: str, *rows: str) -> str:
    """A ``tabular`` with booktabs' rules."""
    lines = r"\toprule", rf"{head} \\", r"\midrule", *(rf"{row} \\" for row in rows), r"\bottomrule"
    return "\n".join((rf"\begin{{tabular}}{{{columns}}}", *lines, r"\end{tabular}"))


def _cell(text: str) -> str:
    """A cell for LaTeX, whose long words may break anywhere."""
    words = ([word[i : i + LONGEST_WORD] for i in range(0, len(word), LONGEST_WORD)] for word in text.split())
    return " ".join(r"\allowbreak{}".join(map(latex, parts)) for parts in words)


def write_slides_layout(rows: pd.DataFrame, title: str, note: str, label: str, path: Path) -> None:
    """A study's errors as one LaTeX table in the slides' layout; it needs array, booktabs, siunitx and xcolor.

    The smallest MAE of each protocol is bold; a dagger marks an MAE that is better or worse than the baseline's. The
    ``rows`` have columns result, bin_width and sigma (degrees, NaN for none), protocol (its title), yaw, pitch, roll,
    mae (degrees), grey (another work's, on other protocols) and verdict. ``note`` stands under the table.
    """
    best = rows[~rows["grey"]].groupby("protocol")["mae"].min()
    lines = []
    for row in rows.to_dict("records"):
        numbers = [f"{row[name]:.2f}" for name in ("yaw", "pitch", "roll", "mae")]
        if not row["grey"] and row["mae"] == best[row["protocol"]]:
            numbers[3] = rf"\bfseries {numbers[3]}"
        if row["verdict"] in ("better", "worse"):
            numbers[3] += r"{$^\dagger$}"
        shown = ["" if math.isnan(value) else f"{value:g}" for value in (row["bin_width"], row["sigma"])]
        cells = _cell(row["result"]), *shown, _cell(row["protocol"]), *numbers
        lines.append(" & ".join((r"\color{gray}" if row["grey"] else "") + cell for cell in cells))
    column = "S[table-format=2.2,detect-weight,table-space-text-post={$^\\dagger$}]"
    words = r">{\raggedright\arraybackslash}p{62pt}"
    caption = (
        f"{title}: errors in degrees, mean over seeds. Bold: the smallest MAE on a protocol. A dagger: better or worse "
        "than the baseline."
    )
    heading = " & ".join(("Result", "Range of bins", "Std dev", "Protocol", "{Yaw}", "{Pitch}", "{Roll}", "{MAE}"))
    table = _ruled(f"{words}rr{words}{3 * 'S[table-format=2.2]'}{column}", heading, *lines)
    under = rf"\par\smallskip\begin{{minipage}}{{\linewidth}}\scriptsize {latex(note)}\end{{minipage}}"
    _write(_floating(caption, label, rf"\scriptsize\setlength{{\tabcolsep}}{{2pt}}{table}{under}") + "\n", path)


def is_number(column: "pd.Series[str]") -> bool:
    """Whether a column of text holds numbers, and is aligned right."""
    return bool(column.str.match(r"[+−<≠\[ ]*\d|–$").all())


def _write(text: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
