"""Errors image by image, from the stored predictions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from benchmark.report.summary import LEVEL
from benchmark.statistics import half_width
from benchmark.store import Store
from benchmark.store.reading import TestSet
from mhpe.model.matrix_fisher import log_normalizer_and_moments
from mhpe.train.metrics import errors

SEEDS_READ = 50
"""Seeds of an arm whose predictions are read: a long study has gigabytes of them."""
AT_ONCE = 20_000
"""Predictions whose concentration is worked out at a time: it takes a quarter of a kilobyte and more for each."""
ARMS_SHOWN = 14
"""Arms whose predictions are read, and lines of a figure with one for each arm."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class ImageErrors:
    """Errors of an arm image by image.

    Attributes:
        seeds: S seeds with predictions, at most the first ``SEEDS_READ``.
        mae: (S, N) mean of the yaw, pitch and roll errors, degrees.
        geodesic: (S, N) geodesic error, degrees.
        expected_cosine: (S, N) cosine of the geodesic error that the predicted concentration promises.
    """

    seeds: tuple[int, ...]
    mae: Array
    geodesic: Array
    expected_cosine: Array


@dataclass(frozen=True)
class Images:
    """A protocol's test set and the errors of the arms on it.

    Attributes:
        test_set: labels.
        arms: errors by arm, in the study's order, of arms with predictions.
    """

    test_set: TestSet
    arms: dict[str, ImageErrors]


def read_images(store: Store, cells: pd.DataFrame, baseline: str) -> Images | None:
    """Errors image by image of the first arms and seeds of one preset on one protocol.

    Args:
        store: the results store.
        cells: those with a result, as :meth:`benchmark.store.Store.results` gives them.
        baseline: an arm that is never left out.

    Returns:
        None without labels or predictions. Arms on other images than the first arm's are left out: they cannot be
        compared image by image.
    """
    found: dict[str, ImageErrors] = {}
    labels: dict[str, TestSet | None] = {}
    first: TestSet | None = None
    for arm in first_arms(list(dict.fromkeys(cells["arm"])), baseline):
        of_arm = cells[cells["arm"] == arm].sort_values("seed").head(SEEDS_READ)
        fingerprint = of_arm["test_set"].iloc[0]
        if fingerprint not in labels:
            labels[fingerprint] = store.test_set(fingerprint)
        test_set = labels[fingerprint]
        if test_set is None or (first is not None and test_set.image_ids != first.image_ids):
            continue
        first = first or test_set
        if (of_images := _errors(store, of_arm, test_set)) is not None:
            found[arm] = of_images
    return Images(first, found) if first is not None and found else None


def first_arms(arms: Sequence[str], baseline: str) -> list[str]:
    """The first ``ARMS_SHOWN`` arms in order, the baseline among them if it is there at all."""
    kept = set(arms[:ARMS_SHOWN])
    if baseline in arms and baseline not in kept:
        kept = {*arms[: ARMS_SHOWN - 1], baseline}
    return [arm for arm in arms if arm in kept]


def _errors(store: Store, cells: pd.DataFrame, labels: TestSet) -> ImageErrors | None:
    images = len(labels.rotations)
    stored = store.predictions(cells["trial"], labels.fingerprint)
    found = {
        int(seed): stored[key]
        for seed, key in zip(cells["seed"], cells["trial"], strict=True)
        if key in stored and len(stored[key][0]) == images
    }
    if not found:
        return None
    # All seeds at once: the work on one is less than the calls for it.
    predicted, strengths = (torch.from_numpy(np.concatenate(part)) for part in zip(*found.values(), strict=True))
    rotations, angles = torch.from_numpy(labels.rotations), torch.from_numpy(labels.angles)
    of_all = errors(predicted, rotations.repeat(len(found), 1, 1), angles.repeat(len(found), 1))
    moments = torch.cat([log_normalizer_and_moments(part.double())[1] for part in strengths.split(AT_ONCE)])
    expected = (moments.sum(-1) - 1) / 2  # E[cos theta] = (E[tr(M^T R)] - 1) / 2
    mae, geodesic, expected_cosine = (
        values.float().view(len(found), images).numpy() for values in (of_all.euler.mean(1), of_all.geodesic, expected)
    )
    return ImageErrors(tuple(found), mae, geodesic, expected_cosine)


EDGES = np.array([0, 15, 30, 45, 60, 75, 90, 180])
"""Of the bins, degrees; the last one takes the few images beyond 90."""


def errors_by_yaw(images: Images) -> pd.DataFrame:
    """Geodesic errors of a protocol's arms in bins of |yaw|; bins without images are left out.

    Returns:
        Columns arm, low and high (of the bin, degrees), images, seeds, geodesic_mean and geodesic_mean_hw, the mean
        over seeds in degrees and the half-width of its Student-t interval.
    """
    place = np.digitize(np.abs(images.test_set.angles[:, 0]), EDGES[:-1]) - 1
    rows = []
    for arm, of_arm in images.arms.items():
        for number in np.unique(place):
            chosen = place == number
            of_seeds = of_arm.geodesic[:, chosen].mean(1)
            rows.append(
                {
                    "arm": arm,
                    "low": EDGES[number],
                    "high": EDGES[number + 1],
                    "images": int(chosen.sum()),
                    "seeds": len(of_seeds),
                    "geodesic_mean": float(of_seeds.mean()),
                    "geodesic_mean_hw": half_width(of_seeds, LEVEL),
                }
            )
    return pd.DataFrame(rows)
