"""How the cost of a training grows: inputs a second against K, batch, image size and size of the training set."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, StrMethodFormatter

from benchmark.report.style import headline, legend, panels
from mhpe.config import CoreConfig
from mhpe.data import HeadPoseSet
from samplers.gaussian import Gaussian
from tools.perf.made_up import W300LP_IMAGES, made_up_set
from tools.perf.stopwatch import step_seconds

BASE = CoreConfig()
IMAGES = 20_000
"""Training set where nothing else is said."""
SECONDS = 2.0
"""About how long a point is timed."""


@dataclass(frozen=True)
class Series:
    """One quantity that is varied, everything else as in preset ``standard``.

    Attributes:
        name: of the quantity.
        key: of it in the core's configuration; None for the training set's size.
        values: of it.
    """

    name: str
    key: str | None
    values: tuple[int, ...]


SERIES = (
    Series("references of an input, K", "k", (1, 2, 4, 8, 16, 32)),
    Series("inputs in a batch", "batch_size", (8, 16, 32, 64, 128)),
    Series("side of an image, pixels", "image_size", (64, 112, 224)),
    Series("images in the training set", None, (2_000, 8_000, 32_000, W300LP_IMAGES)),
)


def growth(device: torch.device) -> pd.DataFrame:
    """Inputs a second of each point.

    Returns:
        Columns series, value, references ("exact" or "pool"), inputs_per_second.
    """
    return pd.DataFrame([row for series in SERIES for row in _points(series, device)])


def growth_figure(points: pd.DataFrame, device_name: str) -> Figure:
    """A panel for each quantity."""
    figure, axes = panels(len(SERIES), width=3.4)
    for axis, series in zip(axes, SERIES, strict=True):
        of_series = points[points["series"] == series.name]
        for marker, (references, line) in zip("os", of_series.groupby("references", sort=False), strict=True):
            label = f"a pool of {BASE.pool_size}" if references == "pool" else "exact references"
            axis.plot(line["value"], line["inputs_per_second"], marker=marker, label=label)
        axis.set(xlabel=series.name, xscale="log", yscale="log")
        axis.set_xticks(series.values, [f"{value:,}" for value in series.values])
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axis.set_ylim(points["inputs_per_second"].min() / 1.3, points["inputs_per_second"].max() * 1.3)
        axis.minorticks_off()
    axes[0].set_ylabel("inputs a second")
    legend(figure, axes)
    headline(figure, f"Cost of a training on {device_name}, preset standard, gaussian 30, made-up images")
    return figure


def _points(series: Series, device: torch.device) -> Iterator[dict[str, object]]:
    for references in ("exact", "pool"):
        for value in series.values:
            change = {"references": references} | ({series.key: value} if series.key else {})
            config = BASE.model_copy(update=change)
            data = made_up_set(value if series.key is None else IMAGES, config.image_size)
            yield {
                "series": series.name,
                "value": value,
                "references": references,
                "inputs_per_second": config.batch_size / _step(config, data, device),
            }


def _step(config: CoreConfig, data: HeadPoseSet, device: torch.device) -> float:
    first = step_seconds(config, data, Gaussian(sigma=30), device, 2).mean()
    steps = int(np.clip(SECONDS / first, 3, 100))
    return float(step_seconds(config, data, Gaussian(sigma=30), device, steps).mean())
