"""The statistics behind the verdicts: seeds are the replicates, paired across the arms of a study."""

from benchmark.statistics.bootstrap import bootstrap_difference
from benchmark.statistics.intervals import half_width, interquartile_mean
from benchmark.statistics.p_values import benjamini_hochberg, sign_flip_p, smallest_p
from benchmark.statistics.power import fewest_pairs, seeds_needed, smallest_detectable
from benchmark.statistics.verdicts import MARGIN, WEAK, compare, groups_of, paired_differences, seed_table, verdict

__all__ = [
    "MARGIN", "WEAK", "benjamini_hochberg", "bootstrap_difference", "compare",
    "fewest_pairs", "groups_of", "half_width", "interquartile_mean", "paired_differences", "seed_table",
    "seeds_needed", "sign_flip_p", "smallest_detectable", "smallest_p", "verdict",
]  # fmt: skip
