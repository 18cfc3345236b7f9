"""One cell of a study's grid."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Present = Callable[[str, str, int, dict[str, Any]], bool]
"""Returns whether a protocol, an arm, a seed and a trial's identity belong to the study as it is now."""


@dataclass(frozen=True)
class Planned:
    """One cell of a study's grid."""

    study: str
    preset: str  # name of the core's preset
    protocol: str
    arm: str
    position: int  # of the arm in the study
    parameters: dict[str, Any]  # of the arm's sampler
    seed: int
    trial: str  # key of the trial that fills the cell
    test_set: str  # fingerprint of the protocol's test set
