"""Tables as files: CSV, Markdown and LaTeX (booktabs)."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from pylatexenc.latexencode import UnicodeToLatexEncoder

_LATEX = UnicodeToLatexEncoder(
    unknown_char_policy="replace", unknown_char_warning=False, replacement_latex_protection="braces-after-macro"
)
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|&~$#])")


def latex(text: str) -> str:
    """Any text for LaTeX, so that it shows as it is."""
    escaped: str = _LATEX.unicode_to_latex(" ".join(text.split()))
    return escaped


def markdown(text: str) -> str:
    """Any text for Markdown, so that it shows as it is."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """A table in full precision; mappings are written as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = table.map(lambda value: json.dumps(value, sort_keys=True) if isinstance(value, dict) else value)
    plain.to_csv(path, index=False, lineterminator="\n")


def write_markdown(tables: Mapping[str, pd.DataFrame], title: str, notes: str, path: Path) -> None:
    """Tables of text under their headings."""
    parts = [f"# {markdown(title)}", markdown(notes)]
    for heading, table in tables.items():
        cells = table.map(markdown).rename(columns=markdown)
        aligned = ["right" if is_number(table[column]) else "left" for column in table]
        parts += [f"## {markdown(heading)}", cells.to_markdown(index=False, disable_numparse=True, colalign=aligned)]
    _write("\n\n".join(parts) + "\n", path)


def write_latex(tables: Mapping[str, pd.DataFrame], title: str, notes: str, label: str, path: Path) -> None:
    """Tables of text, each a booktabs ``table`` that needs ``\\usepackage{booktabs}`` only."""
    parts = []
    for i, (heading, table) in enumerate(tables.items()):
        cells = table.map(latex).rename(columns=latex).to_latex(
            index=False,
            caption=latex(f"{title}: {heading}. {notes}"),
            label=f"tab:{re.sub('[^A-Za-z0-9-]', '-', label)}-{i + 1}",
            column_format="".join("r" if is_number(table[column]) else "l" for column in table),
            position="htbp",
        )  # fmt: skip
        parts.append(cells.replace("\\begin{tabular}", "\\footnotesize\\setlength{\\tabcolsep}{3pt}\n\\begin{tabular}"))
    _write("\n".join(parts), path)


def is_number(column: "pd.Series[str]") -> bool:
    """Whether a column of text holds numbers, and is aligned right."""
    return bool(column.str.match(r"[+−<\[ ]*\d|–$").all())


def _write(text: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
