"""The training of a network: loop, references, augmentation, checkpoints and metrics."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """What an epoch did.

    Attributes:
        number: from 0.
        losses: mean of the total loss ("total") and of each unweighted part.
        learning_rate: at the epoch's end.
        images_per_input: distinct images encoded per input.
    """

    number: int
    losses: dict[str, float]
    learning_rate: float
    images_per_input: float
