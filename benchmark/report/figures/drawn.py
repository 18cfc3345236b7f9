"""The error against what the arms drew."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from benchmark.report.figures.drawing import INTERVAL_FROM, Drawing, LackingError, need_several_rules, shown_note
from benchmark.report.images import first_arms
from benchmark.report.labels import protocol_title
from benchmark.report.material import Material
from benchmark.report.style import headline, legend, line_styles
from benchmark.study.protocols import described

COLUMNS = {
    "images_per_input": "distinct images encoded for an input",
    "distance": "mean distance of input and reference, degrees",
}


def draw(material: Material) -> Drawing:
    """MAE against the number of distinct images and against the references' distance, a point for each arm."""
    if material.draws.empty:
        raise LackingError("no trial stores the diagnostics of its draws")
    need_several_rules(material)
    protocols = material.protocols
    size = (12.0, 0.6 + 3.6 * len(protocols))
    figure, axes = plt.subplots(
        len(protocols), len(COLUMNS), figsize=size, sharey="row", squeeze=False, constrained_layout=True
    )
    for row, protocol in zip(axes, protocols, strict=True):
        rows = material.arms(protocol).merge(_draws(material, protocol), on="arm")
        for axis, (column, words) in zip(row, COLUMNS.items(), strict=True):
            _points(axis, rows, column, material.baseline)
            axis.set_xlabel(words)
        row[0].set(title=protocol_title(protocol), ylabel="MAE in degrees")
    legend(figure, list(axes.flat))
    headline(figure, f"{material.title}: the error against what was drawn")
    return Drawing(
        figure,
        "Each arm's MAE with its 95 % Student-t interval: left against the distinct images that a step encodes for an "
        "input (with fewer there is less to learn from), right against the mean geodesic distance of its references. "
        "An observation, no experiment: in many samplers the two go together."
        + shown_note(material.table["arm"].nunique()),
        "Scatter plots of the MAE against distinct images and against distance, a point for each arm.",
    )


def _draws(material: Material, protocol: str) -> pd.DataFrame:
    known, draws = described(protocol), material.draws
    return draws if known is None else draws[draws["train_set"] == known.train]


def _points(axis: Axes, rows: pd.DataFrame, column: str, baseline: str) -> None:
    arms = first_arms(rows["arm"].tolist(), baseline)
    styles = line_styles(arms, baseline)
    taken: set[tuple[str, str]] = set()
    for row in rows[rows["arm"].isin(arms)].to_dict("records"):
        look = styles[row["arm"]]
        face = "white" if (look["color"], look["marker"]) in taken else look["color"]  # dashes tell lines apart only
        taken.add((look["color"], look["marker"]))
        axis.plot(row[column], row["mae"], look["marker"], color=look["color"], mfc=face, ms=7, label=row["arm"])
        if row["n"] >= INTERVAL_FROM:
            axis.errorbar(
                row[column], row["mae"], row["mae_hw"], fmt="none", ecolor=look["color"], elinewidth=1, zorder=1
            )
