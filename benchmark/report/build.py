"""Rebuilds the whole report from the store."""

import gc
import hashlib
import json
import pickle
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from benchmark.report.page.render import render_page
from benchmark.report.page.trials import trace
from benchmark.report.published.peers import CEP, cost_table, cost_text
from benchmark.report.published.slides import SLIDES_STUDIES, THESIS_NOTE, audit, thesis_text
from benchmark.report.search import report_searches
from benchmark.report.study_report import StudyReport, write_study
from benchmark.report.summary import add_q
from benchmark.report.writers import TextTable, csv_text, latex_text, markdown_text, table_files, write_files
from benchmark.run import end_with_parent
from benchmark.store import Store
from mhpe.errors import InputError
from mhpe.paths import cache_folder

WORKERS = 4  # most processes at once: each takes half a gigabyte of memory, and the time of a study to get going
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
        InputError: if the store has no such study, no study at all, ``folder`` cannot be written, or a process dies.
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
    cells = {name: found for name in wanted if len(found := store.results(name))}
    if not cells:
        raise InputError(f"store {store.shown} has no trial of {', '.join(wanted)} yet; bench run --study plans them")
    try:
        folder.mkdir(parents=True, exist_ok=True)  # before the work of minutes
        stored = {name: (definitions[name], found) for name, found in cells.items()}
        with ProcessPoolExecutor(min(WORKERS, joblib.cpu_count()), initializer=_prepare) as processes:
            reading = _read_studies(store, stored, png, processes)
            of_cells = pd.concat([found.assign(study=name) for name, found in cells.items()], ignore_index=True)
            traced = trace(store, of_cells)  # meanwhile
            studies = [pickle.loads(kept) for kept in reading]
        for report, table in zip(studies, add_q([report.table for report in studies]), strict=True):
            report.table = table
        ours = pd.concat([study.on_published_data.assign(study=study.name) for study in studies], ignore_index=True)
        for study in studies:
            write_study(study, folder)
        page = render_page(store, studies, traced, _common_tables(ours, folder / "tables"))
        (folder / "index.html").write_text(page, encoding="utf-8")
    except BrokenProcessPool:
        raise InputError("a process that worked on the report was ended, perhaps because memory is short") from None
    except OSError as error:
        raise InputError(f"cannot write the report: {error.filename or folder}: {error.strerror or error}") from None
    return studies


def _prepare() -> None:
    """Let a new process be ended by a signal, which the main one handles otherwise, and end with its parent."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent()


def _read_studies(
    store: Store, stored: Mapping[str, tuple[dict[str, Any], pd.DataFrame]], png: bool, processes: Executor
) -> Iterator[bytes]:
    """Read studies from their definitions and cells, side by side, from the cache where nothing changed; pickled."""
    made = _memory().cache(_analysed, ignore=["args"])
    calls = []
    for name, (definition, cells) in stored.items():
        searches = report_searches(store, name, definition, cells)
        # On the parts where points were chosen, results are the search's, and no test.
        chosen_on = {f"{search.stored.definition['train_set']}_validation" for search in searches}
        cells = cells[~cells["protocol"].isin(chosen_on)]
        # Of everything that a report is made from: what a trial drew and predicted never changes.
        found = [(search.title, search.summary, search.points.to_json()) for search in searches]
        parts = name, definition, cells.to_json(orient="split"), found, png, _versions()
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
        calls.append((digest, (store.url, name, definition, cells, searches, png)))
    new = sum(not made.check_call_in_cache(*call) for call in calls)
    if new:
        for name in ("benchmark.report.analysis", "scipy.special"):  # here once for all processes, Matplotlib with them
            import_module(name)
    return (processes.map if new > 1 else map)(made, *zip(*calls, strict=True))


def _memory() -> joblib.Memory:
    """The report's part of the cache; none where it cannot be written."""
    try:
        memory = joblib.Memory(cache_folder() / "report", verbose=0)
        memory.reduce_size(KEPT)
    except OSError:
        return joblib.Memory(None)
    return memory


def _analysed(digest: str, args: tuple[Any, ...]) -> bytes:  # noqa: ARG001
    """What :func:`benchmark.report.analysis.analyse` returns, pickled: joblib takes seconds to read tables of text."""
    from benchmark.report.analysis import analyse  # loads Matplotlib

    gc.set_threshold(100_000)  # a figure has thousands of objects: a tenth of the time
    return pickle.dumps(analyse(*args))


@cache
def _versions() -> list[str]:
    """Of Python and the libraries that a report is made and kept by, and of the suite's own code and data."""
    packages = [Path(__file__).parents[2] / name for name in ("benchmark", "mhpe", "samplers")]
    files = [path for package in packages for kind in ("*.py", "*.csv") for path in sorted(package.rglob(kind))]
    code = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    return [sys.version, code, *map(version, ("matplotlib", "numpy", "pandas", "scipy"))]


def _common_tables(ours: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Write the tables that belong to no study; returns that of cost and error as text."""
    findings = audit()
    tables = {
        "Findings": TextTable(findings.rename(columns=str.capitalize), AUDIT_NOTE),
        "Vector errors of the slides": TextTable(thesis_text(), THESIS_NOTE),
    }
    table = cost_table(ours)
    text = cost_text(table)
    methods, sourceless = ({"Methods": TextTable(t, f"{CEP}.")} for t in (text, text.drop(columns="Source")))
    files = table_files(findings, tables, "Audit of the slides", "", "published-audit") | {
        "published-cost.csv": csv_text(table),
        "published-cost.md": markdown_text(methods, "Cost and error", ""),
        "published-cost.tex": latex_text(sourceless, "Cost and error", "", "cost"),
    }
    write_files(files, folder)
    return text
