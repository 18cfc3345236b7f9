"""Rebuilds the whole report from the store."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import joblib
import pandas as pd

from benchmark.report.figures import cost
from benchmark.report.page import render_page
from benchmark.report.published import SLIDES_STUDIES, THESIS, THESIS_NOTE, audit, slides
from benchmark.report.published.peers import CEP, cost_table, cost_text
from benchmark.report.study_report import FigureFile, StudyReport, read_study, write_study
from benchmark.report.style import save, style
from benchmark.report.summary import add_q
from benchmark.report.writers import TextTable, write_csv, write_latex, write_markdown
from benchmark.store import Store
from mhpe.errors import InputError
from mhpe.validation import nearest

WORKERS = 4
"""Most processes at once: each takes half a gigabyte of memory."""
AUDIT_NOTE = "What in the slides does not hold, and what is right or used here."


def build_report(store: Store, names: Sequence[str], folder: Path) -> list[StudyReport]:
    """Write tables, figures and ``index.html``: a function of the store's content and the names, nothing else.

    Args:
        store: the results.
        names: studies to report; all planned ones if empty.
        folder: where to write; what is there under the same names is replaced.

    Returns:
        What is reported of each study that has a trial.

    Raises:
        InputError: if the store has no such study, no study at all, or ``folder`` cannot be written.
    """
    definitions = store.studies()
    if not definitions:
        raise InputError(f"store {store.shown} holds no study yet; bench run --study gaussian_sigma would add one")
    for name in names:
        if name not in definitions:
            raise InputError(f"store {store.shown} holds no study {name!r}; {nearest(name, list(definitions))}")
    wanted = list(dict.fromkeys(names)) or in_reading_order(definitions)
    read = [report for name in wanted if (report := read_study(store, name, definitions[name])) is not None]
    if not read:
        raise InputError(f"store {store.shown} has no trial of {', '.join(wanted)} yet; bench run --study plans them")
    for report, table in zip(read, add_q([report.table for report in read]), strict=True):
        report.table = table
    try:
        studies: list[StudyReport] = joblib.Parallel(min(len(read), WORKERS, joblib.cpu_count()))(
            joblib.delayed(_write)(store.url, report, folder) for report in read
        )
        ours = pd.concat([study.table.assign(study=study.name) for study in studies], ignore_index=True)
        page = render_page(
            store, studies, _cost_figure(ours, folder / "figures"), _common_tables(ours, folder / "tables")
        )
        (folder / "index.html").write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write the report: {error}") from None
    return studies


def _write(url: str, report: StudyReport, folder: Path) -> StudyReport:
    """As :func:`write_study`, in a process of its own: a connection to a database cannot be handed over."""
    store = Store(url, read_only=True)
    with store.snapshot():
        write_study(store, report, folder)
    return report


def in_reading_order(names: Iterable[str]) -> list[str]:
    """The slides' studies first, in their order, then the others by name."""
    places = {name: place for place, name in enumerate(SLIDES_STUDIES)}
    return sorted(names, key=lambda name: (places.get(name, len(places)), name))


def _cost_figure(ours: pd.DataFrame, folder: Path) -> FigureFile:
    with style():
        drawing = cost.draw(ours)
    svg = save(drawing.figure, "published-cost", folder)
    return FigureFile("published-cost", "Cost and error", drawing.caption, drawing.alt, svg)


def _common_tables(ours: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Write the tables that belong to no study; returns that of cost and error as text."""
    findings = audit()
    write_csv(findings, folder / "published-audit.csv")
    thesis = slides("thesis").rename(columns=str.capitalize)[THESIS]
    tables = {
        "Findings": TextTable(findings.rename(columns=str.capitalize), AUDIT_NOTE),
        "Vector errors of the slides": TextTable(thesis.astype(str), THESIS_NOTE),
    }
    write_markdown(tables, "Audit of the slides", "", folder / "published-audit.md")
    write_latex(tables, "Audit of the slides", "", "audit", folder / "published-audit.tex")
    table = cost_table(ours)
    text = cost_text(table)
    write_csv(table, folder / "published-cost.csv")
    write_markdown({"Methods": TextTable(text, f"{CEP}.")}, "Cost and error", "", folder / "published-cost.md")
    sourceless = {"Methods": TextTable(text.drop(columns="Source"), f"{CEP}.")}
    write_latex(sourceless, "Cost and error", "", "cost", folder / "published-cost.tex")
    return text
