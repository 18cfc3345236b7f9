"""Tables as files: CSV, Markdown and LaTeX (booktabs)."""

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

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


CHARACTER = 4.7  # width of a character of a LaTeX table, points; generous
LINE_WIDTH = 345.0  # of the text of LaTeX's article on A4 or letter paper, points
SEPARATION = 6.0  # between two columns, points
LONGEST_WORD = 14  # characters of a word in a table that is not broken


def write_latex(tables: Mapping[str, TextTable], title: str, lead: str, label: str, path: Path) -> None:
    """Tables, each a booktabs ``table`` no wider than the text; they need the packages array and booktabs.

    Captions begin with ``title``, and the first one ends with ``lead``; the tables' labels begin with ``label``.
    """
    parts = []
    for i, (heading, (table, note)) in enumerate(tables.items()):
        caption = " ".join(filter(None, (f"{title}: {heading}.", note, lead if i == 0 else "")))
        tabulars = "\n\\par\\medskip\n".join(_tabulars(table))
        parts.append(_floating(caption, f"{label}-{i + 1}", SEPARATION / 2, tabulars))
    _write("\n\n".join(parts) + "\n", path)


def _floating(caption: str, label: str, separation: float, content: str) -> str:
    """A ``table`` with its caption and label; half of the ``separation`` of its columns, points."""
    return "\n".join(
        (
            rf"\begin{{table}}[htbp]\centering\scriptsize\setlength{{\tabcolsep}}{{{separation:g}pt}}",
            rf"\caption{{{latex(caption)}}}\label{{tab:{re.sub('[^A-Za-z0-9-]', '-', label)}}}",
            content,
            r"\end{table}",
        )
    )


def _tabulars(table: pd.DataFrame) -> list[str]:
    """A table in LaTeX; one that is wider than the text goes on below, with its first column again."""
    widths: dict[str, float] = {}
    for name in map(str, table):
        words = [word for cell in (name, *table[name]) for word in cell.split()]
        cells = [name.split()[0], *table[name]] if is_number(table[name]) else [w[:LONGEST_WORD] for w in words]
        characters = max((len(cell) + 0.25 * sum(map(str.isupper, cell)) for cell in cells), default=1)
        widths[name] = CHARACTER * (characters + 0.4) + SEPARATION
    first, *others = widths
    groups = [[first]]
    for name in others:
        if sum(map(widths.__getitem__, [*groups[-1], name])) > LINE_WIDTH:
            groups.append([first])
        groups[-1].append(name)
    return [_tabular(table[group], {name: widths[name] for name in group}) for group in groups]


def _tabular(table: pd.DataFrame, widths: dict[str, float]) -> str:
    """Some columns; what is left of the line goes to those whose words would wrap."""
    more = {
        name: max(0.0, CHARACTER * max(map(len, [name, *table[name]])) + SEPARATION - widths[name]) for name in widths
    }
    share = min(1.0, (LINE_WIDTH - sum(widths.values())) / (sum(more.values()) or 1))
    columns = "".join(
        rf">{{\ragged{'left' if is_number(table[name]) else 'right'}\arraybackslash}}"
        rf"p{{{widths[name] - SEPARATION + share * more[name]:.1f}pt}}"
        for name in widths
    )
    return _ruled(columns, *(" & ".join(map(_cell, row)) for row in (list(table.columns), *table.to_numpy().tolist())))


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

    The smallest MAE of each protocol is bold; a dagger marks an MAE that is better or worse than the baseline's.

    Args:
        rows: columns result (name of an arm, or of another work's result), bin_width and sigma (degrees, NaN for none),
            protocol (its title), yaw, pitch, roll, mae (degrees), grey (another work's, on other protocols), verdict.
        title: begins the caption.
        note: stands under the table.
        label: of the table.
        path: of the file.
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
    _write(_floating(caption, label, 2, f"{table}\n{under}") + "\n", path)


def is_number(column: "pd.Series[str]") -> bool:
    """Whether a column of text holds numbers, and is aligned right."""
    return bool(column.str.match(r"[+−<≠\[ ]*\d|–$").all())


def _write(text: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
