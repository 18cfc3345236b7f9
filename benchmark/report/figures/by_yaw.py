"""Error by |yaw| of the head."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from benchmark.report.by_yaw import errors_by_yaw
from benchmark.report.figures.drawing import INTERVAL_FROM, Drawing, shown_note
from benchmark.report.figures.per_image import images_of
from benchmark.report.images import SEEDS_READ
from benchmark.report.labels import protocol_title
from benchmark.report.material import Material
from benchmark.report.style import headline, legend, line_styles, panels

FEW = 50
"""Images below which a bin's point is an empty marker."""
STEP, SPREAD = 0.04, 0.2
"""From one arm's points to the next one's, and of all arms' points at most, in bins."""


def draw(material: Material) -> Drawing:
    """Mean geodesic error in bins of |yaw| with its interval over seeds, and the number of images."""
    found = images_of(material)
    figure, axes = panels(len(found), width=5.4)
    for axis, (protocol, images) in zip(axes, found.items(), strict=True):
        rows = errors_by_yaw(images)
        bins = rows.drop_duplicates("low")
        names = [f"{low}–{high}" if low < 90 else "90–" for low, high in zip(bins["low"], bins["high"], strict=True)]
        ticks = [f"{name}\n{count:,}" for name, count in zip(names, bins["images"], strict=True)]
        axis.set_xticks(np.arange(len(bins)), ticks, fontsize=8)
        styles = line_styles(list(images.arms), material.baseline)
        spread = min(SPREAD, STEP * (len(images.arms) - 1))
        offsets = np.linspace(-spread / 2, spread / 2, len(images.arms))
        for (arm, of_arm), offset in zip(rows.groupby("arm", sort=False), offsets, strict=True):
            _line(axis, str(arm), of_arm, offset, styles[str(arm)])
        axis.set(title=protocol_title(protocol), xlabel="|yaw| in degrees, and number of images")
        axis.set(ylabel="mean geodesic error in degrees", ylim=(0, None))
        axis.grid(visible=False, axis="x")
    legend(figure, axes)
    headline(figure, f"{material.title}: error by |yaw|")
    return Drawing(
        figure,
        "Mean geodesic error of the images in each bin of |yaw|, over seeds "
        f"(at most {SEEDS_READ}), with its 95 % Student-t interval (from {INTERVAL_FROM} seeds on); empty markers "
        f"stand for fewer than {FEW} images. "
        "Geodesic, since Euler angles are ill-conditioned near yaw 90." + shown_note(material.table["arm"].nunique()),
        f"Line chart of the geodesic error by |yaw| bin, a line for each arm, {material.baseline} the baseline.",
    )


def _line(axis: Axes, arm: str, rows: pd.DataFrame, offset: float, look: dict[str, Any]) -> None:
    x, y = np.arange(len(rows)) + offset, rows["geodesic_mean"].to_numpy()
    few = (rows["images"] < FEW).to_numpy()
    axis.plot(x, y, ms=5, label=arm, **look)
    axis.plot(x[few], y[few], look["marker"], ms=5, color=look["color"], mfc="white")
    if rows["seeds"].iloc[0] >= INTERVAL_FROM:
        axis.errorbar(x, y, rows["geodesic_mean_hw"], fmt="none", ecolor=look["color"], elinewidth=1)
