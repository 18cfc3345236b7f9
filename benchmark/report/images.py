"""Errors image by image, from the stored predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from benchmark.statistics import half_width
from benchmark.store import Store
from benchmark.store.reading import TestSet

SEEDS_READ = 50  # seeds of an arm whose predictions are read: a long study has gigabytes of them
EULER = ("yaw", "pitch", "roll")
NODES = np.polynomial.legendre.leggauss(12)  # Gauss-Legendre nodes and weights on [-1, 1]: errors below 0.002 degrees
ARMS_SHOWN = 14  # arms whose predictions are read, and lines of a figure with one for each arm

Array = NDArray[np.float32]


@dataclass(frozen=True)
class ImageErrors:
    """Errors of an arm image by image."""

    seeds: tuple[int, ...]  # S seeds with predictions, at most the first SEEDS_READ
    mae: Array  # (S, N) mean of the yaw, pitch and roll errors, degrees
    geodesic: Array  # (S, N) geodesic error, degrees
    expected_cosine: Array  # (S, N) cosine of the geodesic error that the predicted concentration promises


@dataclass(frozen=True)
class Images:
    """A protocol's test set and the errors of the arms on it."""

    test_set: TestSet
    arms: dict[str, ImageErrors]  # errors by arm, in the study's order, of arms with predictions


def read_images(store: Store, cells: pd.DataFrame, baseline: str) -> Images | None:
    """Errors image by image of the first arms and seeds of one preset on one protocol; the baseline is never left out.

    The ``cells`` are those with a result. None without labels or predictions. Arms on other images than the first arm's
    are left out: they cannot be compared image by image.
    """
    found: dict[str, ImageErrors] = {}
    labels = cache(store.test_set)
    first: TestSet | None = None
    for arm in first_arms(list(dict.fromkeys(cells["arm"])), baseline):
        of_arm = cells[cells["arm"] == arm].sort_values("seed").head(SEEDS_READ)
        test_set = labels(of_arm["test_set"].iloc[0])
        if test_set is None or (first is not None and test_set.image_ids != first.image_ids):
            continue
        first = first or test_set
        if (of_images := _errors(store, of_arm, test_set)) is not None:
            found[arm] = of_images
    return Images(first, found) if first is not None and found else None


def first_arms(arms: Sequence[str], baseline: str) -> list[str]:
    """The first ``ARMS_SHOWN`` arms in order, the baseline among them if it is there at all."""
    return [*arms[: ARMS_SHOWN - 1], baseline] if baseline in arms[ARMS_SHOWN:] else list(arms[:ARMS_SHOWN])


def shown_note(count: int) -> str:
    """For a caption: which of ``count`` arms are shown if not all."""
    return f" Shown are {ARMS_SHOWN} of {count:,} arms." if count > ARMS_SHOWN else ""


def _errors(store: Store, cells: pd.DataFrame, labels: TestSet) -> ImageErrors | None:
    stored = store.predictions(cells["trial"], labels.fingerprint)
    found = {}
    for seed, key in zip(cells["seed"], cells["trial"], strict=True):
        if key in stored and len(stored[key][0]) == len(labels.rotations):
            predicted, strengths = stored[key]
            mae = euler_errors(predicted, labels.angles).mean(1)
            found[int(seed)] = mae, geodesic_errors(predicted, labels.rotations), expected_cosine(strengths)
    if not found:
        return None
    values = (np.array(of_seeds, np.float32) for of_seeds in zip(*found.values(), strict=True))
    return ImageErrors(tuple(found), *values)


def euler_angles(rotations: Array) -> NDArray[np.float64]:
    """As :func:`mhpe.rotations.to_euler`, without loading PyTorch, which takes seconds."""
    r = rotations.astype(float)
    yaw = np.arctan2(-r[:, 0, 2], np.hypot(r[:, 0, 0], r[:, 0, 1]))
    pitch, roll = np.arctan2(-r[:, 1, 2], r[:, 2, 2]), np.arctan2(-r[:, 0, 1], r[:, 0, 0])
    return np.asarray(np.degrees(np.stack([yaw, pitch, roll], 1)))


def euler_errors(predicted: Array, angles: Array) -> NDArray[np.float64]:
    """As the ``euler`` of :func:`mhpe.train.metrics.errors`."""
    found = euler_angles(predicted)
    near, other = (
        np.abs((triple - angles + 180) % 360 - 180) for triple in (found, found * [-1, 1, 1] + 180)
    )  # the same rotation as two triples of angles
    turned = (np.abs(angles[:, 0]) > 90) & (other.sum(1) < near.sum(1))
    return np.asarray(np.where(turned[:, None], other, near))


def geodesic_errors(predicted: Array, rotations: Array) -> NDArray[np.float64]:
    """Angles of the rotations from (N, 3, 3) to (N, 3, 3) rotations, (N,) degrees."""
    chord = np.linalg.norm(predicted.astype(float) - rotations, axis=(1, 2))
    return np.asarray(np.degrees(2 * np.arcsin(np.clip(chord / np.sqrt(8), 0, 1))))


def expected_cosine(strengths: Array) -> NDArray[np.float64]:
    """Mean cosine of the angle to the mode under matrix Fisher distributions, (N,): ``(E[tr(M^T R)] - 1) / 2``.

    From their (N, 3) proper singular values, by the quadrature of :mod:`mhpe.model.matrix_fisher` without PyTorch.
    """
    s1, s2, s3 = np.split(strengths.astype(float), 3, axis=1)
    rate, minus, plus = (np.maximum(value, 0) for value in (s1 + s3, (s2 - s3) / 2, (s2 + s3) / 2))
    delta = 1 / (1 + s1 + s2)
    growth = np.log1p(np.minimum(40 / np.maximum(rate, 20), 2) / delta)  # e^-40 is below the rounding error
    t = delta * np.expm1(growth * (NODES[0] + 1) / 2)
    i_minus, i_plus = scipy.special.i0e(minus * t), scipy.special.i0e(plus * (2 - t))
    density = NODES[1] * (t + delta) * i_minus * i_plus * np.exp(-rate * t)
    # d1 + d2 + d3 of the moments, where d2 + d3 is twice the part of s2 + s3.
    trace = 1 - t + (2 - t) * scipy.special.i1e(plus * (2 - t)) / i_plus
    return np.asarray((((density * trace).sum(1) / density.sum(1)) - 1) / 2)


def prediction_table(store: Store, cells: pd.DataFrame) -> pd.DataFrame | None:
    """What :func:`benchmark.predictions` describes, of some cells; None without labels or predictions."""
    tables = []
    for preset, protocol, key, fingerprint in cells[["preset", "protocol", "trial", "test_set"]].to_numpy():
        labels, stored = store.test_set(fingerprint), store.predictions([key], fingerprint)
        if labels is None or key not in stored:
            continue
        predicted = stored[key][0]
        found = euler_errors(predicted, labels.angles)
        angles: dict[str, NDArray[Any]] = {"": euler_angles(predicted), "label_": labels.angles, "error_": found}
        of_angles = {f"{kind}{name}": v for kind, a in angles.items() for name, v in zip(EULER, a.T, strict=True)}
        of_images = {"image": labels.image_ids, "person": labels.identities, **of_angles}
        more = {"mae": found.mean(1), "geodesic": geodesic_errors(predicted, labels.rotations)}
        tables.append(pd.DataFrame({"preset": preset, "protocol": protocol, **of_images, **more}))
    return pd.concat(tables, ignore_index=True) if tables else None


EDGES = np.array([0, 15, 30, 45, 60, 75, 90, 180])  # of the bins, degrees; the last one takes the few images beyond 90


def errors_by_yaw(images: Images) -> pd.DataFrame:
    """Geodesic errors of a protocol's arms in bins of |yaw|; bins without images are left out.

    Columns arm, low and high (of the bin, degrees), images, seeds, geodesic_mean and geodesic_mean_hw, the mean over
    seeds in degrees and the half-width of its Student-t interval.
    """
    place = np.digitize(np.abs(images.test_set.angles[:, 0]), EDGES[:-1]) - 1
    rows = []
    for arm, of_arm in images.arms.items():
        for number, count in zip(*np.unique(place, return_counts=True), strict=True):
            of_seeds = of_arm.geodesic[:, place == number].mean(1)
            mean = float(of_seeds.mean()), half_width(of_seeds)
            rows.append((arm, EDGES[number], EDGES[number + 1], count, len(of_seeds), *mean))
    names = ["arm", "low", "high", "images", "seeds", "geodesic_mean", "geodesic_mean_hw"]
    return pd.DataFrame(rows, columns=names)
