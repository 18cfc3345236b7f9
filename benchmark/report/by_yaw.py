"""Errors by |yaw| of the head: where on the way to the profile an arm is good or bad."""

import numpy as np
import pandas as pd

from benchmark.report.images import Images
from benchmark.report.material import Material
from benchmark.report.summary import LEVEL
from benchmark.statistics import half_width

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
    for arm, errors in images.arms.items():
        for number in np.unique(place):
            chosen = place == number
            of_seeds = errors.geodesic[:, chosen].mean(1)
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


def yaw_table(material: Material) -> pd.DataFrame:
    """The errors of every protocol, with columns preset and protocol; empty without predictions."""
    found = [
        errors_by_yaw(images).assign(preset=material.preset, protocol=protocol)
        for protocol in material.protocols
        if (images := material.images(protocol)) is not None
    ]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()
