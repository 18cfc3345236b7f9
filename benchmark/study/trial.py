"""A trial: one training, and what makes it the same trial again."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from benchmark.study.arms import Arm
from mhpe import CORE_VERSION
from mhpe.paths import PRETRAINED
from samplers.support.source_digest import source_digest


@dataclass(frozen=True)
class Trial:
    """Arm x training set x seed.

    Attributes:
        arm: sampler and core.
        train_set: name of the training set.
        fingerprint: of the training set's content.
        seed: of all randomness, the arm's seed offset included.
    """

    arm: Arm
    train_set: str
    fingerprint: str
    seed: int

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything the trained weights depend on but the machine. Not test sets, labels, places of files."""
        sampler, core = self.arm.sampler, self.arm.core
        weights = PRETRAINED if core.init == "synthheads" else core.encoder.backbone_weights
        return {
            "core_version": CORE_VERSION,
            "core": core.used(),
            "first_weights": _content(str(weights), Path(weights).stat().st_mtime_ns) if weights else None,
            "sampler": sampler.name,
            "parameters": sampler.model_dump(mode="json"),
            "sampler_source": source_digest(type(sampler)),
            "data": self.fingerprint,
            "seed": self.seed,
        }

    @cached_property
    def key(self) -> str:
        """Digest of the identity, 20 hexadecimal digits."""
        return identity_key(self.identity)


@cache  # a plan asks for every trial
def _content(path: str, _changed: int) -> str:
    """Digest of a file's content."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def identity_key(identity: dict[str, Any]) -> str:
    """The key of the trial that has an identity, or of the search that has a definition."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:20]
