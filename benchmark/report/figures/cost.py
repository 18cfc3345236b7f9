"""Cost against error, among other methods."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from benchmark.report.published.peers import CEP, COLUMNS, peers
from benchmark.report.style import Drawing, headline, legend, panels
from benchmark.study.protocols import PROTOCOLS

EQUAL_CEP = (1, 3, 10, 30, 100, 300)
TICKS = (0.1, 0.3, 1, 3, 10, 30, 100)
LETTER, LINE = 4.6, 8.5  # width and height that a digit at a point takes, points


def draw(ours: pd.DataFrame) -> Drawing:
    """Parameters against MAE on the slides' protocols.

    ``ours`` is as :func:`benchmark.report.published.peers.on_published_protocols` gives it.
    """
    named = peers().dropna(subset=["params_m"])
    of_peers = {protocol: named.assign(mae=named[mae]).dropna(subset=["mae"]) for protocol, mae in COLUMNS.items()}
    methods = dict.fromkeys(method for rows in of_peers.values() for method in rows["method"])
    numbers = {method: number for number, method in enumerate(methods, 1)}
    figure, axes = panels(len(COLUMNS), width=5.0, height=4.8, beside=2.6)
    for axis, protocol in zip(axes, COLUMNS, strict=True):
        of_protocol = ours[ours["published"] == protocol]
        rows = of_peers[protocol]
        axis.plot(rows["params_m"], rows["mae"], "o", ms=5, color="#444444", label="published")
        axis.plot(
            of_protocol["weights"] / 1e6, of_protocol["mae"], "D", ms=6, color="C3", alpha=0.8,
            label="measured here" if len(of_protocol) else None,
        )  # fmt: skip
        title = next(p.title for p in PROTOCOLS.values() if p.published == protocol)
        axis.set(title=f"{protocol} ({title})", xscale="log", xlabel="parameters in millions", ylabel="MAE in degrees")
        axis.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
        axis.minorticks_off()
        axis.margins(x=0.2, y=0.12)
        _equal_products(axis)
        _number(axis, rows, numbers)
    for method, number in numbers.items():
        axes[0].plot([], [], linestyle="none", label=f"{number}  {method}")
    legend(figure, axes)
    headline(figure, "Cost and error")
    missing = "" if len(ours) else " No trial of this store is on these protocols, so none of its results is shown."
    return Drawing(
        figure,
        f"Published results of other methods with a source, none rerun here, by number. {CEP}; dotted "
        "lines join equal products." + missing,
        "Scatter plot of MAE against the number of parameters of published methods; the values are in the table.",
    )


def _number(axis: Axes, rows: pd.DataFrame, numbers: dict[str, int]) -> None:
    """Write each method's number at its point, moved down as far as numbers above need."""
    points_per_pixel = 72 / axis.figure.dpi
    placed: list[tuple[float, float, float]] = []  # left, right, bottom
    for row in rows.sort_values("mae", ascending=False).to_dict("records"):
        x, y = axis.transData.transform((row["params_m"], row["mae"])) * points_per_pixel
        text = str(numbers[row["method"]])
        left, right, bottom = x + 5, x + 5 + LETTER * len(text), y - 3
        over = [low for start, end, low in placed if start < right and left < end and low < bottom + LINE]
        bottom = min([bottom, *(low - LINE for low in over)])
        placed.append((left, right, bottom))
        axis.annotate(
            text, (row["params_m"], row["mae"]), (5, bottom - y), textcoords="offset points", fontsize=7.5,
            color="#444444",
        )  # fmt: skip


def _equal_products(axis: Axes) -> None:
    x_limits, y_limits = axis.get_xlim(), axis.get_ylim()
    x = np.geomspace(*x_limits, 60)
    for product in EQUAL_CEP:
        axis.plot(x, product / x, ":", lw=0.8, color="#999999", zorder=1)
        if y_limits[0] < (top := y_limits[1] * 0.985) and x_limits[0] < product / top < x_limits[1]:
            axis.text(product / top, top, f"CEP {product}", fontsize=6.5, color="#777777", ha="left", va="top")
    axis.set(xlim=x_limits, ylim=y_limits)
