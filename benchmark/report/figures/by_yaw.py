"""Error by |yaw| of the head."""

import numpy as np

from benchmark.report.figures.drawing import Drawing, shown_note
from benchmark.report.figures.per_image import images_of
from benchmark.report.images import SEEDS_READ
from benchmark.report.labels import protocol_title
from benchmark.report.material import Material
from benchmark.report.style import legend, line_styles, panels

EDGES = np.array([0, 15, 30, 45, 60, 75, 90, 180])
"""Of the bins, degrees; the last one takes the few images beyond 90."""


def draw(material: Material) -> Drawing:
    """Mean geodesic error in bins of |yaw|, with the number of images."""
    found = images_of(material)
    figure, axes = panels(len(found))
    for axis, (protocol, images) in zip(axes, found.items(), strict=True):
        place = np.digitize(np.abs(images.test_set.angles[:, 0]), EDGES) - 1
        count = np.bincount(place, minlength=len(EDGES) - 1)
        used = np.flatnonzero(count)
        styles = line_styles(list(images.arms), material.baseline)
        for arm, of_arm in images.arms.items():
            means = [of_arm.geodesic[:, place == i].mean() for i in used]
            axis.plot(np.arange(len(used)), means, ms=5, label=arm, **styles[arm])
        names = [f"{EDGES[i]}–{EDGES[i + 1]}" if EDGES[i] < 90 else "90–" for i in used]
        axis.set_xticks(
            np.arange(len(used)), [f"{name}\n{count[i]:,}" for name, i in zip(names, used, strict=True)], fontsize=8
        )
        axis.set(title=protocol_title(protocol), xlabel="|yaw| in degrees, and number of images")
        axis.set(ylabel="mean geodesic error in degrees", ylim=(0, None))
    legend(figure, axes)
    figure.suptitle(f"{material.title}: error by |yaw|")
    return Drawing(
        figure,
        "Mean geodesic error of the images in each bin of |yaw|, over seeds "
        f"(at most {SEEDS_READ}). Geodesic, since Euler angles are ill-conditioned near yaw 90."
        + shown_note(material.table["arm"].nunique()),
        f"Line chart of the geodesic error by |yaw| bin, a line for each arm, {material.baseline} the baseline.",
    )
