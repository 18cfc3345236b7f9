"""One cell of a study's grid."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Present = Callable[[str, str, int, dict[str, Any]], bool]
"""Returns whether a protocol, an arm, a seed and a trial's identity belong to the study as it is now."""


@dataclass(frozen=True)
class Planned:
    """One cell of a study's grid.

    Attributes:
        study: name of the study.
        preset: name of the core's preset.
        protocol: name of the protocol.
        arm: the arm's label.
        position: of the arm in the study.
        parameters: of the arm's sampler.
        seed: of the trial.
        trial: key of the trial that fills the cell.
        test_set: fingerprint of the protocol's test set.
    """

    study: str
    preset: str
    protocol: str
    arm: str
    position: int
    parameters: dict[str, Any]
    seed: int
    trial: str
    test_set: str
