"""The row of SynthHeads: how fast heads are rendered, and what share of the quick study that is."""

import time
from collections.abc import Iterator

import torch

from benchmark.study.presets import PRESETS
from benchmark.study.study import load_study
from mhpe.data.dataset import no_progress
from mhpe.synthheads.generate import generate
from mhpe.synthheads.sets import SETS, SynthConfig
from mhpe.train.references import batches_per_epoch
from samplers.gaussian import Gaussian
from tools.perf.made_up import made_up_set
from tools.perf.rows import Goal, Row, Setting
from tools.perf.stopwatch import step_seconds

RENDERED = 320
STEPS = 40


def rendering_row(setting: Setting) -> Iterator[Row]:
    """Images a second on one core, and rendering's share of the study that the README begins with."""
    study = load_study("gaussian_sigma", "quick")
    core = study.arms[0].core
    config = SynthConfig(train=RENDERED, lab=RENDERED, wild=RENDERED, seed=1)
    generate("synth_lab", SynthConfig(train=16, lab=16, wild=16), core.image_size, setting.folder / "warm", 1)
    started = time.perf_counter()
    generate("synth_train", config, core.image_size, setting.folder / "rendered", 1, no_progress)
    each = (time.perf_counter() - started) / RENDERED

    sizes = SynthConfig.model_validate(PRESETS["quick"].synthheads)
    rendering = each * sum(sizes.count(name) for name in SETS)
    data = made_up_set(sizes.train, core.image_size)
    step = float(step_seconds(core, data, Gaussian(sigma=30), torch.device("cpu"), STEPS).mean())
    trainings = len(study.arms) * study.file.seeds
    training = trainings * core.epochs * batches_per_epoch(core, sizes.train) * step
    share = 100 * rendering / (rendering + training)
    what = f"rendering's share of the quick study's time ({trainings} trainings)"
    yield Row(
        what,
        share,
        "%",
        goal=Goal("<=", 20),
        note=f"{1 / each:.0f} images/s on one core at {core.image_size}x{core.image_size} with 2x2 supersampling",
    )
