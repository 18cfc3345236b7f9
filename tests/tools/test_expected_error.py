"""The tool that measures what expected errors are worth."""

import numpy as np
import pytest

from tools.expected_error import reliability


def test_reliability_of_expected_errors() -> None:
    error = np.arange(1.0, 101.0)
    perfect, reverse = reliability(error, error), reliability(-error, error)
    assert perfect["rank_correlation"] == pytest.approx(1)
    assert reverse["rank_correlation"] == pytest.approx(-1)
    assert perfect["area"] == perfect["area_oracle"] == pytest.approx((error + 1).mean() / 2)
    assert perfect["area_oracle"] < perfect["area_random"] == error.mean() < reverse["area"]
    assert perfect["expected_1"] == perfect["observed_1"] == pytest.approx(5.5)
    assert perfect["observed_10"] == reverse["observed_1"] == pytest.approx(95.5)
