"""A study in numbers: means over paired seeds with their uncertainty, and each arm against the baseline."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from benchmark.statistics import compare, groups_of, paired_differences, seed_table

EULER = ("yaw", "pitch", "roll", "mae")
VECTORS = ("left", "down", "front", "maev")
ROTATION = ("geodesic_mean", "geodesic_median", "aligned_mean")
METRICS = (*EULER, *VECTORS, *ROTATION)
GROUP = ["preset", "protocol"]
_NOUGHT = "\0"  # no arm is called that
LEVEL = 0.95
"""Of all intervals in the report."""
COMPARISON = [
    "baseline", "pairs", "difference", "low", "high", "p", "p_holm", "smallest_p", "smallest_p_holm", "verdict", "note",
]  # fmt: skip


def summarise(results: pd.DataFrame, baselines: Mapping[str, str], margin: float) -> pd.DataFrame:
    """One row per preset, protocol and arm, in the study's order.

    Args:
        results: cells of the study, as :meth:`benchmark.store.Store.results` gives them.
        baselines: by arm, the arm it is compared with; arms that are missing here are compared with nothing.
        margin: degrees of MAE within which arms count as equivalent.

    Returns:
        - preset, protocol, arm, sampler, parameters (of the sampler), bin_width, sigma;
        - for each metric its mean over seeds and ``<metric>_hw``, the half-width of its Student-t interval, in degrees;
        - n, the seeds with a result, planned, the seeds wanted, and missing, what is not there and why;
        - weights (number of the network's), cep (millions of weights x MAE) and seconds (median of a training);
        - of the comparison on MAE: baseline, the arm it is compared with, pairs, difference, low, high, p, p_holm,
          smallest_p, smallest_p_holm, verdict and note, as :func:`benchmark.statistics.compare` gives them. Holm's
          family is all arms of one preset on one protocol. An arm that is its own baseline has the verdict "baseline".
    """
    keys = [*GROUP, "arm"]  # not position: one arm has two where a study's order changed between runs
    groups = results.groupby(keys, sort=False)
    table = groups[["sampler", "parameters"]].first()
    for parameter in ("bin_width", "sigma"):
        values = pd.Series([values.get(parameter) for values in table["parameters"]], table.index, dtype=object)
        table[parameter] = pd.to_numeric(values, errors="coerce").astype(float)  # a user's sampler may have words there
    statistics = groups[list(METRICS)].agg(["mean", "std", "count"])
    for metric in METRICS:
        mean, sd, n = (statistics[metric, part] for part in ("mean", "std", "count"))
        table[metric] = mean
        # The half-width of benchmark.statistics.half_width, for all arms at once.
        freedom = (n - 1).where(n > 1)
        table[f"{metric}_hw"] = stdtrit(freedom.to_numpy(float), (1 + LEVEL) / 2) * sd / np.sqrt(n)
    table["n"] = statistics["mae", "count"].astype(int)
    table["planned"] = groups.size()
    absent = results[results["mae"].isna()]
    table["missing"] = pd.Series(
        {key: _missing(cells) for key, cells in absent.groupby(keys, sort=False)}, dtype=object
    ).reindex(table.index, fill_value="")
    table["weights"] = groups["weights"].max()
    table["cep"] = table["weights"].astype(float) / 1e6 * table["mae"]
    table["seconds"] = groups["seconds"].median()
    table = table.reset_index()
    compared = [
        _comparison(seed_table(cells), baselines, margin).assign(preset=preset, protocol=protocol)
        for preset, protocol, cells in groups_of(results)
    ]
    return table.merge(pd.concat(compared, ignore_index=True), how="left", on=[*GROUP, "arm"], validate="1:1")


def _comparison(values: pd.DataFrame, baselines: Mapping[str, str], margin: float) -> pd.DataFrame:
    # Differences against nought: so arms with baselines of their own are one family.
    differences = paired_differences(values, baselines)
    compared = compare(differences.assign(**{_NOUGHT: 0.0}), _NOUGHT, margin, LEVEL).rename(columns={"n": "pairs"})
    compared["baseline"] = [baselines[arm] for arm in compared["arm"]]
    without = [not (own in values and values[own].notna().any()) for own in compared["baseline"]]
    compared.loc[without, "note"] = "the baseline has no result"
    own: list[dict[str, Any]] = [
        {"arm": arm, "baseline": arm, "pairs": 0, "verdict": "baseline", "note": ""}
        for arm in values
        if arm not in differences
    ]
    return pd.concat([pd.DataFrame(own, columns=["arm", *COMPARISON]), compared])[["arm", *COMPARISON]]


def _missing(cells: pd.DataFrame) -> str:
    """Why cells have no result: error type and seeds, or the state of the trial."""
    failed = cells[cells["status"] == "failed"]
    parts = [
        f"{kind} (seed {', '.join(map(str, group['seed']))})" for kind, group in failed.groupby("error_type", sort=True)
    ]
    running = int((cells["status"] == "running").sum())
    if running:
        parts.append(f"{running} running")
    if rest := len(cells) - len(failed) - running:
        parts.append(f"{rest} not run")
    return "; ".join(parts)
