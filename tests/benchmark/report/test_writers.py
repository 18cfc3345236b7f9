"""Tables in files show any text as it is."""

import shutil
import subprocess
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from benchmark.report.text import slug
from benchmark.report.writers import (
    TextTable,
    csv_text,
    is_number,
    latex,
    latex_text,
    markdown,
    markdown_text,
)

NASTY = "<script>alert(1)</script> & 50% of _all_ *arms* | $x^2$ # {a} ~ \\b `c` [d](e) ± − × σ θ ° é Å ç 漢"
TABLE = pd.DataFrame({"Result": [NASTY, "gaussian_30"], "MAE": ["6.05 ± 0.12", "–"]})


def test_markdown_renders_as_one_table_with_the_text_as_it_is() -> None:
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(markdown_text({NASTY: TextTable(TABLE, NASTY)}, NASTY, NASTY))
    assert [token.tag for token in tokens if token.type == "table_open"] == ["table"]
    inline = [token for token in tokens if token.type == "inline"]
    texts = ["".join(child.content for child in token.children) for token in inline]
    assert texts == [NASTY, NASTY, NASTY, "Result", "MAE", NASTY, "6.05 ± 0.12", "gaussian_30", "–", NASTY]
    assert {child.type for token in inline for child in token.children} <= {"text", "text_special"}


def test_latex_compiles(tmp_path: Path) -> None:
    text = latex_text({"One": TextTable(TABLE), NASTY: TextTable(TABLE, NASTY)}, NASTY, NASTY, "a_b &%")
    (tmp_path / "table.tex").write_text(text, encoding="utf-8")
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 2
    assert "<script>" not in text
    compile_latex(tmp_path, "table.tex")


def compile_latex(folder: Path, *names: str) -> None:
    """Compile table files in a minimal document; their structure alone is checked where LaTeX is missing."""
    packages = ("adjustbox", "array", "booktabs")
    files = [f"{package}.sty" for package in packages]
    if (
        shutil.which("pdflatex") is None
        or subprocess.run(["kpsewhich", *files], capture_output=True, check=False).returncode
    ):
        pytest.skip("no pdflatex with these packages here; texlive-latex-extra has them")
    inputs = "\n".join(rf"\input{{{name}}}" for name in names)
    document = (
        rf"\documentclass{{article}}\usepackage{{{','.join(packages)}}}\begin{{document}}{inputs}\end{{document}}"
    )
    (folder / "document.tex").write_text(document)
    result = subprocess.run(
        ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "-no-shell-escape", "document.tex"],
        cwd=folder, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-2000:]
    assert "Overfull" not in result.stdout


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b", r"a\_b"),
        ("50%", r"50\%"),
        ("A & B", r"A \& B"),
        ("{x}", r"\{x\}"),
        ("6 ± 1", r"6 \ensuremath{\pm} 1"),
        ("Zoë, Čapek", "Zoë, Čapek"),
        ("a\x07漢", "a??"),
        ("Krąg", "Kr?g"),
    ],
)
def test_latex_escapes(text: str, expected: str) -> None:
    assert latex(text) == expected


def test_line_ends_leave_cells_whole() -> None:
    assert markdown("one\ntwo") == "one two"
    assert latex("one\n\ntwo") == "one two"


def test_csv_keeps_full_precision() -> None:
    table = pd.DataFrame({"mae": [1 / 3], "parameters": [{"b": 1, "a": 2.5}]})
    read = pd.read_csv(StringIO(csv_text(table)))
    assert read["mae"].item() == 1 / 3
    assert read["parameters"].item() == '{"a": 2.5, "b": 1}'


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["6.05 ± 0.12", "–"], True),
        (["−0.1 [−0.2, +0.1]"], True),
        (["< 0.001", "1.000"], True),
        (["random", "1"], False),
    ],
)
def test_numbers_are_recognised(cells: list[str], expected: bool) -> None:
    assert is_number(pd.Series(cells)) is expected


def test_names_of_studies_become_safe_and_distinct_file_names() -> None:
    assert slug("gaussian_sigma") == "gaussian_sigma"
    names = ["../../etc/passwd", "a b", "a-b", "a&b", "<b>", "ü", ".."]
    slugs = [slug(name) for name in names]
    assert len(set(slugs)) == len(names)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_") for name in slugs)
