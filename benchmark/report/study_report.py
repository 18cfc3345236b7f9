"""Everything that is reported of one study, and its files."""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from benchmark.report.figures import FIGURES, MAIN, NoDataError
from benchmark.report.figures.search import draw_search
from benchmark.report.material import Material
from benchmark.report.notes import caveat, core_note, machines_note
from benchmark.report.published import SLIDES_STUDIES, beside_ours
from benchmark.report.published.slides import published_notes, published_text
from benchmark.report.references import NOTE as DRAW_NOTE
from benchmark.report.references import draw_text
from benchmark.report.search import NOTE as SEARCH_NOTE
from benchmark.report.search import SearchReport, fresh_text, report_searches
from benchmark.report.secondary import NOTE as SECONDARY_NOTE
from benchmark.report.secondary import secondary, secondary_text, yaw_table
from benchmark.report.style import save, style, watermark
from benchmark.report.summary import summarise
from benchmark.report.text import protocol_title
from benchmark.report.verdicts import study_verdict
from benchmark.report.views import VIEWS, as_text
from benchmark.report.writers import TextTable, write_csv, write_latex, write_markdown
from benchmark.store import Store

MARGIN = 0.2
"""Degrees of MAE within which arms count as equivalent, for studies that declare none."""


@dataclass(frozen=True)
class FigureFile:
    """A figure that was drawn.

    Attributes:
        name: of its files, without suffix.
        title: what it shows.
        caption: how to read it.
        alt: alternative text.
        svg: its drawing.
        main: whether it is among those that the page shows without being asked.
    """

    name: str
    title: str
    caption: str
    alt: str
    svg: str
    main: bool = True


class ReportedSearch(NamedTuple):
    """A search with the figures that were drawn of it."""

    report: SearchReport
    figures: list[FigureFile]


@dataclass
class StudyReport:
    """What is reported of one study.

    Attributes:
        name: of the study.
        slug: the name as files and links have it.
        title: of the study.
        question: what it asks.
        baseline: label of the arm that most others are compared with.
        margin: of equivalence, degrees.
        cells: as :meth:`benchmark.store.Store.results` gives them.
        table: as :func:`benchmark.report.summary.summarise` gives it.
        verdict: a sentence, and a line, a protocol.
        draws: as :func:`benchmark.report.references.draw_table` gives it.
        caveats: by protocol, what a reader must know of its test set; nothing for most.
        core: what the baseline's core changes of the presets', in sentences; nothing for most.
        machines: a sentence on what the trainings ran on.
        secondary: as :func:`benchmark.report.secondary.secondary` gives it.
        published: the slides' rows beside ours, for a study of the slides.
        figures: that were drawn.
        not_drawn: titles of those that were not, and why.
        searches: of the study; none for most.
    """

    name: str
    slug: str
    title: str
    question: str
    baseline: str
    margin: float
    cells: pd.DataFrame
    table: pd.DataFrame
    verdict: str
    draws: pd.DataFrame
    caveats: dict[str, str]
    core: str
    machines: str
    secondary: pd.DataFrame
    published: pd.DataFrame | None
    figures: list[FigureFile] = field(default_factory=list)
    not_drawn: dict[str, str] = field(default_factory=dict)
    searches: list[ReportedSearch] = field(default_factory=list)

    @property
    def missing_cells(self) -> int:
        """Cells of the grid without a result."""
        return int(self.cells["mae"].isna().sum())


def report_study(store: Store, name: str, definition: dict[str, Any], folder: Path) -> StudyReport:
    """Work out a study's numbers, and write its tables and figures."""
    title, baseline = definition["title"], definition["baseline"]
    margin = definition.get("margin", MARGIN)
    cells = store.results(name)
    baselines = dict.fromkeys(cells["arm"], baseline) | definition.get("baselines", {})
    table = summarise(cells, baselines, margin)
    materials = [
        Material(
            store, name, preset, title, baseline, baselines, margin,
            cells[cells["preset"] == preset], table[table["preset"] == preset],
        )
        for preset in dict.fromkeys(table["preset"])
    ]  # fmt: skip
    report = StudyReport(
        name=name,
        slug=slug(name),
        title=title,
        question=definition["question"],
        baseline=baseline,
        margin=margin,
        cells=cells,
        table=table,
        verdict=study_verdict(table, margin),
        draws=pd.concat([material.draws for material in materials], ignore_index=True),
        caveats=_caveats(store, cells),
        core=core_note(store, name, baseline, dict.fromkeys(table["preset"])),
        machines=machines_note(store.machines(name)),
        secondary=pd.concat([secondary(material) for material in materials], ignore_index=True),
        published=beside_ours(name, table) if name in SLIDES_STUDIES else None,
    )
    _write_tables(report, folder / "tables")
    yaw = pd.concat([yaw_table(material) for material in materials], ignore_index=True)
    if not yaw.empty:
        write_csv(yaw, folder / "tables" / f"{report.slug}-yaw.csv")
    for material in materials:
        _draw(report, material, folder / "figures")
    for search in report_searches(store, name, definition):
        _write_search(report, search, folder)
    return report


def _caveats(store: Store, cells: pd.DataFrame) -> dict[str, str]:
    found = {
        str(protocol): caveat(store.test_set(fingerprint))
        for protocol, fingerprint in cells[["protocol", "test_set"]].drop_duplicates().to_numpy()
    }
    return {protocol: sentence for protocol, sentence in found.items() if sentence}


def slug(name: str) -> str:
    """A study's name as a file name and an address: letters, digits, ``_`` and ``-``; never two studies with one."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", name)
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def _write_tables(report: StudyReport, folder: Path) -> None:
    protocols = report.table["protocol"].unique()
    title = f"{report.title}, {protocol_title(protocols[0])}" if len(protocols) == 1 else report.title
    views = {heading: TextTable(as_text(report.table, columns), note) for heading, (columns, note) in VIEWS.items()}
    caveats = dict.fromkeys(report.caveats.values())
    lead = " ".join(filter(None, (report.verdict, *caveats, report.core, report.machines)))
    _write(title, report.slug, report.table, views, lead, folder)
    if not report.draws.empty:
        view = {"What each arm drew": TextTable(draw_text(report.draws), DRAW_NOTE)}
        _write(report.title, f"{report.slug}-draws", report.draws, view, "", folder)
    if report.published is not None:
        notes = published_notes(report.published)
        view = {"Published, recomputed, reproduced": TextTable(published_text(report.published), notes)}
        _write(report.title, f"{report.slug}-published", report.published, view, "", folder)
    if not report.secondary.empty:
        view = {"Bootstrap over seeds and persons": TextTable(secondary_text(report.secondary), SECONDARY_NOTE)}
        _write(title, f"{report.slug}-bootstrap", report.secondary, view, " ".join(caveats), folder)


def _write(title: str, name: str, table: pd.DataFrame, views: dict[str, TextTable], lead: str, folder: Path) -> None:
    write_csv(table, folder / f"{name}.csv")
    write_markdown(views, title, lead, folder / f"{name}.md")
    write_latex(views, title, lead, name, folder / f"{name}.tex")


def _write_search(report: StudyReport, search: SearchReport, folder: Path) -> None:
    name = slug(f"{report.slug}-search-{search.name}")
    write_csv(search.points, folder / "tables" / f"{name}-points.csv")
    views = {"The best points on fresh seeds": TextTable(fresh_text(search.best, report.baseline), SEARCH_NOTE)}
    _write(search.title, name, search.best, views, search.summary, folder / "tables")
    figures = []
    for kind, (title, drawing) in draw_search(search.stored).items():
        svg = save(drawing.figure, f"{name}-{kind}", folder / "figures")
        figures.append(FigureFile(f"{name}-{kind}", title, drawing.caption, drawing.alt, svg))
    report.searches.append(ReportedSearch(search, figures))


def _draw(report: StudyReport, material: Material, folder: Path) -> None:
    several = report.table["preset"].nunique() > 1
    for kind, (title, draw) in FIGURES.items():
        shown = f"{title}, preset {material.preset}" if several else title
        try:
            with style():
                drawing = draw(material)
        except NoDataError as missing:
            report.not_drawn[shown] = str(missing)
            continue
        watermark(drawing.figure, material.incomplete)
        name = f"{report.slug}-{kind}-{slug(material.preset)}"
        svg = save(drawing.figure, name, folder)
        caption = " ".join((drawing.caption, *dict.fromkeys(report.caveats.values())))
        report.figures.append(FigureFile(name, shown, caption, drawing.alt, svg, kind in MAIN))
