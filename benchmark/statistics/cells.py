"""Cells of a study as tables by seed and arm."""

from collections.abc import Iterator, Mapping

import pandas as pd


def groups_of(rows: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Preset, protocol and rows of each group, in order."""
    for (preset, protocol), group in rows.groupby(["preset", "protocol"], sort=False):
        yield str(preset), str(protocol), group


def seed_table(cells: pd.DataFrame, metric: str = "mae") -> pd.DataFrame:
    """A metric by seed (rows) and arm (columns, in the study's order) of one preset on one protocol."""
    table = cells.pivot(index="seed", columns="arm", values=metric).sort_index()
    return table[list(dict.fromkeys(cells["arm"]))]


def paired_differences(values: pd.DataFrame, baselines: Mapping[str, str]) -> pd.DataFrame:
    """Arm minus its own baseline, which ``baselines`` gives by arm: by seed (rows) and arm (columns) as ``values``."""
    compared = {arm: baselines[arm] for arm in map(str, values) if baselines.get(arm, arm) != arm}
    return pd.DataFrame(
        {arm: values[arm] - values.reindex(columns=[own])[own] for arm, own in compared.items()}, values.index
    )
