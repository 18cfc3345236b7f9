"""The training of a network: loop, references, augmentation, checkpoints and metrics."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """What an epoch did."""

    number: int  # from 0
    losses: dict[str, float]  # mean of the total loss ("total") and of each unweighted part
    learning_rate: float  # at the epoch's end
    images_per_input: float  # distinct images encoded per input
