"""Rebuilds the whole report from the store."""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from benchmark.report.page.render import render_page
from benchmark.report.published.peers import CEP, cost_table, cost_text, on_published_protocols
from benchmark.report.published.slides import SLIDES_STUDIES, THESIS_NOTE, audit, thesis_text
from benchmark.report.study_report import FigureFile, StudyReport, read_study, write_study
from benchmark.report.summary import add_q
from benchmark.report.writers import TextTable, write_csv, write_latex, write_markdown, write_table
from benchmark.store import Store
from mhpe.errors import InputError
from mhpe.paths import cache_folder

WORKERS = 4  # most processes at once: each takes half a gigabyte of memory
KEPT = "500M"  # size of the cache; what was not used for longest goes first
AUDIT_NOTE = "What in the slides does not hold, and what is right or used here."


def build_report(store: Store, names: Sequence[str], folder: Path, png: bool = False) -> list[StudyReport]:
    """Write tables, figures and ``index.html``: a function of the store's content and the names, nothing else.

    What was drawn is kept in the cache, and a study that did not change is not drawn again. Without ``names`` all
    planned studies are reported; with ``png`` figures are written as PNG, too. Files of the same names in ``folder``
    are replaced.

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
            raise store.no_study(name)
    # Without names the slides' studies first, in their order, then the others by name.
    first = [name for name in SLIDES_STUDIES if name in definitions]
    wanted = list(dict.fromkeys(names or (*first, *sorted(definitions))))
    studies = [report for name in wanted if (report := read_study(store, name, definitions[name])) is not None]
    if not studies:
        raise InputError(f"store {store.shown} has no trial of {', '.join(wanted)} yet; bench run --study plans them")
    for report, table in zip(studies, add_q([report.table for report in studies]), strict=True):
        report.table = table
    ours = pd.concat([study.table.assign(study=study.name) for study in studies], ignore_index=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)  # before the work of minutes
        cost = _analyse(store, studies, ours, png)
        for study in studies:
            write_study(study, folder)
        cost.write(folder / "figures")
        page = render_page(store, studies, cost, _common_tables(ours, folder / "tables"))
        (folder / "index.html").write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write the report: {error.filename or folder}: {error.strerror or error}") from None
    return studies


def _analyse(store: Store, studies: Sequence[StudyReport], ours: pd.DataFrame, png: bool) -> FigureFile:
    """Give each study its analysis, from the cache where nothing changed; returns the figure of cost and error."""
    made = _memory().cache(_made, ignore=["*"])
    calls: list[tuple[Any, ...]] = [(_digest(study, png), "analyse", store.url, study, png) for study in studies]
    new = sum(not made.check_call_in_cache(*call) for call in calls)
    published = on_published_protocols(ours)
    calls.append((_sha(published.to_json(), png, _versions()), "cost_figure", published, png))
    workers = joblib.Parallel(max(1, min(new, WORKERS, joblib.cpu_count())))
    cost: FigureFile
    *analyses, cost = workers(joblib.delayed(made)(*call) for call in calls)
    for study, analysis in zip(studies, analyses, strict=True):
        study.analysis = analysis
    return cost


def _memory() -> joblib.Memory:
    """The report's part of the cache; none where it cannot be written."""
    try:
        memory = joblib.Memory(cache_folder() / "report", verbose=0)
        memory.reduce_size(KEPT)
    except OSError:
        return joblib.Memory(None)
    return memory


def _made(digest: str, function: str, *args: Any) -> Any:  # noqa: ARG001
    """What a function of :mod:`benchmark.report.analysis` makes, in any process; only this loads Matplotlib."""
    return getattr(import_module("benchmark.report.analysis"), function)(*args)


def _digest(report: StudyReport, png: bool) -> str:
    """Of everything that a study's analysis is made from. Predictions and losses are those of its trials for ever."""
    searches = [(search.title, search.summary, search.points.to_json()) for search in report.searches]
    tables = [table.to_json(orient="split") for table in (report.cells, report.draws)]
    return _sha(report.name, report.definition, tables, report.caveats, searches, png, _versions())


def _sha(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


@cache
def _versions() -> list[str]:
    """Of Matplotlib, and of all code that a report is made by."""
    rooms = (Path(__file__).parent, Path(__file__).parents[1] / "statistics")
    code = hashlib.sha256(b"".join(path.read_bytes() for room in rooms for path in sorted(room.rglob("*.py"))))
    return [version("matplotlib"), code.hexdigest()]


def _common_tables(ours: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Write the tables that belong to no study; returns that of cost and error as text."""
    findings = audit()
    tables = {
        "Findings": TextTable(findings.rename(columns=str.capitalize), AUDIT_NOTE),
        "Vector errors of the slides": TextTable(thesis_text(), THESIS_NOTE),
    }
    write_table(findings, tables, "Audit of the slides", "", folder / "published-audit")
    table = cost_table(ours)
    text = cost_text(table)
    write_csv(table, folder / "published-cost.csv")
    write_markdown({"Methods": TextTable(text, f"{CEP}.")}, "Cost and error", "", folder / "published-cost.md")
    sourceless = {"Methods": TextTable(text.drop(columns="Source"), f"{CEP}.")}
    write_latex(sourceless, "Cost and error", "", "cost", folder / "published-cost.tex")
    return text
