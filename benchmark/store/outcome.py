"""Results of a trial as plain records, which a worker process makes and the store keeps."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mhpe.train import Epoch


@dataclass(frozen=True)
class Evaluation:
    """A trial's result on one test set."""

    fingerprint: str  # of the test set's content
    metrics: dict[str, float]  # as mhpe.train.metrics.summary names them, degrees
    rotations: NDArray[np.float32]  # (N, 3, 3) predictions
    strengths: NDArray[np.float32]  # (N, 3) predicted concentrations


@dataclass
class Outcome:
    """The result of a task, or its error."""

    key: str
    evaluations: dict[str, Evaluation] = field(default_factory=dict)  # by name of the test set
    epochs: list[Epoch] = field(default_factory=list)  # the training's history; empty if only an evaluation was missing
    weights: bytes | None = None  # the trained weights in safetensors format
    seconds: float = 0.0  # duration of the training
    parameters: int = 0  # number of the network's weights
    environment: dict[str, Any] = field(default_factory=dict)  # machine and versions
    error: tuple[str, str] | None = None  # type and message of what ended the trial, or None
    traceback: str | None = None  # of the error
    # numbers of the training's draws, see samplers.support.diagnostics.DrawStatistics.summary; empty if only an
    # evaluation was missing
    diagnostics: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # problems that did not change the result
