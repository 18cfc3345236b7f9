"""A study in numbers: means over paired seeds with their uncertainty, and each arm against the baseline."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import scipy

from benchmark.statistics import benjamini_hochberg, compare, groups_of, interquartile_mean, seed_table
from benchmark.statistics.intervals import LEVEL
from benchmark.store.schema import METRICS

GROUP = ["preset", "protocol"]
INTERVAL_FROM = 3
"""Seeds or pairs from which an interval is drawn; with two it is 12.7 standard errors wide and hides the seeds."""


def baselines_of(cells: pd.DataFrame, definition: Mapping[str, Any]) -> dict[str, str]:
    """By arm, those that are planned but have no cell included, the arm it is compared with."""
    declared: dict[str, str] = definition.get("baselines", {})
    return dict.fromkeys(cells["arm"], str(definition["baseline"])) | declared


def summarise(results: pd.DataFrame, baselines: Mapping[str, str], margin: float) -> pd.DataFrame:
    """One row per preset, protocol and arm, in the study's order.

    Args:
        results: cells of the study, at least one, as :meth:`benchmark.store.Store.results` gives them.
        baselines: by arm, the arm it is compared with; arms that are missing here are compared with nothing. Arms
            without cells count in the family of comparisons.
        margin: degrees of MAE within which arms count as equivalent.

    Returns:
        - preset, protocol, arm, sampler, parameters (of the sampler), bin_width, sigma;
        - for each metric its mean over seeds and ``<metric>_hw``, the half-width of its Student-t interval, in degrees;
        - iqm, iqm_low, iqm_high: interquartile mean of the MAE over seeds with its bootstrap interval, degrees;
        - n, the seeds with a result, planned, the seeds wanted, and missing: which have none, and why;
        - weights (number of the network's), cep (millions of weights x MAE) and seconds (median of a training);
        - of the comparison on MAE, the columns of :func:`benchmark.statistics.compare` (n is called pairs). Holm's
          family is all arms of the study on one protocol. An arm that is its own baseline has the verdict "baseline";
        - comparison: a digest of the trials compared, the same wherever the same trials are.
    """
    keys = [*GROUP, "arm"]  # not position: one arm has two where a study's order changed between runs
    groups = results.groupby(keys, sort=False)
    table = groups[["sampler", "parameters"]].first()
    for parameter in ("bin_width", "sigma"):
        values = pd.Series([values.get(parameter) for values in table["parameters"]], table.index, dtype=object)
        table[parameter] = pd.to_numeric(values, errors="coerce").astype(float)  # a user's sampler may have words there
    metrics = groups[list(METRICS)]
    mean, n = metrics.mean(), metrics.count()
    # The half-width of benchmark.statistics.half_width, for all arms at once.
    reach = metrics.std() * scipy.special.stdtrit((n - 1).where(n > 1), (1 + LEVEL) / 2) / n**0.5
    for metric in METRICS:
        table[metric], table[f"{metric}_hw"] = mean[metric], reach[metric]
    table["n"] = n["mae"]
    table["planned"] = groups.size()
    absent = results[results["mae"].isna()]
    table["missing"] = pd.Series(
        {key: _missing(cells) for key, cells in absent.groupby(keys, sort=False)}, dtype=object
    ).reindex(table.index, fill_value="")
    trained = results[results["mae"].notna()].groupby(keys, sort=False)
    table["weights"] = trained["weights"].max()
    table["cep"] = table["weights"].astype(float) / 1e6 * table["mae"]
    table["seconds"] = trained["seconds"].median()
    middles = {key: interquartile_mean(cells["mae"].dropna()) for key, cells in groups}
    table[["iqm", "iqm_low", "iqm_high"]] = pd.DataFrame(middles, ["iqm", "iqm_low", "iqm_high"]).T.reindex(table.index)
    table = table.reset_index()
    family = sum(arm != own for arm, own in baselines.items())
    compared = []
    for preset, protocol, cells in groups_of(results):
        found = compare(seed_table(cells), baselines, margin, family)
        found = found.drop(columns=["mean", "half_width"]).rename(columns={"n": "pairs"})
        digests = _digests(cells, found[["arm", "baseline"]].itertuples(index=False, name=None))
        compared.append(found.assign(preset=preset, protocol=protocol, comparison=digests))
    table = table.merge(pd.concat(compared, ignore_index=True), how="left", on=[*GROUP, "arm"], validate="1:1")
    own = table["verdict"].isna()
    table.loc[own, "baseline"] = table.loc[own, "arm"]
    table["pairs"] = table["pairs"].fillna(0)
    for name, value in {"verdict": "baseline", "note": "", "outliers": "", "comparison": ""}.items():
        table[name] = table[name].astype(object).fillna(value)  # an empty column is one of numbers
    return table


def add_q(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Tables of :func:`summarise` with a column q, Benjamini and Hochberg's over all distinct comparisons in them."""
    every = pd.concat([table[["comparison", "p"]] for table in tables]).dropna().drop_duplicates("comparison")
    q = pd.Series(benjamini_hochberg(every["p"]), every["comparison"])
    return [table.assign(q=table["comparison"].map(q).astype(float)) for table in tables]


def _digests(cells: pd.DataFrame, pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Of each pair of arms, a digest of the trials and test sets that are compared; either order gives the same."""
    done = cells[cells["mae"].notna()]
    trials = dict(zip(zip(done["arm"], done["seed"], strict=True), done["trial"] + done["test_set"], strict=True))
    seeds = done["seed"].unique()
    found = []
    for arm, own in pairs:
        both = [(trials[arm, s], trials[own, s]) for s in seeds if (arm, s) in trials and (own, s) in trials]
        text = repr(sorted(tuple(sorted(pair)) for pair in both))
        found.append(hashlib.sha256(text.encode()).hexdigest()[:16] if both else "")
    return found


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
