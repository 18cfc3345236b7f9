"""Figures of errors image by image."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from benchmark.report.images import SEEDS_READ, ImageErrors, Images, errors_by_yaw, shown_note
from benchmark.report.study_report import Material
from benchmark.report.style import Drawing, NoDataError, in_legend, line_styles, panels
from benchmark.report.summary import INTERVAL_FROM
from benchmark.report.text import protocol_title


def images_of(material: Material) -> dict[str, Images]:
    """Errors image by image of each protocol that has them; a :class:`NoDataError` if none has."""
    if not material.images:
        raise NoDataError("the store holds no predictions of these trials")
    return material.images


FEW = 50  # images below which a bin's point is an empty marker
STEP, SPREAD = 0.04, 0.2  # from one arm's points to the next one's, and of all arms' points at most, in bins


def by_yaw(material: Material) -> Drawing:
    """Mean geodesic error in bins of |yaw| with its interval over seeds, and the number of images."""
    found = images_of(material)
    figure, axes = panels(len(found), 4.8, sharey=True)
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
        axis.set_ylabel("mean geodesic error in degrees")
        axis.grid(visible=False, axis="x")
    axes[0].set_ylim(bottom=0)  # of all panels, once all of them are drawn
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
    axis.plot(x, y, ms=5, label=in_legend(arm), **look)
    axis.plot(x[few], y[few], look["marker"], ms=5, color=look["color"], mfc="white")
    if rows["seeds"].iloc[0] >= INTERVAL_FROM:
        axis.vlines(x, y - rows["geodesic_mean_hw"], y + rows["geodesic_mean_hw"], color=look["color"], lw=1)


POINTS = 121


def cumulative(material: Material) -> Drawing:
    """Share of images whose geodesic error is at most x."""
    found = images_of(material)
    figure, axes = panels(len(found), sharex=True, sharey=True)
    every = [of_arm for images in found.values() for of_arm in images.arms.values()]
    end = max(1.0, *(float(np.quantile(of_arm.geodesic, 0.98)) for of_arm in every))
    x = np.linspace(0, end, POINTS)
    for axis, (protocol, images) in zip(axes, found.items(), strict=True):
        styles = line_styles(list(images.arms), material.baseline)
        for arm, of_arm in images.arms.items():
            share = np.searchsorted(np.sort(of_arm.geodesic, axis=None), x, side="right") / of_arm.geodesic.size
            axis.plot(x, 100 * share, markevery=(5, 20), ms=5, label=in_legend(arm), **styles[arm])
        axis.set(title=protocol_title(protocol), xlabel="geodesic error in degrees", xlim=(0, end), ylim=(0, 100))
        axis.set_ylabel("images with at most this error, %")
    return Drawing(
        figure,
        f"Share of the test images with at most this geodesic error, seeds together (at most {SEEDS_READ}); higher is "
        "better. The axis ends where the worst arm has 98 %." + shown_note(material.table["arm"].nunique()),
        "Cumulative curves of the geodesic error, a line for each arm.",
    )


GROUPS = 10
FEWEST = 5  # images in a group, at least


def calibration(material: Material) -> Drawing:
    """Observed against expected error in ten groups of equal size, from the most to the least certain images."""
    found = images_of(material)
    everything = [of_arm for images in found.values() for of_arm in images.arms.values()]
    if max(of_arm.geodesic.shape[1] for of_arm in everything) < 2 * FEWEST:
        raise NoDataError(f"fewer than {2 * FEWEST} images")
    if not any(_says_how_sure(of_arm) for of_arm in everything):
        raise NoDataError("no arm predicts a concentration")
    figure, axes = panels(len(found), sharex=True, sharey=True)
    for axis, (protocol, images) in zip(axes, found.items(), strict=True):
        styles = line_styles(list(images.arms), material.baseline)
        for arm, of_arm in images.arms.items():
            if not _says_how_sure(of_arm):
                continue  # a plain regressor
            axis.plot(*calibration_curve(of_arm), ms=5, label=in_legend(arm), **styles[arm])
        middle = sum(axis.get_xlim()) / 2  # a point far from the data would be shown, too
        axis.axline((middle, middle), slope=1, color="#999999", lw=1, label="calibrated")
        axis.set(title=protocol_title(protocol), xlabel="expected error in degrees", ylabel="observed error in degrees")
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


def calibration_curve(errors: ImageErrors) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
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
