"""Rows of the training: the whole of it, and its step against the network alone."""

from collections.abc import Iterator
from itertools import cycle, islice

import torch
from torch import Tensor, nn

from mhpe.config import CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.data.crops import landmark_box
from mhpe.model.encoder import normalise
from mhpe.model.heads import build
from mhpe.model.precision import resolve
from mhpe.train.loop import poses_of
from mhpe.train.references import EpochDraws
from samplers.gaussian import Gaussian
from tools.perf.made_up import W300LP_IMAGES, face_landmarks, made_up_set, photographs
from tools.perf.obvious_encoder import ObviousEncoder
from tools.perf.rows import Goal, Row, Setting, faster
from tools.perf.stopwatch import SKIPPED, step_seconds
from tools.perf.straightforward import GaussianChoice, InputsWithReferences, Straightforward
from tools.perf.timing import Measurement, paired, timed

EXACT = CoreConfig(batch_size=100, k=10)
POOL = EXACT.model_copy(update={"references": "pool"})
STEPS = 6
"""Of a training, at a time."""
TURNS = 5


def training_rows(setting: Setting) -> Iterator[Row]:
    """Inputs a second, with exact references and with a pool of 200, against the straightforward loop."""
    data = made_up_set(W300LP_IMAGES, EXACT.image_size)
    m = EXACT.encoder.m
    for name, config, encoder, goal in (
        ("exact references", EXACT, ObviousEncoder(m), Goal(">=", 8)),
        (f"a pool of {POOL.pool_size}", POOL, ObviousEncoder(m), Goal(">=", 30)),
        ("exact references", EXACT, None, None),
    ):
        found = paired(_steps(config, data, setting.device), _straightforward(data, setting, encoder), TURNS)
        yield faster(
            f"training, {name} (K 10, gaussian 30, 64x64, batch 100)",
            found,
            f"the straightforward loop{'' if encoder else ' with our encoder'}",
            goal,
            unit="inputs/s",
            per_second=True,
            note="DataLoader, K references decoded and encoded for each input, float32, NumPy's choice for one input"
            if goal
            else "",
        )


def step_row(setting: Setting) -> Iterator[Row]:
    """A whole training step against forward and backward alone of the same distinct images, on the device already."""
    data = made_up_set(W300LP_IMAGES, EXACT.image_size)
    steps = _steps(EXACT, data, setting.device)
    _warm_up(EXACT, data, setting.device)
    found = paired(steps, _network_alone(EXACT, data, setting.device), TURNS)
    times = 1 / found.ratio
    yield Row(
        "a whole training step (exact references)",
        1000 * EXACT.batch_size * found.ours,
        "ms",
        "forward and backward alone of its distinct images, on the device already",
        1000 * EXACT.batch_size * found.theirs,
        times,
        1 / found.high,
        1 / found.low,
        Goal("<=", 1.15),
        "its time as a multiple of theirs",
    )


def _steps(config: CoreConfig, data: HeadPoseSet, device: torch.device) -> Measurement:
    """Seconds an input of the suite's own loop."""
    sampler = Gaussian(sigma=30)
    return lambda: float(step_seconds(config, data, sampler, device, STEPS).mean()) / config.batch_size


def _warm_up(config: CoreConfig, data: HeadPoseSet, device: torch.device) -> None:
    """Let the convolutions meet the batch sizes: for each new one their library makes a program, once in a training."""
    step_seconds(config, data, Gaussian(sigma=30), device, 3 * STEPS)


def _straightforward(data: HeadPoseSet, setting: Setting, encoder: nn.Module | None) -> Measurement:
    """Seconds an input of the straightforward loop, a batch at a time."""
    files, box = photographs(setting.folder / "photographs", len(data)), landmark_box(face_landmarks()[:2])
    draws = GaussianChoice(data.angles[:, 0], 30)
    items = InputsWithReferences(files, box, poses_of(data), draws, EXACT)
    training = Straightforward(items, EXACT, setting.device, encoder)
    step = timed(training.step, setting.device)
    return lambda: step() / EXACT.batch_size


def _network_alone(config: CoreConfig, data: HeadPoseSet, device: torch.device) -> Measurement:
    """Seconds an input of forward and backward of the distinct images that the timed steps encode."""
    draws = EpochDraws(config, Gaussian(sigma=30), poses_of(data), 0, 0)
    drawn = list(islice(draws, SKIPPED + STEPS))[SKIPPED:]
    counts = [len(torch.unique(torch.cat((inputs, references.flatten())))) for inputs, references in drawn]
    dtype = resolve(config.precision, device)
    network = build(config, 0).to(device).train()
    batches = [normalise(torch.from_numpy(data.images[:count])).to(device, dtype) for count in counts]
    next_batch = cycle(batches)

    def forward_and_backward(images: Tensor) -> None:
        network.zero_grad(set_to_none=True)
        output = network(images, dtype)
        (output.z.sum() + output.raw.sum()).backward()

    step = timed(lambda: forward_and_backward(next(next_batch)), device, STEPS)
    return lambda: step() / config.batch_size
