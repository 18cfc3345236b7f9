"""Adjusted p against statsmodels and scipy."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control
from statsmodels.stats.multitest import multipletests

from benchmark.statistics.multiple import benjamini_hochberg, holm

P = np.array([0.004, np.nan, 0.2, 0.012, 0.9, 0.02, 0.02])
KNOWN = P[~np.isnan(P)]


@pytest.mark.slow
def test_holm_is_statsmodels_and_counts_planned_comparisons() -> None:
    found = holm(P)
    assert np.isnan(found[1])
    assert found[~np.isnan(P)] == pytest.approx(multipletests(KNOWN, method="holm")[1])
    planned = multipletests([*KNOWN, 1, 1, 1, 1], method="holm")[1][: len(KNOWN)]
    assert holm(P, 10)[~np.isnan(P)] == pytest.approx(planned)


def test_q_is_scipys() -> None:
    found = benjamini_hochberg(P)
    assert np.isnan(found[1])
    assert found[~np.isnan(P)] == pytest.approx(false_discovery_control(KNOWN))
    assert benjamini_hochberg([]).size == 0
