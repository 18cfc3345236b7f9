"""What each arm drew in its trainings: the table that explains why arms differ."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from benchmark.report.text import number, share
from benchmark.report.views import Columns, columns
from benchmark.store import Store
from mhpe.names import title

NOTE = (
    "What each arm drew in its trainings, mean over seeds. Images per input: distinct images that a step encodes for "
    "an input; an arm with fewer trains on fewer images and takes less time. Effective references: the number of "
    "images that, drawn equally often, would be as varied; an estimate without bias, so that it can lie a little above "
    "the number of images in the training set. Coverage: share of the training set drawn at all. From another bin: "
    "share of references that came from another yaw bin than the sampler asked for. Mean distance: angle of the "
    "rotation from a reference to its input, degrees. Where references are supervised, arms differ in how many images "
    "that adds, not only in how far the references are."
)
Cores = Mapping[tuple[str, str], dict[str, Any] | None]
NUMBERS = ["images_per_input", "effective_references", "coverage", "fallback_share", "distance"]


def draw_table(store: Store, study: str, preset: str) -> pd.DataFrame:
    """One row per training set and arm, in the study's order: the preset, and means over seeds of :data:`NUMBERS`."""
    table = store.draws(study, preset).groupby(["train_set", "arm"], sort=False)[NUMBERS].mean().reset_index()
    table.insert(0, "preset", preset)
    return table


def add_draws(table: pd.DataFrame, draws: pd.DataFrame, cells: pd.DataFrame, cores: Cores) -> pd.DataFrame:
    """A study's summary with columns pool (images in it, NaN for exact references), coverage and fallback_share.

    The ``cells`` say on what a protocol trains; ``cores`` are settings of the core by preset and arm.
    """
    place = ["preset", "protocol", "arm"]
    of_cells = cells.dropna(subset=["train_set"]).drop_duplicates(place)[[*place, "train_set"]]
    keys = ["preset", "train_set", "arm"]
    found = of_cells.merge(draws[[*keys, "coverage", "fallback_share"]], how="left", on=keys)
    pools = [
        core.get("pool_size") if (core := cores.get(key) or {}).get("references") == "pool" else None
        for key in zip(table["preset"], table["arm"], strict=True)
    ]
    return table.merge(found.drop(columns="train_set"), how="left", on=place).assign(pool=pd.Series(pools, dtype=float))


DRAWN: Columns = columns("Result", "Preset") | {
    "Trained on": lambda row: title(row["train_set"]),
    "Images per input": lambda row: number(row["images_per_input"], 1),
    "Effective references": lambda row: number(row["effective_references"], 0),
    "Coverage": lambda row: share(row["coverage"]),
    "From another bin": lambda row: share(row["fallback_share"]),
    "Mean distance (°)": lambda row: number(row["distance"], 1),
}
"""What is shown of :func:`draw_table`."""
