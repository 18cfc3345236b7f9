"""The rows of the table: what is measured, against which straightforward code, and the goal."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.benchmark import Measurement, TaskSpec, Timer

from benchmark.store import Store
from benchmark.store.outcome import Outcome
from benchmark.study.grid import Plan, make_plan
from benchmark.study.study import load_study
from mhpe.config import CoreConfig
from mhpe.data import HeadPoseSet
from mhpe.model.encoder import normalise
from mhpe.model.heads import build
from mhpe.model.matrix_fisher import log_normalizer_of_singular_values
from mhpe.model.network import resolve
from mhpe.poses import Poses
from mhpe.train.loop import poses_of, train
from mhpe.train.references import EpochDraws
from samplers.base import Sampler
from samplers.gaussian import Gaussian
from samplers.random import Random
from samplers.support.registry import Registry
from tests.benchmark.synthetic_results import SyntheticStudy, fill
from tools.perf.straightforward import GaussianChoice, InputsWithReferences, straightforward_loop, trapezoid_log_c
from tools.perf.synthetic_data import W300LP_IMAGES, photographs, synthetic_set

EXACT = CoreConfig(batch_size=100, k=10)
POOL = EXACT.model_copy(update={"references": "pool"})
SKIPPED, STEPS = 2, 6  # of a training: the first, which make buffers and choose algorithms, and those that count
ROUNDS = 3  # in which ours and theirs are measured one after the other
STUDIES, ARMS, SEEDS = 5, 20, 100  # of the report's store, beside the baseline, whose trials the studies share
VERBS = (("--help",), ("studies",), ("samplers",))


class Setting(NamedTuple):
    """Where rows are measured."""

    device: torch.device
    folder: Path


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: is measured.
        seconds: of it.
        against: what it is compared with; empty if with nothing.
        other: seconds of that.
        ratio_goal: how many times as fast as the other it should be at least.
        seconds_goal: the most seconds it should take.
    """

    what: str
    seconds: float
    against: str = ""
    other: float | None = None
    ratio_goal: float | None = None
    seconds_goal: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times as fast it is as the other."""
        return None if self.other is None else self.other / self.seconds

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.seconds_goal is not None:
            return self.seconds <= self.seconds_goal
        return None if self.ratio_goal is None or self.ratio is None else self.ratio >= self.ratio_goal


def timed(work: Callable[[], object], seconds: float = 0.5) -> Measurement:
    """Time of one call, on one thread; a graphics card is waited for."""
    return Timer("work()", globals={"work": work}).blocked_autorange(min_run_time=seconds)


def once(work: Callable[[], object]) -> Measurement:
    """Time of a single call."""
    started = time.perf_counter()
    work()
    return Measurement(1, [time.perf_counter() - started], TaskSpec("once", "", num_threads=1))


def compare(ours: Callable[[], Measurement], theirs: Callable[[], Measurement]) -> tuple[float, float]:
    """Median seconds of both, measured in turn, since a machine's speed changes by the minute."""
    rounds = [(ours(), theirs()) for _ in range(ROUNDS)]
    mine, other = (float(np.median([found.median for found in side])) for side in zip(*rounds, strict=True))
    return mine, other


def training_rows(setting: Setting) -> Iterator[Row]:
    """A step of 100 inputs, with exact references and with a pool, against the straightforward loop."""
    data = synthetic_set(W300LP_IMAGES, EXACT.image_size)
    files, choice = photographs(setting.folder / "photographs", len(data)), GaussianChoice(data.angles[:, 0], 30)
    items = InputsWithReferences(files, poses_of(data), choice, EXACT)
    training = straightforward_loop(items, EXACT, setting.device)
    straightforward = partial(timed, partial(next, training), 0.1)
    for name, config, goal in (("exact references", EXACT, 5), (f"a pool of {POOL.pool_size}", POOL, 20)):
        seconds = compare(partial(step, config, data, setting.device), straightforward)
        what = f"training step, {name}: K 10, gaussian 30, 64x64, batch 100, {len(data):,} images"
        yield Row(what, seconds[0], "the straightforward loop: DataLoader, float32", seconds[1], goal)


def step_rows(setting: Setting) -> Iterator[Row]:
    """A whole training step against forward and backward of the same number of distinct images."""
    data = synthetic_set(W300LP_IMAGES, EXACT.image_size)
    seconds = compare(partial(step, EXACT, data, setting.device), partial(timed, network_alone(data, setting.device)))
    yield Row("training step, exact references", seconds[0], "forward and backward alone", seconds[1], 1 / 1.15)


def sampler_rows(_: Setting) -> Iterator[Row]:
    """References for a batch of 100 inputs: against NumPy, from more images, and by the slowest sampler."""
    ours = draws(Gaussian(sigma=30), W300LP_IMAGES)
    choice = GaussianChoice(synthetic_set(W300LP_IMAGES, 1).angles[:, 0], 30)
    rng = np.random.default_rng(0)
    one = compare(partial(timed, ours), partial(timed, lambda: choice(0, EXACT.k, rng)))
    what = f"gaussian 30: {EXACT.k} references for 100 inputs of {W300LP_IMAGES:,}"
    yield Row(what, one[0], "NumPy's weighted choice, one input at a time", 100 * one[1], 100)
    large = compare(partial(timed, draws(Gaussian(sigma=30), 1_000_000)), partial(timed, ours))
    yield Row("the same of 1,000,000", large[0], f"of {W300LP_IMAGES:,}", large[1], 1 / 1.3)
    slowest = max((timed(draws(cls(), W300LP_IMAGES), 0.1).median, name) for name, cls in Registry().classes.items())
    yield Row(f"the slowest sampler, {slowest[1]}", slowest[0])


def matrix_fisher_rows(setting: Setting) -> Iterator[Row]:
    """Log c and its gradient for the distinct images of a batch, against the 512-step trapezoid with autograd."""
    s = 60 * torch.rand(1100, 3, generator=torch.Generator().manual_seed(0))
    s = s.sort(1, descending=True).values.to(setting.device).requires_grad_()
    both = (log_normalizer_of_singular_values, trapezoid_log_c)
    gradients = [lambda function=f: torch.autograd.grad(function(s).sum(), s) for f in both]
    seconds = compare(*(partial(timed, gradient) for gradient in gradients))
    what = f"matrix Fisher log c and gradient of {len(s):,} images"
    yield Row(what, seconds[0], "the 512-step trapezoid with autograd", seconds[1], 6)


def report_rows(setting: Setting) -> Iterator[Row]:
    """``bench report`` over ten thousand trials, from nothing and again."""
    store = f"sqlite:///{setting.folder}/report.sqlite"
    for study in range(STUDIES):
        sigmas = [15 + study + STUDIES * arm for arm in range(ARMS)]
        arms: dict[str, Sampler] = {"random": Random()} | {f"gaussian {s}": Gaussian(sigma=s) for s in sigmas}
        fill(Store(store), SyntheticStudy(f"study_{study}", arms, SEEDS))
    for name, goal in (("from nothing", 12), ("again", 4)):
        seconds = once(partial(bench, "report", "--store", store, "--out", str(setting.folder / "report"))).median
        yield Row(f"bench report, {SEEDS * (STUDIES * ARMS + 1):,} trials, {name}", seconds, seconds_goal=goal)


def start_rows(_: Setting) -> Iterator[Row]:
    """Start-up of the verbs, against the import of torch."""
    torch_alone = partial(subprocess.run, [sys.executable, "-c", "import torch"], check=True)
    for words in VERBS:
        seconds = compare(partial(once, partial(bench, *words)), partial(once, torch_alone))
        yield Row(f"bench {' '.join(words)}", seconds[0], "import torch", seconds[1])


def first_study_rows(setting: Setting) -> Iterator[Row]:
    """``bench report`` of a study like README's first, and ``bench run`` with nothing to do."""
    store = f"sqlite:///{setting.folder}/first.sqlite"
    arms: dict[str, Sampler] = {"random": Random()} | {
        f"gaussian {s}": Gaussian(sigma=s) for s in (15, 22.5, 30, 37.5, 45)
    }
    fill(Store(store), SyntheticStudy("first", arms, 16))
    words = "report", "--store", store, "--out", str(setting.folder / "first")
    yield Row("bench report, a first study of 96 trials", once(partial(bench, *words)).median, seconds_goal=6)
    path = setting.folder / "small.yaml"
    core = {
        "image_size": 32,
        "k": 2,
        "epochs": 1,
        "batch_size": 16,
        "encoder": {"m": 8, "widths": [16]},
        "init": "random",
    }
    content = {"title": "Small", "question": "How fast?", "baseline": "random", "protocols": ["synth_1"], "core": core}
    path.write_text(
        json.dumps(content | {"synthheads": {"train": 64, "lab": 64}, "seeds": 2, "arms": [{"sampler": "random"}]})
    )
    again = partial(
        bench, "run", "--study", str(path), "--store", f"sqlite:///{setting.folder}/small.sqlite", "--jobs", "1"
    )
    again()
    yield Row("bench run with nothing to do", once(again).median, seconds_goal=3)


def planning_rows(setting: Setting) -> Iterator[Row]:
    """Planning ten thousand trials, and taking and finishing one of them."""
    path, numbers = setting.folder / "ten_thousand.yaml", count()
    arms = [{"sampler": "random"}, {"sampler": "gaussian", "sigma": [*range(5, 104)], "label": "gaussian {sigma}"}]
    content = {"title": "Many", "question": "How fast?", "baseline": "random", "protocols": ["synth_1"], "arms": arms}
    path.write_text(json.dumps(content | {"seeds": 100}))

    def planned() -> tuple[Store, Plan]:
        plan = make_plan(loaded, grid, 100, lambda _, size: synthetic_set(200, size))
        store = Store(f"sqlite:///{setting.folder}/plan{next(numbers)}.sqlite")
        store.plan(loaded.name, loaded.definition, plan.cells, plan.trials.values())
        return store, plan

    loaded = load_study(str(path), "standard")
    grid = dict.fromkeys(loaded.protocols, loaded.arms)
    yield Row(f"planning {100 * len(loaded.arms):,} trials", once(planned).median, seconds_goal=3)
    store, plan = planned()
    keys, worker = iter(plan.trials), "perf"

    def claim_and_finish() -> None:
        key = next(keys)
        store.claim(key, worker, 60)
        store.finish(Outcome(key, error=("Error", "none")), worker)

    yield Row("claiming and ending one of them", timed(claim_and_finish).median, seconds_goal=0.005)


ROWS: dict[str, Callable[[Setting], Iterator[Row]]] = {
    "training": training_rows,
    "step": step_rows,
    "samplers": sampler_rows,
    "matrix_fisher": matrix_fisher_rows,
    "report": report_rows,
    "start": start_rows,
    "first_study": first_study_rows,
    "planning": planning_rows,
}
"""By the name that ``--row`` takes, in the table's order."""


class _EnoughError(Exception):
    """Ends a training."""


def step(config: CoreConfig, data: HeadPoseSet, device: torch.device) -> Measurement:
    """Time of a step of the suite's own training: draws, loading, augmentation, forward, backward, update."""
    marks: list[float] = []

    class Watched(Gaussian):
        """Notes when each step begins, and ends the training."""

        def draw(self, query: Poses, k: int, generator: torch.Generator) -> Tensor:
            if device.type == "cuda" and len(marks) in (SKIPPED, SKIPPED + STEPS):
                torch.cuda.synchronize(device)  # between them the host runs ahead of the card, as always
            marks.append(time.perf_counter())
            if len(marks) > SKIPPED + STEPS:
                raise _EnoughError
            return super().draw(query, k, generator)

    try:
        train(config, data, Watched(sigma=30), 0, device)
    except _EnoughError:
        return Measurement(STEPS, [marks[-1] - marks[SKIPPED]], TaskSpec("a training step", "", num_threads=1))
    raise ValueError(f"a training of {len(marks)} steps is too short to time {SKIPPED + STEPS}")


def network_alone(data: HeadPoseSet, device: torch.device) -> Callable[[], None]:
    """Forward and backward of as many images as a step has distinct ones, already on the device."""
    inputs, references = next(iter(EpochDraws(EXACT, Gaussian(sigma=30), poses_of(data), 0, 0)))
    distinct = len(torch.unique(torch.cat((inputs, references.flatten()))))
    dtype = resolve(EXACT.precision, device)
    network = build(EXACT, 0).to(device).train()
    images = normalise(torch.from_numpy(data.images[:distinct])).to(device, dtype)

    def forward_and_backward() -> None:
        network.zero_grad(set_to_none=True)
        output = network(images, dtype)
        (output.z.sum() + output.raw.sum()).backward()

    return forward_and_backward


def draws(sampler: Sampler, images: int) -> Callable[[], Tensor]:
    """References for 100 inputs of a data set."""
    poses = poses_of(synthetic_set(images, 1))
    sampler.fit(poses, 0.0)
    generator = torch.Generator().manual_seed(0)
    query = poses[torch.randperm(images, generator=generator)[: EXACT.batch_size]]
    return lambda: sampler.draw(query, EXACT.k, generator)


def bench(*words: str) -> None:
    """Call the command line in a process of its own."""
    subprocess.run([sys.executable, "-m", "benchmark", *words], check=True, capture_output=True)
