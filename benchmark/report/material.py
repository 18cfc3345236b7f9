"""What figures and secondary tables of a study are made of, read when it is needed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.report.images import Images, read_images
from benchmark.store import Store

Array = NDArray[np.float64]


@dataclass
class Material:
    """One study at one preset."""

    store: Store
    study: str
    preset: str
    title: str
    baseline: str  # label of the arm that most others are compared with
    baselines: Mapping[str, str]  # by arm, the arm it is compared with
    margin: float  # of equivalence, degrees
    cells: pd.DataFrame  # of the study at this preset, as benchmark.store.Store.results gives them
    table: pd.DataFrame  # of the same, as benchmark.report.summary.summarise gives it
    draws: pd.DataFrame  # of the same, as benchmark.report.references.draw_table gives them
    _images: dict[str, Images | None] = field(default_factory=dict)

    @property
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

    def images(self, protocol: str) -> Images | None:
        """Errors image by image of the first arms and seeds; None without labels or predictions."""
        if protocol not in self._images:
            of_protocol = self.cells[(self.cells["protocol"] == protocol) & self.cells["mae"].notna()]
            self._images[protocol] = read_images(self.store, of_protocol, self.baseline)
        return self._images[protocol]

    @cached_property
    def losses(self) -> pd.DataFrame:
        """Training losses, as :meth:`benchmark.store.Store.losses` gives them."""
        return self.store.losses(self.study, self.preset)

    @cached_property
    def distances(self) -> dict[str, dict[str, Array]]:
        """By training set and arm: shares of references in equal bars of geodesic distance, 0 to 180 degrees."""
        found = self.store.draws(self.study, self.preset).dropna(subset=["shares"])
        result: dict[str, dict[str, Array]] = {}
        for (train_set, arm), rows in found.groupby(["train_set", "arm"], sort=False):
            result.setdefault(str(train_set), {})[str(arm)] = np.mean(rows["shares"].tolist(), axis=0)
        return result
