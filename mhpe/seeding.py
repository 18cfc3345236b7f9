"""Streams of randomness, one for each thing that is drawn.

Arms of a study that share a seed share their weights, data order, augmentation and distance noise draw by
draw, whatever their sampler does: reference draws have a stream of their own. A stream depends on the
epoch, so a training that resumes after an epoch needs no stored generator state. All streams of a training are
drawn on the host, so a seed draws the same on every device.
"""

from typing import Literal, get_args

import numpy as np
import torch

Stream = Literal["weights", "order", "flip", "augmentation", "noise", "references", "pool"]
"""New streams go to the end: a stream's place is part of its seed."""


def generator(seed: int, stream: Stream, epoch: int = 0, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh generator of one stream in one epoch, for a trial's seed (at least 0), on the device of its draws."""
    state = np.random.SeedSequence([seed, 1 + get_args(Stream).index(stream), epoch]).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(state >> np.uint64(1)))
