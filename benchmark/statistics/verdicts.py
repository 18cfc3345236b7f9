"""The primary analysis: cells by seed and arm, each arm against its baseline over paired seeds, and its verdict."""

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from benchmark.statistics.intervals import LEVEL, far_from_median, half_width, mean_interval, student_quantile
from benchmark.statistics.p_values import holm, sign_flip_p, smallest_p
from mhpe.errors import InputError

Array = NDArray[np.float64]

MARGIN = 0.1
"""Degrees of MAE below which a difference does not matter, where a study declares nothing.

The smallest difference of MAE that a published table of this field presents as progress: rows of the slides' tables,
and neighbouring rows of published comparisons on BIWI and AFLW2000-3D, are 0.1 degrees apart.
"""
LEAST_PAIRS = 4  # for `equivalent`: an interval of fewer rests on a normal distribution that they cannot show
WEAK = 0.3  # correlation of paired seeds below which pairing removes too little noise to rely on the pairs alone
COLUMNS = [
    "arm", "baseline", "n", "mean", "half_width", "difference", "low", "high", "p", "p_holm", "family", "smallest_p",
    "smallest_p_holm", "p_better", "p_equivalent", "p_worse", "correlation", "unpaired", "unpaired_low",
    "unpaired_high", "outliers", "verdict", "note",
]  # fmt: skip


def groups_of(rows: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Preset, protocol and rows of each group, in order."""
    for (preset, protocol), group in rows.groupby(["preset", "protocol"], sort=False):
        yield str(preset), str(protocol), group


def seed_table(cells: pd.DataFrame, metric: str = "mae") -> pd.DataFrame:
    """A metric by seed (rows) and arm (columns, in the study's order) of one preset on one protocol."""
    table = cells.pivot(index="seed", columns="arm", values=metric).sort_index()
    return table[list(dict.fromkeys(cells["arm"]))]


def paired_differences(values: pd.DataFrame, baselines: Mapping[str, str]) -> pd.DataFrame:
    """Arm minus its own baseline, which ``baselines`` gives by arm: by seed (rows) and arm (columns) as ``values``."""
    compared = {arm: baselines[arm] for arm in map(str, values) if baselines.get(arm, arm) != arm}
    return pd.DataFrame(
        {arm: values[arm] - values.reindex(columns=[own])[own] for arm, own in compared.items()}, values.index
    )


def compare(
    values: pd.DataFrame, baseline: str | Mapping[str, str], margin: float = MARGIN, family: int = 0
) -> pd.DataFrame:
    """Compare each arm with its baseline over the seeds that both have.

    Args:
        values: a metric in degrees, lower is better; index: seed; one column an arm, in the study's order; NaN where
            missing.
        baseline: the arm that all others are compared with, or by arm the one it is compared with. An arm that is its
            own baseline, or has none, is compared with nothing. A baseline may be missing from ``values``: then the
            arms compared with it have no result.
        margin: in degrees, smaller differences do not matter; at least 0.
        family: number of comparisons that the study plans, for Holm's adjustment; at least the number of arms compared
            here counts.

    Returns:
        One row per compared arm, in order:

        - ``arm``, ``baseline``; ``n``: seeds with a pair.
        - ``mean``, ``half_width``: over all seeds of the arm.
        - ``difference``, ``low``, ``high``: arm minus baseline over pairs, with its Student-t interval.
        - ``p``: of the exact sign-flip test; ``p_holm``: adjusted for ``family`` comparisons. ``smallest_p``: the
          smallest p possible with n pairs; ``smallest_p_holm``: the smallest adjusted p that the arm can reach.
        - ``p_better``, ``p_equivalent``, ``p_worse``: see :func:`probabilities`.
        - ``correlation``: of the arm's seeds and its baseline's, from 3 pairs on. ``unpaired`` with its ends: the
          difference of the means over all seeds of each, with Welch's interval.
        - ``outliers``: seeds whose difference lies beyond 3 scaled median absolute deviations, comma-separated.
        - ``verdict``: see :func:`verdict`; ``note``: what a reader must know of it, or empty.

        Figures that need more pairs are NaN.

    Raises:
        InputError: if ``margin`` is negative.
    """
    if not margin >= 0:
        raise InputError(f"the margin of equivalence must be at least 0 degrees, not {margin}")
    baselines = dict.fromkeys(map(str, values), baseline) if isinstance(baseline, str) else baseline
    differences = paired_differences(values, baselines)
    family = max(family, len(differences.columns))
    pairs = {str(arm): column.dropna() for arm, column in differences.items()}
    tested = np.array([len(column) > 1 for column in pairs.values()], bool)
    p = np.array([sign_flip_p(of_arm.to_numpy()) if len(of_arm) > 1 else math.nan for of_arm in pairs.values()])
    smallest = np.array([smallest_p(len(of_arm)) if len(of_arm) else math.nan for of_arm in pairs.values()])
    p_holm = holm(p, family)
    # Holm's adjusted p grows with every p, so this is the smallest adjusted p that each arm can reach.
    reachable = holm(np.where(tested, smallest, math.nan), family)
    rows = []
    for i, (arm, of_arm) in enumerate(pairs.items()):
        error = values[arm].dropna().to_numpy(float)
        own = values.reindex(columns=[baselines[arm]])[baselines[arm]]
        difference, low, high = mean_interval(of_arm.to_numpy(float))
        said = verdict(len(of_arm), difference, low, high, p_holm[i], margin)
        odd = of_arm.index[far_from_median(of_arm.to_numpy(float))]
        note = "" if len(of_arm) else _why_no_result(error, own)
        if 1 < len(of_arm) < LEAST_PAIRS and -margin < low and high < margin:
            note = f"equivalent needs {LEAST_PAIRS} pairs"
        if p_holm[i] < 1 - LEVEL and low <= 0 <= high:
            note = f"p is below {1 - LEVEL:.2g}, but the interval contains 0"
        for seed in odd:
            rest = of_arm.drop(seed).to_numpy()
            if (without := _verdict_of(rest, np.delete(p, i), family, margin)) != said:
                note = f"rests on seed {seed}: {without} without it"
        row = (
            arm, baselines[arm], len(of_arm), error.mean() if len(error) else math.nan, half_width(error),
            difference, low, high, p[i], p_holm[i], family, smallest[i], reachable[i],
            *probabilities(of_arm.to_numpy(), margin), _correlation(values[arm], own),
            *welch(error, own.dropna().to_numpy(float)), ", ".join(map(str, odd)), said, note,
        )  # fmt: skip
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def verdict(n: int, difference: float, low: float, high: float, p_holm: float, margin: float) -> str:
    """Verdict on a difference over ``n`` pairs, the first of these that holds, with alpha = 0.05.

    1. ``no result``: no seed has both the arm and the baseline.
    2. ``equivalent``: there are ``LEAST_PAIRS`` or more, and the interval lies inside +-``margin``: two one-sided t
       tests at alpha / 2 each (Schuirmann 1987; alpha each would do, but then the interval that is shown could reach
       beyond the margin). The chance to call an arm equivalent whose true difference is the margin or more is at most
       alpha / 2 for each arm; it is not adjusted for their number. If 3 would hold as well:
       ``equivalent (detectably better)`` or ``(detectably worse)``.
    3. ``better``, ``worse``: the Holm-adjusted p of the exact sign-flip test is below alpha, and the interval of the
       difference lies below, above 0. In a study without differences, the chance that any arm gets one of the two is
       at most alpha.
    4. ``inconclusive``: neither is shown. Always so with a single pair.
    """
    if math.isnan(difference):
        return "no result"
    shown = p_holm < 1 - LEVEL and not low <= 0 <= high
    direction = "better" if difference < 0 else "worse"
    if n >= LEAST_PAIRS and -margin < low and high < margin:
        return f"equivalent (detectably {direction})" if shown else "equivalent"
    return direction if shown else "inconclusive"


def probabilities(pairs: Array, margin: float) -> tuple[float, float, float]:
    """Probabilities that the true mean difference is below -``margin``, within it, and above it, from (n,) differences.

    Of the Student-t posterior of the mean under the usual flat prior: centre the mean, scale s / sqrt(n), n - 1 degrees
    of freedom; the margin is the region of practical equivalence (Benavoli et al., Time for a change, JMLR 18, 2017).
    NaN for fewer than two pairs.
    """
    n = len(pairs)
    if n < 2:
        return math.nan, math.nan, math.nan
    centre, scale = float(pairs.mean()), float(pairs.std(ddof=1)) / math.sqrt(n)
    if scale == 0:
        return float(centre < -margin), float(abs(centre) <= margin), float(centre > margin)
    better = float(scipy.special.stdtr(n - 1, (-margin - centre) / scale))
    worse = float(scipy.special.stdtr(n - 1, (centre - margin) / scale))
    return better, max(0.0, 1 - better - worse), worse


def welch(arm: Array, baseline: Array) -> tuple[float, float, float]:
    """Difference of two means over all their seeds, pairs or not, with Welch's interval; NaN for fewer than two."""
    if min(len(arm), len(baseline)) < 2:
        return math.nan, math.nan, math.nan
    difference = float(arm.mean() - baseline.mean())
    parts = np.array([arm.var(ddof=1) / len(arm), baseline.var(ddof=1) / len(baseline)])
    if not parts.sum():
        return difference, difference, difference
    freedom = parts.sum() ** 2 / (parts**2 / (np.array([len(arm), len(baseline)]) - 1)).sum()
    reach = student_quantile(float(freedom)) * math.sqrt(parts.sum())
    return difference, difference - reach, difference + reach


def _verdict_of(pairs: Array, others: Array, family: int, margin: float) -> str:
    """The verdict on some pairs beside the p of a family's other arms."""
    p_holm = holm([sign_flip_p(pairs), *others], family)[0]
    return verdict(len(pairs), *mean_interval(pairs), p_holm, margin)


def _correlation(arm: "pd.Series[float]", baseline: "pd.Series[float]") -> float:
    both = pd.concat([arm, baseline], axis=1).dropna().to_numpy(float)
    if len(both) < 3 or not both.std(axis=0).all():
        return math.nan
    return float(np.corrcoef(both.T)[0, 1])


def _why_no_result(error: Array, baseline: "pd.Series[float]") -> str:
    if baseline.isna().all():
        return "the baseline has no result"
    return "no seed in common with the baseline" if len(error) else "no result"
