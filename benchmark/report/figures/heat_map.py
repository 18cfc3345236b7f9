"""MAE over sigma and bin width."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from benchmark.report.figures.drawing import Drawing, LackingError
from benchmark.report.labels import protocol_title
from benchmark.report.material import Material
from benchmark.report.style import headline, panels


def draw(material: Material) -> Drawing:
    """Mean MAE of each sampler that varies both sigma and bin width; darker is better."""
    arms = material.table[material.table["mae"].notna()]
    grids = {
        (str(protocol), sampler): rows
        for (protocol, sampler), rows in arms.groupby(["protocol", "sampler"], sort=False)
        if rows["sigma"].nunique() > 1 and rows["bin_width"].nunique() > 1
    }
    if not grids:
        raise LackingError("no sampler varies both sigma and the bin width")
    sizes = [(rows["sigma"].nunique(), rows["bin_width"].nunique()) for rows in grids.values()]
    width, height = max(s for s, _ in sizes), max(b for _, b in sizes)
    figure, axes = panels(len(grids), max(3.6, 1.8 + 0.65 * width), 1.8 + 0.45 * height, beside=0)
    for axis, ((protocol, sampler), rows) in zip(axes, grids.items(), strict=True):
        _map(axis, rows)
        axis.set_title(f"{sampler}\n{protocol_title(protocol)}", fontsize="medium")
    headline(figure, f"{material.title}: MAE in degrees")
    return Drawing(
        figure,
        "Mean MAE in degrees by standard deviation and range of bins; darker is better. Empty fields have no result. "
        "Neighbouring values differ by chance, too: see the intervals in the table.",
        "Heat map of MAE by standard deviation and range of bins; the values are in the table of this study.",
    )


def _map(axis: Axes, rows: pd.DataFrame) -> None:
    table = rows.pivot_table(index="bin_width", columns="sigma", values="mae").sort_index(ascending=False)
    sns.heatmap(
        table, ax=axis, annot=True, fmt=".2f", cmap="cividis", linewidths=0.5, mask=table.isna(), cbar=False,
        xticklabels=[f"{value:g}" for value in table.columns], yticklabels=[f"{value:g}" for value in table.index],
    )  # fmt: skip
    axis.set(xlabel="standard deviation in degrees", ylabel="range of a bin in degrees")
    axis.tick_params(axis="y", labelrotation=0)
    best = np.unravel_index(np.nanargmin(table.to_numpy()), table.shape)
    axis.add_patch(Rectangle((best[1] + 0.04, best[0] + 0.04), 0.92, 0.92, fill=False, ec="white", lw=1.5))
