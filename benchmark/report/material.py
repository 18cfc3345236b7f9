"""What figures and tables of single images are made of."""

from functools import cached_property

import pandas as pd

from benchmark.report.images import Images, read_images
from benchmark.report.study_report import StudyReport
from benchmark.store import Store


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
