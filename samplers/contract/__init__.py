"""The contract of a sampler, for its author: ``bench check-sampler``, or a test of one's own.

Example:
    >>> import pytest
    >>> from samplers.contract import CHECKS
    >>> from samplers.gaussian import Gaussian
    >>> @pytest.mark.parametrize("check", CHECKS)
    ... def test_contract(check):
    ...     check(Gaussian(sigma=45))
"""

from samplers.contract.checker import Verdict, check_sampler, verdict
from samplers.contract.checks import CHECKS, Check

__all__ = ["CHECKS", "Check", "Verdict", "check_sampler", "verdict"]
