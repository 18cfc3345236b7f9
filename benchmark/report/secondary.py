"""The secondary analysis: seeds and images together, images clustered by person."""

import numpy as np
import pandas as pd

from benchmark.report.images import errors_by_yaw
from benchmark.report.material import Material
from benchmark.report.text import difference, protocol_title
from benchmark.statistics import bootstrap_difference

NOTE = (
    "Secondary: the difference of MAE to the baseline with a bootstrap interval for new seeds and new persons at once, "
    "and the share of (seed, image) pairs on which the arm is better. The verdict is the primary analysis's."
)
PROBABILITY = ["probability_of_improvement", "probability_low", "probability_high"]


def secondary(material: Material) -> pd.DataFrame:
    """One row per protocol and arm whose predictions can be compared with the baseline's image by image.

    Returns:
        Columns preset, protocol, arm, baseline, seeds, images, persons, difference, low, high (degrees of MAE), and
        probability_of_improvement with its ends probability_low and probability_high.
    """
    rows = []
    for protocol in material.protocols:
        images = material.images(protocol)
        if images is None:
            continue
        persons = images.test_set.identities
        for arm, errors in images.arms.items():
            base = images.arms.get(material.baselines.get(arm, arm), errors)
            if base is errors or not set(errors.seeds) & set(base.seeds):
                continue
            seeds = sorted(set(errors.seeds) & set(base.seeds))
            mine = errors.mae[[errors.seeds.index(seed) for seed in seeds]]
            theirs = base.mae[[base.seeds.index(seed) for seed in seeds]]
            found = bootstrap_difference(mine, theirs, persons)
            rows.append(
                {
                    "preset": material.preset,
                    "protocol": protocol,
                    "arm": arm,
                    "baseline": material.baselines[arm],
                    "seeds": len(seeds),
                    "images": mine.shape[1],
                    "persons": len(np.unique(persons)),
                    **vars(found),
                }
            )
    return pd.DataFrame(rows)


def yaw_table(material: Material) -> pd.DataFrame:
    """Errors in bins of |yaw| on every protocol, with columns preset and protocol; empty without predictions."""
    found = [
        errors_by_yaw(images).assign(preset=material.preset, protocol=protocol)
        for protocol in material.protocols
        if (images := material.images(protocol)) is not None
    ]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def secondary_text(table: pd.DataFrame) -> pd.DataFrame:
    """The same as people read it."""
    return pd.DataFrame(
        {
            "Result": table["arm"],
            "Protocol": table["protocol"].map(protocol_title),
            "Seeds": table["seeds"].astype(str),
            "Images": table["images"].map("{:,}".format),
            "Persons": table["persons"].map("{:,}".format),
            "Difference": [difference(*row) for row in table[["difference", "low", "high"]].to_numpy()],
            "P(better)": [_probability(*row) for row in table[PROBABILITY].to_numpy()],
        }
    )


def _probability(mean: float, low: float, high: float) -> str:
    return f"{mean:.2f}" if np.isnan(low) else f"{mean:.2f} [{low:.2f}, {high:.2f}]"
