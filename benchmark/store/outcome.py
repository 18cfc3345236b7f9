"""Results of a trial as plain records, which a worker process makes and the store keeps."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhpe.train import Epoch


@dataclass(frozen=True)
class Evaluation:
    """A trial's result on one test set.

    Attributes:
        fingerprint: of the test set's content.
        metrics: as :func:`mhpe.train.metrics.summary` names them, degrees.
        rotations: (N, 3, 3) predictions.
        strengths: (N, 3) predicted concentrations.
    """

    fingerprint: str
    metrics: dict[str, float]
    rotations: NDArray[np.float32]
    strengths: NDArray[np.float32]


@dataclass
class Outcome:
    """The result of a task, or its error.

    Attributes:
        key: the trial's key.
        evaluations: by name of the test set.
        epochs: the training's history; empty if only an evaluation was missing.
        weights: the trained weights in safetensors format.
        seconds: duration of the training.
        parameters: number of the network's weights.
        environment: machine and versions.
        error: type and message of what ended the trial, or None.
        traceback: of the error.
        diagnostics: numbers of the training's draws, see :meth:`samplers.support.diagnostics.DrawStatistics.summary`;
            empty if only an evaluation was missing.
        notes: problems that did not change the result.
        pruned: why the training was ended before its last epoch; None if it was not.
    """

    key: str
    evaluations: dict[str, Evaluation] = field(default_factory=dict)
    epochs: list[Epoch] = field(default_factory=list)
    weights: bytes | None = None
    seconds: float = 0.0
    parameters: int = 0
    environment: dict[str, Any] = field(default_factory=dict)
    error: tuple[str, str] | None = None
    traceback: str | None = None
    diagnostics: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    pruned: str | None = None
