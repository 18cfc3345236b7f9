"""Everything that is reported of one study, and its files."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from benchmark.report.images import Images, read_images
from benchmark.report.search import SearchReport
from benchmark.report.sentences import machines_note, study_verdict
from benchmark.report.summary import baselines_of
from benchmark.report.text import protocol_title, slug
from benchmark.report.views import COLUMNS, POOL_NOTE, VIEWS, shown, to_text
from benchmark.report.writers import FigureFile, TextTable, csv_text, table_files, write_files
from benchmark.statistics import MARGIN
from benchmark.store import Store

SEED_COLUMNS = [
    "arm", "protocol", "preset", "seed", "yaw", "pitch", "roll", "mae", "maev", "geodesic_mean", "device", "precision",
    "trial",
]  # fmt: skip
"""Of the table that every number of a report can be recomputed from."""


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
    table: pd.DataFrame  # as benchmark.report.summary.summarise and secondary.add_draws give it, with q
    draws: pd.DataFrame  # as benchmark.report.secondary.draw_table gives it
    caveats: dict[str, str]  # by protocol, in which way its data are not the published ones; nothing for most
    core: str  # what the baseline's core changes of the presets', in sentences; nothing for most
    searches: list[SearchReport] = field(default_factory=list)  # of the study; none for most
    other_metrics: pd.DataFrame = field(default_factory=pd.DataFrame)  # see benchmark.report.secondary.other_metrics
    tables: dict[str, ReportTable] = field(default_factory=dict)  # beside the main one, by name
    files: dict[str, str] = field(default_factory=dict)  # see other_files
    figures: list[FigureFile] = field(default_factory=list)
    not_drawn: dict[str, str] = field(default_factory=dict)  # titles of those that were not, and why

    def __post_init__(self) -> None:
        self.slug = slug(self.name)  # the name as files and links have it
        self.title = str(self.definition["title"])
        self.baseline = str(self.definition["baseline"])  # label of the arm that most others are compared with
        self.baselines = baselines_of(self.cells, self.definition)  # by arm, the one it is compared with
        self.margin = float(self.definition.get("margin", MARGIN))  # of equivalence, degrees of MAE
        self.kind = "confirmatory" if self.definition.get("confirmatory") else "exploratory"
        self.missing_cells = int(self.cells["mae"].isna().sum())  # cells of the grid without a result

    @cached_property
    def text(self) -> pd.DataFrame:
        """The table for display, once it has q."""
        return to_text(self.table, COLUMNS).set_index(self.table.index)

    @property
    def place(self) -> str:
        """The title, and the protocol if there is but one."""
        protocols = self.table["protocol"].unique()
        return f"{self.title}, {protocol_title(protocols[0])}" if len(protocols) == 1 else self.title

    @property
    def on_published_data(self) -> pd.DataFrame:
        """The rows of the table whose results may stand beside published ones."""
        return self.table[~self.table["protocol"].isin(self.caveats)]

    @property
    def verdict(self) -> str:
        """A sentence, and a line, a protocol."""
        return study_verdict(self.table, self.margin)


class Material:
    """A study at one preset."""

    def __init__(self, store: Store, report: StudyReport, preset: str) -> None:
        self.store, self.study, self.preset = store, report.name, preset
        self.title, self.margin = report.title, report.margin
        self.baseline, self.baselines = report.baseline, report.baselines
        tables = (report.cells, report.table, report.draws)
        self.cells, self.table, self.draws = (table[table["preset"] == preset] for table in tables)

    @cached_property
    def protocols(self) -> list[str]:
        """Names of the protocols with a result, in order."""
        return list(dict.fromkeys(self.table.loc[self.table["mae"].notna(), "protocol"]))

    @property
    def incomplete(self) -> str:
        """Which share of the grid is there, or nothing if all of it is."""
        there = int(self.cells["mae"].notna().sum())
        return "" if there == len(self.cells) else f"incomplete: {there:,} of {len(self.cells):,} cells"

    def arms(self, protocol: str) -> pd.DataFrame:
        """Rows of the arms with a result on a protocol, in order."""
        return self.table[(self.table["protocol"] == protocol) & self.table["mae"].notna()]

    @cached_property
    def images(self) -> dict[str, Images]:
        """Errors image by image of the first arms and seeds, by protocol; of those with labels and predictions."""
        done = self.cells[self.cells["mae"].notna()]
        found = {
            name: read_images(self.store, done[done["protocol"] == name], self.baseline) for name in self.protocols
        }
        return {protocol: images for protocol, images in found.items() if images}


def other_files(report: StudyReport, yaw: pd.DataFrame) -> dict[str, str]:
    """The tables that no other study of a report changes, as texts by the names of their files."""
    seeds = report.cells[report.cells["mae"].notna()][SEED_COLUMNS].rename(columns={"geodesic_mean": "geodesic"})
    files = {f"{report.slug}-seeds.csv": csv_text(seeds)}
    if not yaw.empty:
        files[f"{report.slug}-yaw.csv"] = csv_text(yaw)
    for name, (heading, table, text) in report.tables.items():
        of_trainings = name in ("draws", "published")  # of all protocols
        about = (report.title, "") if of_trainings else (report.place, " ".join(dict.fromkeys(report.caveats.values())))
        files |= table_files(table, {heading: text}, *about, f"{report.slug}-{name}")
    for search in report.searches:
        files[f"{search.name}-points.csv"] = csv_text(search.points)
        views = {"The best points on fresh seeds": search.text}
        files |= table_files(search.best, views, search.title, search.summary, search.name)
    return files


def write_study(report: StudyReport, folder: Path) -> None:
    """Write a study's tables and figures."""
    views = {}
    for heading, (columns, note) in VIEWS.items():
        cells = shown(report.text, columns)
        views[heading] = TextTable(cells, f"{note} {POOL_NOTE}" if "Pool" in cells else note)
    caveats, kind = dict.fromkeys(report.caveats.values()), f"This study is {report.kind}."
    lead = " ".join(filter(None, (report.verdict, kind, *caveats, report.core, machines_note(report.cells))))
    write_files(table_files(report.table, views, report.place, lead, report.slug) | report.files, folder / "tables")
    for figure in (*report.figures, *(search.figure for search in report.searches if search.figure)):
        figure.write(folder / "figures")
