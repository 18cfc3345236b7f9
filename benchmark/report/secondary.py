"""Secondary analyses: they explain a verdict, and decide none."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from benchmark.report.images import ARMS_SHOWN, SEEDS_READ, errors_by_yaw
from benchmark.report.material import Material
from benchmark.report.text import NOTHING, difference, duration, number, protocol_title
from benchmark.statistics import (
    bootstrap_difference,
    groups_of,
    half_width,
    paired_differences,
    seed_table,
    seeds_needed,
    verdict,
)
from benchmark.statistics.power import pooled, spreads
from benchmark.statistics.verdicts import probabilities

FAR = 30  # degrees of yaw beyond which an image counts as far from frontal
PARTS = {
    "yaw": "Yaw",
    "pitch": "Pitch",
    "roll": "Roll",
    "maev": "MAEV",
    "geodesic_mean": "Geodesic",
    "far": f"MAE beyond {FAR}° of yaw",
}
"""Metrics beside the MAE that arms are compared on, and their headings."""
MARGINS = (0.05, 0.1, 0.15, 0.2)  # margins of equivalence, degrees, that the sensitivity table tries
NUMBERS = [
    "n", "mean", "half_width", "pairs", "difference", "low", "high", "p_better", "p_equivalent", "p_worse",
]  # fmt: skip
"""Of an arm by one metric."""
FOUND = 0.2  # difference in degrees whose price is worked out
NOTES = {
    "parts": "Secondary: difference to the baseline over paired seeds, degrees, with its unadjusted 95 % Student-t "
    "interval. Opposite shifts of the angles cancel in the MAE. The images beyond "
    f"{FAR} degrees of yaw are known where predictions are stored: of the first {ARMS_SHOWN} arms and {SEEDS_READ} "
    "seeds.",
    "margins": "Secondary: the verdict that each margin of equivalence, in degrees, would give.",
    "price": f"What a verdict costs: core-hours of an arm's seeds and its baseline's that find {FOUND:g} degrees of "
    "MAE with 80 % power, from the standard deviation of paired differences in this store (95 % interval by the "
    "chi-squared distribution) and the median time of a training. One comparison, no adjustment.",
    "bootstrap": "Secondary: the difference of MAE to the baseline with a bootstrap interval for new seeds and new "
    "persons at once, and the share of (seed, image) pairs on which the arm is better.",
}
"""How to read each table."""


def other_metrics(cells: pd.DataFrame, baselines: Mapping[str, str], margin: float) -> pd.DataFrame:
    """Each arm's error and difference to its baseline by each of ``PARTS`` that ``cells`` has.

    Returns:
        Columns preset, protocol, metric, arm; n, mean and half_width over all seeds; pairs, difference, low and high
        over paired seeds; p_better, p_equivalent and p_worse, see :func:`benchmark.statistics.verdicts.probabilities`.
        Degrees; NaN for an arm that is compared with nothing.
    """
    rows = []
    for preset, protocol, of_group in groups_of(cells):
        for metric in filter(of_group.__contains__, PARTS):
            values = seed_table(of_group, metric)
            differences = paired_differences(values, baselines).reindex(columns=values.columns)
            for arm in values:
                errors, pairs = values[arm].dropna(), differences[arm].dropna().to_numpy(float)
                mean, reach = pairs.mean() if len(pairs) else np.nan, half_width(pairs)
                own = (len(errors), errors.mean(), half_width(errors))
                compared = (len(pairs), mean, mean - reach, mean + reach, *probabilities(pairs, margin))
                rows.append((preset, protocol, metric, arm, *own, *compared))
    names = ["preset", "protocol", "metric", "arm", *NUMBERS]
    return pd.DataFrame(rows, columns=names)


def part_text(table: pd.DataFrame) -> pd.DataFrame:
    """The differences for display: a row an arm and protocol, a column a metric."""
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in table[table["pairs"] > 0].to_dict("records"):
        shown = rows.setdefault((row["preset"], row["protocol"], row["arm"]), {"Result": row["arm"]})
        shown |= {"Protocol": protocol_title(row["protocol"]), "Preset": row["preset"]}
        shown[PARTS[row["metric"]]] = difference(row["difference"], row["low"], row["high"])
    return pd.DataFrame(list(rows.values())).fillna(NOTHING)


def sensitivity(table: pd.DataFrame) -> pd.DataFrame:
    """The verdict of each compared arm of a study's summary under each of ``MARGINS``.

    Returns:
        Columns preset, protocol, arm, and a column for each margin.
    """
    rows = table[table["difference"].notna()]
    numbers = rows[["pairs", "difference", "low", "high", "p_holm"]].to_numpy(float)
    verdicts = {
        f"{margin:g}": [verdict(int(n), mean, low, high, p, margin) for n, mean, low, high, p in numbers]
        for margin in MARGINS
    }
    return rows[["preset", "protocol", "arm"]].assign(**verdicts).reset_index(drop=True)


def sensitivity_text(table: pd.DataFrame) -> pd.DataFrame:
    """The same for display."""
    shown = table.assign(protocol=table["protocol"].map(protocol_title))
    columns = {"arm": "Result", "protocol": "Protocol", "preset": "Preset"}
    return shown[[*columns, *shown.columns[3:]]].rename(columns=lambda c: columns.get(c, f"± {c}°"))


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
            "Preset": table["preset"],
            **{name.capitalize(): table[name].map("{:,}".format) for name in ("seeds", "images", "persons")},
            "Difference": [difference(*row) for row in table[["difference", "low", "high"]].to_numpy()],
            "P(better)": [
                f"{mean:.2f}" if np.isnan(low) else f"{mean:.2f} [{low:.2f}, {high:.2f}]"
                for mean, low, high in table[probability].to_numpy()
            ],
        }
    )


def yaw_table(material: Material) -> pd.DataFrame:
    """Errors in bins of |yaw| on every protocol, with columns preset and protocol; empty without predictions."""
    found = [
        errors_by_yaw(images).assign(preset=material.preset, protocol=protocol)
        for protocol in material.protocols
        if (images := material.images(protocol)) is not None
    ]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def far_errors(material: Material) -> pd.DataFrame:
    """MAE of each trial over the images beyond ``FAR`` degrees of yaw: columns preset, protocol, arm, seed and far."""
    rows = []
    for protocol in material.protocols:
        if (images := material.images(protocol)) is None:
            continue
        beyond = np.abs(images.test_set.angles[:, 0]) > FAR
        for arm, errors in images.arms.items() if beyond.any() else ():
            means = errors.mae[:, beyond].mean(1, dtype=float)
            rows += [(material.preset, protocol, arm, *of_seed) for of_seed in zip(errors.seeds, means, strict=True)]
    return pd.DataFrame(rows, columns=["preset", "protocol", "arm", "seed", "far"])
