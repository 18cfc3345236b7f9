"""A trial: one training, and what makes it the same trial again."""

import hashlib
import json
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
