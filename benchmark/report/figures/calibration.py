"""Whether the predicted concentration tells how large the error is."""

import numpy as np
from numpy.typing import NDArray

from benchmark.report.figures.drawing import Drawing, LackingError, shown_note
from benchmark.report.figures.per_image import images_of
from benchmark.report.images import SEEDS_READ, ImageErrors
from benchmark.report.labels import protocol_title
from benchmark.report.material import Material
from benchmark.report.style import headline, legend, line_styles, panels

GROUPS = 10
FEWEST = 5
"""Images in a group, at least."""


def draw(material: Material) -> Drawing:
    """Observed against expected error in ten groups of equal size, from the most to the least certain images."""
    found = images_of(material)
    everything = [of_arm for images in found.values() for of_arm in images.arms.values()]
    if max(of_arm.geodesic.shape[1] for of_arm in everything) < 2 * FEWEST:
        raise LackingError(f"fewer than {2 * FEWEST} images")
    if not any(_says_how_sure(of_arm) for of_arm in everything):
        raise LackingError("no arm predicts a concentration")
    figure, axes = panels(len(found))
    for axis, (protocol, images) in zip(axes, found.items(), strict=True):
        styles = line_styles(list(images.arms), material.baseline)
        for arm, of_arm in images.arms.items():
            if not _says_how_sure(of_arm):
                continue  # a plain regressor
            axis.plot(*calibration(of_arm), ms=5, label=arm, **styles[arm])
        ends = min(axis.get_xlim()[0], axis.get_ylim()[0]), max(axis.get_xlim()[1], axis.get_ylim()[1])
        axis.plot(ends, ends, color="#999999", lw=1, label="calibrated")
        axis.set(title=protocol_title(protocol), xlim=ends, ylim=ends)
        axis.set(xlabel="expected error in degrees", ylabel="observed error in degrees")
    legend(figure, axes)
    headline(figure, f"{material.title}: calibration of the concentration")
    return Drawing(
        figure,
        "Each seed's images in ten groups by the predicted matrix Fisher concentration; points are means of the "
        "groups over seeds. Across: the error that it promises, up: "
        "the observed one, both as the angle whose cosine is the group's mean cosine of the geodesic error "
        "(E[cos θ] = (d₁ + d₂ + d₃ − 1) / 2 with the distribution's moments d). Above the line the network is too "
        f"sure. At most {SEEDS_READ} seeds." + shown_note(material.table["arm"].nunique()),
        "Calibration curves, observed against expected error, a line for each arm and the diagonal.",
    )


def _says_how_sure(errors: ImageErrors) -> bool:
    return not np.isnan(errors.expected_cosine).any()


def calibration(errors: ImageErrors) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Expected and observed error in degrees of a seed's groups of equal size, by expected error; means over seeds.

    Groups over all seeds at once would put the seeds that are surer than others into groups of their own.
    """
    expected = errors.expected_cosine.astype(float)
    observed = np.cos(np.radians(errors.geodesic.astype(float)))
    order = np.argsort(-expected, axis=1, kind="stable")
    values = np.stack([np.take_along_axis(of_seeds, order, 1) for of_seeds in (expected, observed)])
    groups = np.array_split(values, max(1, min(GROUPS, values.shape[2] // FEWEST)), axis=2)
    means = np.stack([group.mean((1, 2)) for group in groups], axis=1)
    angles: NDArray[np.float64] = np.degrees(np.arccos(np.clip(means, -1, 1)))
    return angles[0], angles[1]
