"""The figure of what a sampler draws."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.report.style import BASELINE, headline, style

SHOWN: dict[str, Any] = {"color": "C0", "linewidth": 1.8}
BESIDE: dict[str, Any] = {"color": BASELINE, "alpha": 0.25, "fill": True}


def draws_figure(
    title: str, one: dict[str, Any], yaw: float, counts: dict[str, Any], at_random: dict[str, Any]
) -> Figure:
    """One input's references by yaw bin, the yaw of all references, and their distance from the input.

    All are as :meth:`samplers.support.diagnostics.DrawStatistics.summary` gives them: ``one`` of inputs at ``yaw``
    degrees, ``counts`` of a training, ``at_random`` of uniform draws.
    """
    with style():
        figure = Figure(figsize=(14, 3.9), layout="constrained")
        axes = figure.subplots(1, 3)
        _one_input(axes[0], one["bins"], yaw)
        _yaw(axes[1], counts["yaw"])
        _distance(axes[2], counts["distance"], at_random["distance"])
        for axis in axes:
            axis.grid(visible=False, axis="x")
            axis.legend(frameon=False, fontsize="small")
        headline(figure, title)
    return figure


def _one_input(axis: Axes, bins: dict[str, Any], yaw: float) -> None:
    edges = np.linspace(-180, 180, len(bins["achieved"]) + 1)
    if bins["requested"]:
        axis.stairs(bins["requested"], edges, label="requested", **BESIDE)
    axis.stairs(bins["achieved"], edges, **SHOWN, label="achieved")
    axis.axvline(yaw, color="C3", linestyle=":", label="the input")
    axis.set(title=f"One input at yaw {yaw:g}°", xlabel="yaw bin in degrees", ylabel="references, mean over draws")
    _degrees(axis)


def _yaw(axis: Axes, yaw: dict[str, Any]) -> None:
    edges = np.linspace(-180, 180, len(yaw["inputs"]) + 1)
    axis.stairs(yaw["inputs"], edges, label="training set", **BESIDE)
    axis.stairs(yaw["references"], edges, **SHOWN, label="references")
    axis.set(title="All inputs of a training", xlabel="yaw in degrees", ylabel=f"share in bars of {yaw['width']:g}°")
    _degrees(axis)


def _distance(axis: Axes, distance: dict[str, Any], at_random: dict[str, Any]) -> None:
    edges = np.linspace(0, 180, len(distance["shares"]) + 1)
    axis.stairs(at_random["shares"], edges, label="random references", **BESIDE)
    axis.stairs(distance["shares"], edges, **SHOWN, label="references")
    axis.axvline(distance["mean"], color="C0", linestyle=":", label=f"mean, {distance['mean']:.1f}°")
    axis.set(title="Distance of input and reference", xlabel="geodesic distance in degrees", xlim=(0, 180))
    axis.set(ylabel=f"share in bars of {distance['width']:g}°", xticks=range(0, 181, 30))


def _degrees(axis: Axes) -> None:
    axis.set(xlim=(-180, 180), xticks=range(-180, 181, 60))
