"""A trial: one training, and what makes it the same trial again; and the cells of a study's grid, which trials fill."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from benchmark.study.arms import Arm


@dataclass(frozen=True)
class Trial:
    """Arm x training set x seed."""

    arm: Arm  # sampler and core
    train_set: str  # name of the training set
    fingerprint: str  # of the training set's content
    seed: int  # of all randomness, the arm's seed offset included

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything that the trained weights depend on except the machine; no test sets, labels or paths of files."""
        return {**self.arm.identity, "data": self.fingerprint, "seed": self.seed}

    @cached_property
    def key(self) -> str:
        """Digest of the identity, 20 hexadecimal digits."""
        return identity_key(self.identity)


def identity_key(identity: dict[str, Any]) -> str:
    """The key of the trial that has an identity, or of the search that has a definition."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:20]


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


Present = Callable[[str, str, int, dict[str, Any]], bool]
"""Returns whether a protocol, an arm, a seed and a trial's identity belong to the study as it is now."""
