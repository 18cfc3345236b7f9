"""Presets: first weights and sizes of a training, from a five-minute look to the slides' hyperparameters."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from benchmark.study.protocols import Protocol
from mhpe.config import SLIDES, CoreConfig


class Preset(NamedTuple):
    """What a preset changes of the defaults of :class:`CoreConfig` and :class:`~mhpe.synthheads.sets.SynthConfig`."""

    core: Mapping[str, Any] = MappingProxyType({})
    synthheads: Mapping[str, Any] = MappingProxyType({})


_ONE_EPOCH = {"init": "synthheads", "average": "ema", "image_size": 48, "batch_size": 32, "epochs": 1}

PRESETS: dict[str, Preset] = {
    # The first study in minutes on any two cores. Size and rate were chosen on other rendered persons (results/tiny).
    "tiny": Preset(_ONE_EPOCH | {"learning_rate": 1e-3}, {"train": 512, "lab": 480, "wild": 480}),
    # A little longer, for smaller errors: which references to fine-tune with.
    "quick": Preset(_ONE_EPOCH | {"learning_rate": 2e-3}, {"train": 800, "lab": 480, "wild": 480}),
    # As small, from scratch: for studies of other encoders and heads, which the package's network has no weights for.
    "quick_scratch": Preset(
        core={"image_size": 48, "references": "pool", "pool_size": 32, "batch_size": 32, "epochs": 7},
        synthheads={"train": 3000, "lab": 600, "wild": 600},
    ),
    # Some thousand images and two minutes on a processor core.
    "standard": Preset(),
    # For photographs: which references to fine-tune with.
    "finetune": Preset(core={"init": "synthheads", "average": "ema", "epochs": 8, "learning_rate": 1e-3}),
    # The slides' hyperparameters (K and the number of epochs are not in the slides), for 300W-LP on a GPU.
    "paper": Preset(
        core={
            **SLIDES,
            "batch_size": 100,
            "k": 10,
            "epochs": 90,
            "learning_rate": 0.01,
            "schedule": {"kind": "step", "milestones": (20, 50, 80)},
        }
    ),
}


def describe(preset: Preset) -> str:
    """A preset in a sentence, as far as a study does not change it."""
    core = CoreConfig.model_validate(preset.core)
    references = "exact" if core.references == "exact" else f"from a pool of {core.pool_size} images a batch"
    start = "to fine-tune the package's network with" if core.init == "synthheads" else "to train with from scratch"
    epochs = "1 epoch" if core.epochs == 1 else f"{core.epochs} epochs"
    return (
        f"which references {start}: {epochs}, images of {core.image_size} x {core.image_size} pixels, "
        f"batches of {core.batch_size} inputs with K = {core.k} references each ({references}), unless a study says "
        "otherwise"
    )


def default_preset(protocols: Iterable[Protocol], core: Mapping[str, Any]) -> str:
    """``tiny`` where all data are rendered, so that the first study takes minutes; ``standard`` otherwise.

    ``quick_scratch`` replaces ``tiny`` where the study's ``core`` says ``init: random`` or names an encoder.
    """
    if not all(all(protocol.synthetic) for protocol in protocols):
        return "standard"
    return "quick_scratch" if core.get("init") == "random" or "encoder" in core else "tiny"
