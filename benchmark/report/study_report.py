"""Everything that is reported of one study, and its files."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from benchmark.report import secondary
from benchmark.report.published.slides import SLIDES_STUDIES, beside_ours, published_notes, published_text
from benchmark.report.sentences import caveat, core_note, machines_note, study_verdict
from benchmark.report.summary import baselines_of, summarise
from benchmark.report.text import protocol_title, slug
from benchmark.report.views import VIEWS, as_text, to_text
from benchmark.report.writers import TextTable, write_csv, write_table
from benchmark.statistics import MARGIN
from benchmark.store import Store

if TYPE_CHECKING:
    from benchmark.report.search import SearchReport

SEED_COLUMNS = [
    "arm", "protocol", "preset", "seed", "yaw", "pitch", "roll", "mae", "maev", "geodesic_mean", "device", "precision",
    "trial",
]  # fmt: skip
"""Of the table that every number of a report can be recomputed from."""


@dataclass(frozen=True)
class FigureFile:
    """A figure that was drawn."""

    name: str  # of its files, without suffix
    title: str  # what it shows
    caption: str  # how to read it
    alt: str  # alternative text
    svg: str  # its drawing
    png: bytes = b""  # the same as PNG file; empty if it was not asked for
    main: bool = True  # whether the page shows it without being asked

    def write(self, folder: Path) -> None:
        """Write the SVG file, and the PNG file if there is one."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.svg").write_text(self.svg, encoding="utf-8")
        if self.png:
            (folder / f"{self.name}.png").write_bytes(self.png)


@dataclass
class Analysis:
    """What of a study's report takes time: figures, and numbers from single images of all presets."""

    bootstrap: pd.DataFrame = field(default_factory=pd.DataFrame)  # see benchmark.report.analysis.bootstrap
    yaw: pd.DataFrame = field(default_factory=pd.DataFrame)  # errors_by_yaw of each preset and protocol
    far: pd.DataFrame = field(default_factory=pd.DataFrame)  # see benchmark.report.analysis.far_errors
    figures: list[FigureFile] = field(default_factory=list)
    not_drawn: dict[str, str] = field(default_factory=dict)  # titles of those that were not, and why
    of_searches: list[list[FigureFile]] = field(default_factory=list)


class ReportTable(NamedTuple):
    """A table beside a study's main one."""

    heading: str
    table: pd.DataFrame  # in numbers
    text: TextTable  # for display


@dataclass
class StudyReport:
    """What is reported of one study."""

    name: str
    definition: dict[str, Any]  # as the store has it
    cells: pd.DataFrame  # as benchmark.store.Store.results gives them
    # as benchmark.report.summary.summarise gives it, with the columns of benchmark.report.secondary.add_draws
    # and q
    table: pd.DataFrame
    draws: pd.DataFrame  # as benchmark.report.secondary.draw_table gives it
    caveats: dict[str, str]  # by protocol, what a reader must know of its test set; nothing for most
    core: str  # what the baseline's core changes of the presets', in sentences; nothing for most
    searches: list["SearchReport"]  # of the study; none for most
    analysis: Analysis = field(default_factory=Analysis)

    def __post_init__(self) -> None:
        self.slug = slug(self.name)  # the name as files and links have it
        self.title = str(self.definition["title"])
        self.baseline = str(self.definition["baseline"])  # label of the arm that most others are compared with
        self.baselines = baselines_of(self.cells, self.definition)  # by arm, the one it is compared with
        self.margin = float(self.definition.get("margin", MARGIN))  # of equivalence, degrees of MAE
        self.kind = "confirmatory" if self.definition.get("confirmatory") else "exploratory"
        self.missing_cells = int(self.cells["mae"].isna().sum())  # cells of the grid without a result

    @property
    def verdict(self) -> str:
        """A sentence, and a line, a protocol."""
        return study_verdict(self.table, self.margin)

    @cached_property
    def other_metrics(self) -> pd.DataFrame:
        """As :func:`benchmark.report.secondary.other_metrics` gives it."""
        cells, far = self.cells, self.analysis.far
        if not far.empty:
            cells = cells.merge(far, how="left", on=["preset", "protocol", "arm", "seed"])
        return secondary.other_metrics(cells, self.baselines, self.margin)

    @cached_property
    def tables(self) -> dict[str, ReportTable]:
        """The tables beside the main one that have a row, by name."""
        tables = {
            "draws": self.draws,
            "parts": self.other_metrics,
            "margins": secondary.sensitivity(self.table),
            "price": secondary.price(self.cells, self.baselines),
            "bootstrap": self.analysis.bootstrap,
        }
        places = {"Preset": self.table["preset"], "Trained on": self.draws["train_set"]}
        same = [name for name, values in places.items() if values.nunique() < 2]
        found = {}
        for name, table in tables.items():
            heading, columns, note = secondary.TABLES[name]
            shown = to_text(table, columns) if columns else secondary.part_text(table)
            if len(shown):
                found[name] = ReportTable(heading, table, TextTable(shown.drop(columns=same, errors="ignore"), note))
        if self.name in SLIDES_STUDIES:
            rows = beside_ours(self.name, self.table)
            text = TextTable(published_text(rows), published_notes(rows))
            found["published"] = ReportTable("Published, recomputed, reproduced", rows, text)
        return found


def read_study(
    store: Store, name: str, definition: dict[str, Any], cells: pd.DataFrame, searches: "list[SearchReport]"
) -> StudyReport:
    """A study's numbers, without q and analysis; ``cells`` as :meth:`benchmark.store.Store.results` gives them."""
    table = summarise(cells, baselines_of(cells, definition), definition.get("margin", MARGIN))
    presets = list(dict.fromkeys(table["preset"]))
    draws = pd.concat([secondary.draw_table(store, name, preset) for preset in presets], ignore_index=True)
    places = table[["preset", "arm"]].drop_duplicates().itertuples(index=False, name=None)
    cores = {(preset, arm): store.core(name, preset, arm) for preset, arm in places}
    tests = cells[["protocol", "test_set"]].drop_duplicates().itertuples(index=False, name=None)
    return StudyReport(
        name,
        definition,
        cells,
        secondary.add_draws(table, draws, cells, cores),
        draws,
        {protocol: said for protocol, fingerprint in tests if (said := caveat(store.test_set(fingerprint)))},
        core_note({preset: cores.get((preset, definition["baseline"])) for preset in presets}),
        searches,
    )


def write_study(report: StudyReport, folder: Path) -> None:
    """Write a study's tables and figures."""
    tables = folder / "tables"
    protocols = report.table["protocol"].unique()
    title = f"{report.title}, {protocol_title(protocols[0])}" if len(protocols) == 1 else report.title
    views = {heading: TextTable(as_text(report.table, columns), note) for heading, (columns, note) in VIEWS.items()}
    caveats = dict.fromkeys(report.caveats.values())
    kind = f"This study is {report.kind}."
    lead = " ".join(filter(None, (report.verdict, kind, *caveats, report.core, machines_note(report.cells))))
    write_table(report.table, views, title, lead, tables / report.slug)
    seeds = report.cells[report.cells["mae"].notna()]
    write_csv(seeds[SEED_COLUMNS].rename(columns={"geodesic_mean": "geodesic"}), tables / f"{report.slug}-seeds.csv")
    if not report.analysis.yaw.empty:
        write_csv(report.analysis.yaw, tables / f"{report.slug}-yaw.csv")
    for name, (heading, table, text) in report.tables.items():
        of_trainings = name in ("draws", "published")  # of all protocols
        about = (report.title, "") if of_trainings else (title, " ".join(caveats))
        write_table(table, {heading: text}, *about, tables / f"{report.slug}-{name}")
    for search in report.searches:
        write_csv(search.points, tables / f"{search.name}-points.csv")
        views = {"The best points on fresh seeds": search.text}
        write_table(search.best, views, search.title, search.summary, tables / search.name)
    for figure in (*report.analysis.figures, *(figure for of in report.analysis.of_searches for figure in of)):
        figure.write(folder / "figures")
