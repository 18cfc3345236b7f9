"""Cumulative error curves."""

import numpy as np

from benchmark.report.figures.drawing import Drawing, shown_note
from benchmark.report.figures.per_image import images_of
from benchmark.report.images import SEEDS_READ
from benchmark.report.labels import protocol_title
from benchmark.report.material import Material
from benchmark.report.style import headline, legend, line_styles, panels

POINTS = 121


def draw(material: Material) -> Drawing:
    """Share of images whose geodesic error is at most x."""
    found = images_of(material)
    figure, axes = panels(len(found))
    for axis, (protocol, images) in zip(axes, found.items(), strict=True):
        end = max(1.0, *(float(np.quantile(of_arm.geodesic, 0.98)) for of_arm in images.arms.values()))
        x = np.linspace(0, end, POINTS)
        styles = line_styles(list(images.arms), material.baseline)
        for arm, of_arm in images.arms.items():
            share = np.searchsorted(np.sort(of_arm.geodesic, axis=None), x, side="right") / of_arm.geodesic.size
            axis.plot(x, 100 * share, markevery=(5, 20), ms=5, label=arm, **styles[arm])
        axis.set(title=protocol_title(protocol), xlabel="geodesic error in degrees", xlim=(0, end), ylim=(0, 100))
        axis.set_ylabel("images with at most this error, %")
    legend(figure, axes)
    headline(figure, f"{material.title}: cumulative error")
    return Drawing(
        figure,
        f"Share of the test images with at most this geodesic error, seeds together (at most {SEEDS_READ}); higher is "
        "better. The axis ends where the worst arm has 98 %." + shown_note(material.table["arm"].nunique()),
        "Cumulative curves of the geodesic error, a line for each arm.",
    )
