"""The tables beside a study's main one: they explain a verdict, and decide none."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from benchmark.report.images import ARMS_SHOWN, SEEDS_READ
from benchmark.report.text import NOTHING, difference, duration, number, protocol_title, share, with_interval
from benchmark.report.views import METRICS, Columns, cell, columns
from benchmark.statistics import groups_of, half_width, paired_differences, seed_table, seeds_needed, verdict
from benchmark.statistics.intervals import mean_interval
from benchmark.statistics.power import pooled, spreads
from benchmark.statistics.verdicts import probabilities
from benchmark.store import Store
from mhpe.names import title

FAR = 30  # degrees of yaw beyond which an image counts as far from frontal
PARTS = {METRICS[name]: name for name in ("Yaw", "Pitch", "Roll", "MAEV", "Geodesic")} | {
    "far": f"MAE beyond {FAR}° of yaw"
}
"""Metrics beside the MAE that arms are compared on, and their headings."""
MARGINS = (0.05, 0.1, 0.15, 0.2)  # margins of equivalence, degrees, that the sensitivity table tries
NUMBERS = [
    "n", "mean", "half_width", "pairs", "difference", "low", "high", "p_better", "p_equivalent", "p_worse",
]  # fmt: skip
"""Of an arm by one metric."""
DRAW_NUMBERS = ["images_per_input", "effective_references", "coverage", "fallback_share", "distance"]
FOUND = 0.2  # difference in degrees whose price is worked out


def draw_table(store: Store, study: str) -> pd.DataFrame:
    """One row per preset, training set and arm, in the study's order: means over seeds of ``DRAW_NUMBERS`` and shares.

    The shares are None where no trial has them.
    """
    groups = store.draws(study).groupby(["preset", "train_set", "arm"], sort=False)
    table = groups[DRAW_NUMBERS].mean().reset_index()
    shares = [of_arm["shares"].dropna().tolist() for _, of_arm in groups]
    return table.assign(shares=pd.Series([np.mean(each, axis=0) if each else None for each in shares], dtype=object))


def add_draws(
    table: pd.DataFrame, draws: pd.DataFrame, cells: pd.DataFrame, cores: Mapping[tuple[str, str], Any]
) -> pd.DataFrame:
    """A study's summary with columns pool (images in it, NaN for exact references), coverage and fallback_share.

    The ``cells`` say on what a protocol trains; ``cores`` are settings of the core by preset and arm.
    """
    place = ["preset", "protocol", "arm"]
    trained = cells.dropna(subset=["train_set"]).drop_duplicates(place)[[*place, "train_set"]]
    found = trained.merge(draws, how="left", on=["preset", "train_set", "arm"])[[*place, "coverage", "fallback_share"]]
    pools = [
        core.get("pool_size") if (core := cores.get(key) or {}).get("references") == "pool" else None
        for key in zip(table["preset"], table["arm"], strict=True)
    ]
    return table.merge(found, how="left", on=place).assign(pool=pd.Series(pools, dtype=float))


def other_metrics(cells: pd.DataFrame, baselines: Mapping[str, str], margin: float) -> pd.DataFrame:
    """Each arm's error and difference to its baseline by each of ``PARTS`` that ``cells`` has.

    Columns preset, protocol, metric, arm; n, mean and half_width over all seeds; pairs, difference, low and high over
    paired seeds; p_better, p_equivalent and p_worse, see :func:`benchmark.statistics.verdicts.probabilities`. Degrees;
    NaN for an arm that is compared with nothing.
    """
    rows = []
    for preset, protocol, of_group in groups_of(cells):
        for metric in filter(of_group.__contains__, PARTS):
            values = seed_table(of_group, metric)
            differences = paired_differences(values, baselines).reindex(columns=values.columns)
            for arm in values:
                errors, pairs = values[arm].dropna(), differences[arm].dropna().to_numpy(float)
                own = (len(errors), errors.mean(), half_width(errors))
                compared = (len(pairs), *mean_interval(pairs), *probabilities(pairs, margin))
                rows.append((preset, protocol, metric, arm, *own, *compared))
    names = ["preset", "protocol", "metric", "arm", *NUMBERS]
    return pd.DataFrame(rows, columns=names)


def part_text(table: pd.DataFrame) -> pd.DataFrame:
    """The differences for display: a row an arm and protocol, a column a metric."""
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in table[table["pairs"] > 0].to_dict("records"):
        place = {"Result": row["arm"], "Protocol": protocol_title(row["protocol"]), "Preset": row["preset"]}
        shown = rows.setdefault((row["preset"], row["protocol"], row["arm"]), place)
        shown[PARTS[row["metric"]]] = difference(row["difference"], row["low"], row["high"])
    return pd.DataFrame(list(rows.values())).fillna(NOTHING)


def sensitivity(table: pd.DataFrame) -> pd.DataFrame:
    """Columns preset, protocol, arm, and the verdict of each compared arm of a summary under each of ``MARGINS``."""
    rows = table[table["difference"].notna()]
    numbers = rows[["pairs", "difference", "low", "high", "p_holm"]].to_numpy(float)
    verdicts = {
        f"{margin:g}": [verdict(int(n), mean, low, high, p, margin) for n, mean, low, high, p in numbers]
        for margin in MARGINS
    }
    return rows[["preset", "protocol", "arm"]].assign(**verdicts).reset_index(drop=True)


def price(cells: pd.DataFrame, baselines: Mapping[str, str]) -> pd.DataFrame:
    """What a verdict costs on each protocol where two seeds of some arm are paired.

    Columns preset, protocol; sd, sd_low, sd_high: of the paired differences over all arms, degrees; seeds needed for
    ``FOUND`` degrees with 80 % power; seconds of a training (median); core_hours of these seeds of an arm and of its
    baseline.
    """
    rows = []
    for preset, protocol, of_group in groups_of(cells):
        if len(found := spreads(of_group, baselines)):
            sd, low, high = pooled(found)
            seeds, seconds = seeds_needed(sd, FOUND), float(of_group["seconds"].median())
            rows.append((preset, protocol, sd, low, high, seeds, seconds, 2 * seeds * seconds / 3600))
    names = ["preset", "protocol", "sd", "sd_low", "sd_high", "seeds", "seconds", "core_hours"]
    return pd.DataFrame(rows, columns=names)


TABLES: dict[str, tuple[str, Columns, str]] = {
    "draws": (
        "What each arm drew",
        {
            **columns("Result", "Preset"),
            "Trained on": cell(title, "train_set"),
            "Images per input": cell(partial(number, decimals=1), "images_per_input"),
            "Effective references": cell(partial(number, decimals=0), "effective_references"),
            "Coverage": cell(share, "coverage"),
            "From another bin": cell(share, "fallback_share"),
            "Mean distance (°)": cell(partial(number, decimals=1), "distance"),
        },
        "What each arm drew in its trainings, mean over seeds. Images per input: distinct images that a step encodes "
        "for an input; an arm with fewer trains on fewer images and takes less time. Effective references: the number "
        "of images that, drawn equally often, would be as varied; an estimate without bias, so that it can lie a "
        "little above the number of images in the training set. Coverage: share of the training set drawn at all. "
        "From another bin: share of references that came from another yaw bin than the sampler asked for. Mean "
        "distance: angle of the rotation from a reference to its input, degrees. Where references are supervised, "
        "arms differ in how many images that adds, not only in how far the references are.",
    ),
    "parts": (
        "Differences by other metrics",
        {},
        "Secondary: difference to the baseline over paired seeds, degrees, with its unadjusted 95 % Student-t "
        "interval. Opposite shifts of the angles cancel in the MAE. The images beyond "
        f"{FAR} degrees of yaw are known where predictions are stored: of the first {ARMS_SHOWN} arms and {SEEDS_READ} "
        "seeds.",
    ),
    "margins": (
        "Verdicts under other margins",
        columns("Result", "Protocol", "Preset") | {f"± {m:g}°": cell(str, f"{m:g}") for m in MARGINS},
        "Secondary: the verdict that each margin of equivalence, in degrees, would give.",
    ),
    "price": (
        "Price of a verdict",
        {
            **columns("Protocol", "Preset"),
            "Sd of differences": cell(with_interval, "sd", "sd_low", "sd_high"),
            f"Seeds for {FOUND:g}°": cell("{:,}".format, "seeds"),
            "Training": cell(duration, "seconds"),
            "Core-hours": cell(number, "core_hours"),
        },
        f"What a verdict costs: core-hours of an arm's seeds and its baseline's that find {FOUND:g} degrees of "
        "MAE with 80 % power, from the standard deviation of paired differences in this store (95 % interval by the "
        "chi-squared distribution) and the median time of a training. One comparison, no adjustment.",
    ),
    "bootstrap": (
        "Bootstrap over seeds and persons",
        {
            **columns("Result", "Protocol", "Preset"),
            "Seeds": cell("{:,}".format, "seeds"),
            "Images": cell("{:,}".format, "images"),
            "Persons": cell("{:,}".format, "persons"),
            **columns("Difference"),
            "P(better)": cell(with_interval, "probability_of_improvement", "probability_low", "probability_high"),
        },
        "Secondary: the difference of MAE to the baseline with a bootstrap interval for new seeds and new "
        "persons at once, and the share of (seed, image) pairs on which the arm is better.",
    ),
}
"""Heading, columns (but see :func:`part_text`) and note of the tables beside a study's main one, by name."""
