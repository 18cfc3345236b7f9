"""Secondary analyses: they explain a verdict, and decide none."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from benchmark.report.images import errors_by_yaw
from benchmark.report.material import Material
from benchmark.report.text import difference, duration, number, protocol_title
from benchmark.statistics import (
    bootstrap_difference,
    groups_of,
    half_width,
    paired_differences,
    seed_table,
    seeds_needed,
    verdict,
)
from benchmark.statistics.pilot import pooled, spreads

PARTS = {"yaw": "Yaw", "pitch": "Pitch", "roll": "Roll", "geodesic_mean": "Geodesic"}
"""Metrics whose differences have an interval of their own, and their headings."""
MARGINS = (0.05, 0.1, 0.15, 0.2)
"""Margins of equivalence, degrees, that the sensitivity table tries."""
FOUND = 0.2
"""Difference in degrees whose price is worked out."""
NOTES = {
    "parts": "Secondary: difference to the baseline over paired seeds, degrees, with its unadjusted 95 % Student-t "
    "interval, of each angle and of the geodesic error. Opposite shifts of the angles cancel in the MAE.",
    "margins": "Secondary: the verdict that each margin of equivalence, in degrees, would give.",
    "price": f"What a verdict costs: core-hours of an arm's seeds and its baseline's that find {FOUND:g} degrees of "
    "MAE with 80 % power, from the standard deviation of paired differences in this store (95 % interval by the "
    "chi-squared distribution) and the median time of a training. One comparison, no adjustment.",
    "bootstrap": "Secondary: the difference of MAE to the baseline with a bootstrap interval for new seeds and new "
    "persons at once, and the share of (seed, image) pairs on which the arm is better.",
}
"""How to read each table."""


def part_differences(cells: pd.DataFrame, baselines: Mapping[str, str]) -> pd.DataFrame:
    """Columns preset, protocol, arm, metric, pairs, difference, low and high (degrees), for each of ``PARTS``."""
    rows = []
    for preset, protocol, of_group in groups_of(cells):
        for metric in PARTS:
            for arm, values in paired_differences(seed_table(of_group, metric), baselines).items():
                pairs = values.dropna()
                mean, reach = float(pairs.mean()), half_width(pairs)
                rows.append((preset, protocol, str(arm), metric, len(pairs), mean, mean - reach, mean + reach))
    names = ["preset", "protocol", "arm", "metric", "pairs", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=names)


def part_text(table: pd.DataFrame) -> pd.DataFrame:
    """The same for display: a row an arm and protocol, a column a metric."""
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in table.to_dict("records"):
        shown = rows.setdefault((row["preset"], row["protocol"], row["arm"]), {"Result": row["arm"]})
        shown["Protocol"] = protocol_title(row["protocol"])
        shown[PARTS[row["metric"]]] = difference(row["difference"], row["low"], row["high"])
    return pd.DataFrame(list(rows.values()))


def sensitivity(table: pd.DataFrame) -> pd.DataFrame:
    """The verdict of each compared arm under each of ``MARGINS``.

    Args:
        table: as :func:`benchmark.report.summary.summarise` gives it.

    Returns:
        Columns preset, protocol, arm, and a column for each margin.
    """
    rows = table[table["difference"].notna()]
    numbers = rows[["difference", "low", "high", "p_holm"]].to_numpy(float)
    verdicts = {
        f"{margin:g}": [verdict(mean, low, high, p, margin) for mean, low, high, p in numbers] for margin in MARGINS
    }
    return rows[["preset", "protocol", "arm"]].assign(**verdicts).reset_index(drop=True)


def sensitivity_text(table: pd.DataFrame) -> pd.DataFrame:
    """The same for display."""
    names = {"arm": "Result", "protocol": "Protocol"}
    shown = table.assign(protocol=table["protocol"].map(protocol_title)).drop(columns="preset").rename(columns=names)
    return shown[["Result", "Protocol", *shown.columns[2:]]].rename(columns=lambda c: f"± {c}°" if "." in c else c)


def price(cells: pd.DataFrame, baselines: Mapping[str, str]) -> pd.DataFrame:
    """What a verdict costs on each protocol where two seeds of some arm are paired.

    Returns:
        Columns preset, protocol; sd, sd_low, sd_high: of the paired differences over all arms, degrees; seeds needed
        for ``FOUND`` degrees with 80 % power; seconds of a training (median); core_hours of these seeds of an arm and
        of its baseline.
    """
    rows = []
    for preset, protocol, of_group in groups_of(cells):
        if found := spreads(of_group, baselines):
            sd, low, high = pooled(found)
            seeds, seconds = seeds_needed(sd, FOUND), float(of_group["seconds"].median())
            rows.append((preset, protocol, sd, low, high, seeds, seconds, 2 * seeds * seconds / 3600))
    names = ["preset", "protocol", "sd", "sd_low", "sd_high", "seeds", "seconds", "core_hours"]
    return pd.DataFrame(rows, columns=names)


def price_text(table: pd.DataFrame) -> pd.DataFrame:
    """The same for display."""
    spread = zip(table["sd"], table["sd_low"], table["sd_high"], strict=True)
    return pd.DataFrame(
        {
            "Protocol": table["protocol"].map(protocol_title),
            "Preset": table["preset"],
            "Sd of differences": [f"{number(sd)} [{number(low)}, {number(high)}]" for sd, low, high in spread],
            f"Seeds for {FOUND:g}°": table["seeds"].map("{:,}".format),
            "Training": table["seconds"].map(duration),
            "Core-hours": table["core_hours"].map(number),
        }
    )


def bootstrap(material: Material) -> pd.DataFrame:
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
            seeds = sorted(set(errors.seeds) & set(base.seeds))
            if base is errors or not seeds:
                continue
            mine = errors.mae[[errors.seeds.index(seed) for seed in seeds]]
            theirs = base.mae[[base.seeds.index(seed) for seed in seeds]]
            place = {"preset": material.preset, "protocol": protocol, "arm": arm, "baseline": material.baselines[arm]}
            counts = {"seeds": len(seeds), "images": mine.shape[1], "persons": len(np.unique(persons))}
            rows.append(place | counts | vars(bootstrap_difference(mine, theirs, persons)))
    return pd.DataFrame(rows)


def bootstrap_text(table: pd.DataFrame) -> pd.DataFrame:
    """The same for display."""
    probability = ["probability_of_improvement", "probability_low", "probability_high"]
    return pd.DataFrame(
        {
            "Result": table["arm"],
            "Protocol": table["protocol"].map(protocol_title),
            **{name.capitalize(): table[name].map("{:,}".format) for name in ("seeds", "images", "persons")},
            "Difference": [difference(*row) for row in table[["difference", "low", "high"]].to_numpy()],
            "P(better)": [_probability(*row) for row in table[probability].to_numpy()],
        }
    )


def _probability(mean: float, low: float, high: float) -> str:
    return f"{mean:.2f}" if np.isnan(low) else f"{mean:.2f} [{low:.2f}, {high:.2f}]"


def yaw_table(material: Material) -> pd.DataFrame:
    """Errors in bins of |yaw| on every protocol, with columns preset and protocol; empty without predictions."""
    found = [
        errors_by_yaw(images).assign(preset=material.preset, protocol=protocol)
        for protocol in material.protocols
        if (images := material.images(protocol)) is not None
    ]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()
