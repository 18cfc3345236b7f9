"""Everything that is reported of one study, and its files."""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from benchmark.report import secondary
from benchmark.report.figures import FIGURES, MAIN, NoDataError
from benchmark.report.figures.search import draw_search
from benchmark.report.material import Material
from benchmark.report.notes import caveat, core_note, machines_note
from benchmark.report.published import SLIDES_STUDIES, beside_ours, slides
from benchmark.report.published.slides import published_notes, published_text
from benchmark.report.references import NOTE as DRAW_NOTE
from benchmark.report.references import add_draws, draw_table, draw_text
from benchmark.report.search import NOTE as SEARCH_NOTE
from benchmark.report.search import SearchReport, fresh_text, report_searches
from benchmark.report.style import save, style, watermark
from benchmark.report.summary import baselines_of, summarise
from benchmark.report.text import protocol_title
from benchmark.report.verdicts import study_verdict
from benchmark.report.views import VIEWS, as_text
from benchmark.report.writers import SlidesRow, TextTable, write_csv, write_latex, write_markdown, write_slides_layout
from benchmark.statistics import MARGIN
from benchmark.store import Store

SEED_COLUMNS = [
    "arm", "protocol", "preset", "seed", "yaw", "pitch", "roll", "mae", "maev", "geodesic_mean", "device", "precision",
    "trial",
]  # fmt: skip
"""Of the table that every number of a report can be recomputed from."""
LAYOUT_NOTE = (
    "Grey: results in the slides of earlier work, trained on 300W-LP and tested on BIWI (Protocol 1) and AFLW2000-3D "
    "(Protocol 2), one training each; they compare only with rows on the same protocol."
)


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


class SecondaryTable(NamedTuple):
    """A secondary analysis: numbers, the same for display, and how to read them."""

    heading: str
    table: pd.DataFrame
    text: pd.DataFrame
    note: str


class ReportedSearch(NamedTuple):
    """A search with the figures that were drawn of it."""

    report: SearchReport
    figures: list[FigureFile]


@dataclass
class StudyReport:
    """What is reported of one study.

    Attributes:
        name: of the study.
        definition: as the store has it.
        cells: as :meth:`benchmark.store.Store.results` gives them.
        table: as :func:`benchmark.report.summary.summarise` gives it, with the columns of
            :func:`benchmark.report.references.add_draws` and q.
        draws: as :func:`benchmark.report.references.draw_table` gives it.
        caveats: by protocol, what a reader must know of its test set; nothing for most.
        core: what the baseline's core changes of the presets', in sentences; nothing for most.
        machines: device and precision by trial.
        secondary: the tables of :mod:`benchmark.report.secondary` by name: numbers and text.
        published: the slides' rows beside ours, for a study of the slides.
        figures: that were drawn.
        not_drawn: titles of those that were not, and why.
        searches: of the study; none for most.
    """

    name: str
    definition: dict[str, Any]
    cells: pd.DataFrame
    table: pd.DataFrame
    draws: pd.DataFrame
    caveats: dict[str, str]
    core: str
    machines: pd.DataFrame
    secondary: dict[str, SecondaryTable] = field(default_factory=dict)
    published: pd.DataFrame | None = None
    figures: list[FigureFile] = field(default_factory=list)
    not_drawn: dict[str, str] = field(default_factory=dict)
    searches: list[ReportedSearch] = field(default_factory=list)

    @property
    def slug(self) -> str:
        """The name as files and links have it."""
        return slug(self.name)

    @property
    def title(self) -> str:
        """Of the study."""
        return str(self.definition["title"])

    @property
    def baseline(self) -> str:
        """Label of the arm that most others are compared with."""
        return str(self.definition["baseline"])

    @property
    def margin(self) -> float:
        """Degrees of MAE within which arms count as equivalent."""
        return float(self.definition.get("margin", MARGIN))

    @property
    def kind(self) -> str:
        """Whether the study was planned to confirm something."""
        return "confirmatory" if self.definition.get("confirmatory") else "exploratory"

    @property
    def verdict(self) -> str:
        """A sentence, and a line, a protocol."""
        return study_verdict(self.table, self.margin)

    @property
    def missing_cells(self) -> int:
        """Cells of the grid without a result."""
        return int(self.cells["mae"].isna().sum())


def read_study(store: Store, name: str, definition: dict[str, Any]) -> StudyReport | None:
    """A study's numbers, without q, secondary tables and figures; None if it has no cell yet."""
    cells = store.results(name)
    if cells.empty:
        return None
    table = summarise(cells, baselines_of(cells, definition), definition.get("margin", MARGIN))
    presets = list(dict.fromkeys(table["preset"]))
    draws = pd.concat([draw_table(store, name, preset) for preset in presets], ignore_index=True)
    places = table[["preset", "arm"]].drop_duplicates().itertuples(index=False, name=None)
    cores = {(preset, arm): store.core(name, preset, arm) for preset, arm in places}
    return StudyReport(
        name,
        definition,
        cells,
        add_draws(table, draws, cells, cores),
        draws,
        _caveats(store, cells),
        core_note({preset: cores.get((preset, definition["baseline"])) for preset in presets}),
        store.machines(name),
    )


def write_study(store: Store, report: StudyReport, folder: Path) -> None:
    """Work out the secondary analyses, and write a study's tables and figures."""
    baselines = baselines_of(report.cells, report.definition)
    materials = [
        Material(
            store, report.name, preset, report.title, report.baseline, baselines, report.margin,
            report.cells[report.cells["preset"] == preset], report.table[report.table["preset"] == preset],
            report.draws[report.draws["preset"] == preset],
        )
        for preset in dict.fromkeys(report.table["preset"])
    ]  # fmt: skip
    parts = secondary.part_differences(report.cells, baselines)
    margins = secondary.sensitivity(report.table)
    prices = secondary.price(report.cells, baselines)
    resampled = pd.concat([secondary.bootstrap(material) for material in materials], ignore_index=True)
    found = {
        "parts": (parts, secondary.part_text, "Differences of each angle and of the geodesic error"),
        "margins": (margins, secondary.sensitivity_text, "Verdicts under other margins"),
        "price": (prices, secondary.price_text, "Price of a verdict"),
        "bootstrap": (resampled, secondary.bootstrap_text, "Bootstrap over seeds and persons"),
    }
    report.secondary = {
        name: SecondaryTable(heading, table, text(table), secondary.NOTES[name])
        for name, (table, text, heading) in found.items()
        if not table.empty
    }
    report.published = beside_ours(report.name, report.table) if report.name in SLIDES_STUDIES else None
    _write_tables(report, folder / "tables")
    yaw = pd.concat([secondary.yaw_table(material) for material in materials], ignore_index=True)
    if not yaw.empty:
        write_csv(yaw, folder / "tables" / f"{report.slug}-yaw.csv")
    for material in materials:
        _draw(report, material, folder / "figures")
    for search in report_searches(store, report.name, report.definition):
        _write_search(report, search, folder)


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
    kind = f"This study is {report.kind}."
    lead = " ".join(filter(None, (report.verdict, kind, *caveats, report.core, machines_note(report.machines))))
    _write(title, report.slug, report.table, views, lead, folder)
    seeds = report.cells[report.cells["mae"].notna()].merge(report.machines, how="left", on="trial")
    write_csv(seeds[SEED_COLUMNS].rename(columns={"geodesic_mean": "geodesic"}), folder / f"{report.slug}-seeds.csv")
    write_slides_layout(
        _slides_rows(report.table), title, LAYOUT_NOTE, f"{report.slug}-mae", folder / f"{report.slug}-mae.tex"
    )
    if not report.draws.empty:
        view = {"What each arm drew": TextTable(draw_text(report.draws), DRAW_NOTE)}
        _write(report.title, f"{report.slug}-draws", report.draws, view, "", folder)
    if report.published is not None:
        notes = published_notes(report.published)
        view = {"Published, recomputed, reproduced": TextTable(published_text(report.published), notes)}
        _write(report.title, f"{report.slug}-published", report.published, view, "", folder)
    for name, (heading, table, text, note) in report.secondary.items():
        view = {heading: TextTable(text, note)}
        _write(title, f"{report.slug}-{name}", table, view, " ".join(caveats), folder)


def _slides_rows(table: pd.DataFrame) -> list[SlidesRow]:
    """The earlier works of the slides, and a study's arms with a result."""

    def row(values: dict[Any, Any], name: str, protocol: str, grey: bool = False) -> SlidesRow:
        errors = (values["yaw"], values["pitch"], values["roll"], values["mae"])
        verdict = values.get("verdict", "")
        return SlidesRow(name, values["bin_width"], values["sigma"], protocol, errors, grey, verdict)

    earlier = [row(r, r["result"], r["protocol"], grey=True) for r in slides("bins").head(4).to_dict("records")]
    own = table[table["mae"].notna()].to_dict("records")
    return earlier + [row(r, r["arm"], protocol_title(r["protocol"])) for r in own]


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
