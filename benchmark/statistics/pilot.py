"""What a pilot says about the seeds a study needs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from scipy.special import chdtri

from benchmark.statistics.cells import paired_differences, seed_table
from benchmark.statistics.power import seeds_needed, smallest_detectable

DIFFERENCES = (0.2, 0.1)  # differences of MAE, in degrees, that seeds are planned for
LEVEL = 0.95


@dataclass(frozen=True)
class Spread:
    """How much the paired differences of an arm scatter."""

    arm: str
    pairs: int  # seeds that it shares with its baseline, 2 or more
    sd: float  # standard deviation of the differences of MAE, degrees


def need(sd: float, planned: int, comparisons: int) -> tuple[list[int], float]:
    """What the paired differences' standard deviation, in degrees, means for a study.

    With 80 % power at the 5 % level, which is divided by the number of comparisons.

    Returns:
        The seeds needed for each of ``DIFFERENCES``, and the smallest difference in degrees that the planned number of
        seeds finds, infinite where they find none.
    """
    seeds = [seeds_needed(sd, difference, comparisons=comparisons) for difference in DIFFERENCES]
    return seeds, smallest_detectable(sd, planned, comparisons=comparisons)


def spreads(cells: pd.DataFrame, baselines: Mapping[str, str]) -> list[Spread]:
    """Scatter of each arm with two pairs or more.

    Args:
        cells: of one preset on one protocol, as :meth:`benchmark.store.Store.results` gives them.
        baselines: by arm, the arm it is compared with.
    """
    differences = paired_differences(seed_table(cells), baselines)
    found = ((str(arm), column.dropna()) for arm, column in differences.items())
    return [Spread(arm, len(pairs), float(pairs.std(ddof=1))) for arm, pairs in found if len(pairs) > 1]


def pooled(found: list[Spread]) -> tuple[float, float, float]:
    """The arms' common standard deviation, and the ends of its 95 % interval by the chi-squared distribution.

    The arms share the baseline's seeds, so the interval is a little too narrow.
    """
    freedom = sum(spread.pairs - 1 for spread in found)
    squares = sum((spread.pairs - 1) * spread.sd**2 for spread in found)
    tails = (1 + LEVEL) / 2, (1 - LEVEL) / 2
    low, high = (math.sqrt(squares / float(chdtri(freedom, 1 - tail))) for tail in tails)
    return math.sqrt(squares / freedom), low, high
