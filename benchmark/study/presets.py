"""Presets: sizes of a training, from a five-minute look to the slides' hyperparameters."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from benchmark.study.protocols import Protocol
from mhpe.config import CoreConfig


@dataclass(frozen=True)
class Preset:
    """What a preset changes of the defaults.

    Attributes:
        core: of :class:`mhpe.config.CoreConfig`.
        synthheads: of :class:`mhpe.synthheads.sets.SynthConfig`.
    """

    core: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    synthheads: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


PRESETS: dict[str, Preset] = {
    # A whole study on two cores in minutes: small images, and a pool of references shared by the batch.
    "quick": Preset(
        core={
            "image_size": 48,
            "references": "pool",
            "pool_size": 32,
            "batch_size": 32,
            "epochs": 7,
        },
        synthheads={"train": 3000, "lab": 600, "wild": 600},
    ),
    # Some thousand images and two minutes on a processor core.
    "standard": Preset(),
    # The slides' hyperparameters (K and the number of epochs are not in the slides), for 300W-LP on a GPU.
    "paper": Preset(
        core={
            "batch_size": 100,
            "k": 10,
            "epochs": 90,
            "learning_rate": 0.01,
            "schedule": {"kind": "step", "milestones": (20, 50, 80)},
        },
    ),
}


def describe(preset: Preset) -> str:
    """A preset in a sentence, as far as a study does not change it."""
    core = CoreConfig.model_validate(preset.core)
    references = "exact" if core.references == "exact" else f"from a pool of {core.pool_size} images a batch"
    return (
        f"{core.epochs} epochs, images of {core.image_size} x {core.image_size} pixels, batches of {core.batch_size} "
        f"inputs with K = {core.k} references each ({references}), unless a study says otherwise"
    )


def default_preset(protocols: Iterable[Protocol]) -> str:
    """``quick`` where all data are rendered, so that the first study takes minutes; ``standard`` otherwise."""
    return "quick" if all(all(protocol.synthetic) for protocol in protocols) else "standard"
