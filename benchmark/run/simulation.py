"""The draws of a training without the training."""

import math
from itertools import islice
from typing import Any

from mhpe.config import CoreConfig
from mhpe.poses import Poses
from mhpe.train.references import EpochDraws
from samplers.base import Sampler
from samplers.support.recorder import Recorder

REFERENCES = 200_000  # about how many references are drawn at most


def simulate(config: CoreConfig, sampler: Sampler, poses: Poses, seed: int = 0) -> dict[str, Any]:
    """Numbers of the references that a trial with this seed draws, as ``DrawStatistics.summary`` gives them.

    Of a long training only the first batches of each epoch are drawn. A training of at most :data:`REFERENCES`
    references stores the very same numbers, unless the sampler learns from it: nothing calls ``observe`` here, so such
    a sampler draws as one that has learned nothing.
    """
    recorder = Recorder(sampler, len(poses), poses.device)
    batches = math.ceil(REFERENCES / (config.epochs * config.batch_size * config.k))
    for epoch in range(config.epochs):
        for _ in islice(EpochDraws(config, recorder, poses, seed, epoch), batches):
            pass
    return recorder.statistics.summary()
