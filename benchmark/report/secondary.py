"""The secondary analysis: seeds and images together, images clustered by person."""

import numpy as np
import pandas as pd

from benchmark.report.labels import protocol_title
from benchmark.report.material import Material
from benchmark.report.text import difference, percent
from benchmark.statistics import bootstrap_difference, variance_split

NOTE = (
    "Secondary: the difference of MAE to the baseline with a bootstrap interval over seeds and persons (for new seeds "
    "and new persons at once), the share of (seed, image) pairs on which the arm is better, and the sources of the "
    "variance of this mean difference, for new seeds and new persons (seeds x persons: what a seed does to a "
    "person). The verdict is the primary analysis's, not this one's."
)
PROBABILITY = ["probability_of_improvement", "probability_low", "probability_high"]
SOURCES = {
    "seed": "seeds",
    "person": "persons",
    "seed_person": "seeds × persons",
    "image": "images",
    "residual": "rest",
}
"""Components of :func:`benchmark.statistics.variance_split`, and what they are called."""
SHARES = ("share", "share_of_mean")


def secondary(material: Material) -> pd.DataFrame:
    """One row per protocol and arm whose predictions can be compared with the baseline's image by image.

    Returns:
        Columns preset, protocol, arm, baseline, seeds, images, persons, difference, low, high (degrees of MAE),
        probability_of_improvement with its ends probability_low and probability_high, and for each of the sources
        seed, person, seed_person, image and residual its ``_share`` of the variance of a single image's difference
        and its ``_share_of_mean``, of the variance of the mean difference.
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
            split = variance_split(mine - theirs, persons)
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
                    **{f"{source}_{kind}": split.loc[source, kind] for kind in SHARES for source in SOURCES},
                }
            )
    return pd.DataFrame(rows)


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
            **{f"From {words}": table[f"{source}_share_of_mean"].map(percent) for source, words in SOURCES.items()},
        }
    )


def _probability(mean: float, low: float, high: float) -> str:
    return f"{mean:.2f}" if np.isnan(low) else f"{mean:.2f} [{low:.2f}, {high:.2f}]"
