"""The primary analysis: each arm against the baseline over paired seeds."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.statistics.intervals import half_width
from benchmark.statistics.sign_flip import sign_flip_p, smallest_p
from mhpe.errors import InputError

Array = NDArray[np.float64]

COLUMNS = [
    "arm", "n", "mean", "half_width", "difference", "low", "high", "p", "p_holm", "smallest_p", "smallest_p_holm",
    "verdict", "note",
]  # fmt: skip


def compare(values: pd.DataFrame, baseline: str, margin: float = 0.2, level: float = 0.95) -> pd.DataFrame:
    """Compare each arm with the baseline over the seeds that both have.

    The verdict is the first of these that holds, with alpha = 1 - ``level``:

    1. ``no result``: no seed has both the arm and the baseline.
    2. ``better``, ``worse``: the Holm-adjusted p of the exact sign-flip test is below alpha, and the interval of the
       difference lies below, above 0: a verdict that the interval beside it contradicts would convince nobody. In a
       study without differences, the chance that any arm gets one of the two is at most alpha. A significant
       difference smaller than the margin is still ``better`` or ``worse``, and the note says that it is small: the
       margin is a choice, the difference a finding, and seeds are planned for such differences.
    3. ``equivalent``: the interval lies inside +-``margin``: two one-sided t tests at alpha / 2 each (Schuirmann 1987;
       alpha each would do, but then the interval that is shown could reach beyond the margin). The chance to call an
       arm equivalent whose true difference is the margin or more is at most alpha / 2 for each arm; it is not
       adjusted for their number.
    4. ``inconclusive``: neither is shown. Always so with a single pair.

    Holm's family is the arms with two pairs or more. The intervals are Student's and unadjusted, p is the sign-flip
    test's: near alpha they may disagree, and the note says so.

    Args:
        values: a metric in degrees, lower is better; index: seed; one column an arm, in the study's order; NaN where
            missing.
        baseline: its column; if that is absent or empty, then no arm has a result.
        margin: in degrees, differences below it do not matter; at least 0.
        level: of the intervals, in (0.5, 1).

    Returns:
        One row per arm other than the baseline, in order:

        - ``arm``; ``n``: seeds with a pair.
        - ``mean``, ``half_width``: over all seeds of the arm.
        - ``difference``, ``low``, ``high``: arm minus baseline over pairs, with its interval.
        - ``p``, ``p_holm``: of the sign-flip test; ``smallest_p``: the smallest p possible with n pairs;
          ``smallest_p_holm``: the smallest adjusted p that the arm can reach in this family.
        - ``verdict``; ``note``: what limits it, or empty.

        Figures that need more pairs are NaN.

    Raises:
        InputError: if ``margin`` or ``level`` is out of range.
    """
    if not margin >= 0:
        raise InputError(f"the margin of equivalence must be at least 0 degrees, not {margin}")
    if not 0.5 < level < 1:
        raise InputError(f"the level of an interval must be between 0.5 and 1, not {level}")
    reference = values[baseline].to_numpy(float) if baseline in values else np.full(len(values), math.nan)
    arms = [arm for arm in values if arm != baseline]
    errors = [values[arm].to_numpy(float) for arm in arms]
    differences = [_present(error - reference) for error in errors]
    tested = [len(pairs) > 1 for pairs in differences]
    p = [sign_flip_p(pairs) if family else math.nan for pairs, family in zip(differences, tested, strict=True)]
    smallest = [smallest_p(len(pairs)) if len(pairs) else math.nan for pairs in differences]
    p_holm = _holm(p)
    # Holm's adjusted p grows with every p, so this is the smallest adjusted p that each arm can reach.
    reachable = _holm(np.where(tested, smallest, math.nan))

    rows = []
    for i, (arm, error, pairs) in enumerate(zip(arms, errors, differences, strict=True)):
        difference = _mean(pairs)
        reach = half_width(pairs, level)
        within = abs(difference) + reach < margin
        note = ""
        if not len(pairs):
            verdict, note = "no result", _why_no_result(error, reference)
        elif p_holm[i] < 1 - level and abs(difference) > reach:
            verdict = "better" if difference < 0 else "worse"
            if within:
                note = f"smaller than the margin of {margin:g} degrees"
        else:
            verdict = "equivalent" if within else "inconclusive"
            if p_holm[i] < 1 - level:
                note = f"p is below {1 - level:.2g}, but the interval contains 0"
            elif verdict == "inconclusive" and not reachable[i] < 1 - level:
                note = _why_never_significant(len(pairs), 1 - level, sum(tested))
        rows.append(
            {
                "arm": arm,
                "n": len(pairs),
                "mean": _mean(_present(error)),
                "half_width": half_width(error, level),
                "difference": difference,
                "low": difference - reach,
                "high": difference + reach,
                "p": p[i],
                "p_holm": p_holm[i],
                "smallest_p": smallest[i],
                "smallest_p_holm": reachable[i],
                "verdict": verdict,
                "note": note,
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def _present(values: Array) -> Array:
    return values[~np.isnan(values)]


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else math.nan


def _holm(p: Sequence[float] | Array) -> Array:
    """Holm's step-down adjustment (Holm 1979) over what is not NaN.

    The same as statsmodels' multipletests, which collects garbage on each call and so takes longer than all the rest.
    """
    adjusted = np.array(p, dtype=float)
    order = np.argsort(adjusted)[: np.count_nonzero(~np.isnan(adjusted))]  # NaN are sorted last
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * adjusted[order]), 1)
    return adjusted


def _why_no_result(error: Array, reference: Array) -> str:
    if not len(_present(reference)):
        return "the baseline has no result"
    return "no seed in common with the baseline" if len(_present(error)) else "no result"


def _why_never_significant(n: int, alpha: float, comparisons: int) -> str:
    note = f"cannot be significant at n = {n}"
    return note if smallest_p(n) >= alpha else f"{note} with {comparisons} comparisons"
