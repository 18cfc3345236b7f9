"""A trained network in one file: safetensors with the core's configuration in its metadata."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
import safetensors.torch
import torch
from pydantic import TypeAdapter

from mhpe.config import CoreConfig
from mhpe.errors import InputError
from mhpe.model.heads import build
from mhpe.model.network import Network
from mhpe.validation import parse

FORMAT = "mhpe-bench network 1"
"""Marks a file as a network; the number is raised when a change makes older weights mean something else."""


def save_network(network: Network, path: Path, notes: Mapping[str, Any]) -> None:
    """Write a trained network with its configuration and notes on its origin, which JSON can hold.

    Raises:
        InputError: if the file cannot be written.
    """
    state = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    metadata = {
        "format": FORMAT,
        "core": network.config.model_dump_json(),
        "notes": json.dumps(notes, sort_keys=True),
    }
    try:
        safetensors.torch.save_file(state, path, metadata)
    except (OSError, safetensors.SafetensorError) as error:
        reason = str(error).rpartition("I/O error: ")[2].partition(" (os error")[0]  # without its temporary file
        raise InputError(f"cannot write {path}: {reason}") from None


class Saved(NamedTuple):
    """A network on the CPU, ready to predict, and the notes on its origin."""

    network: Network
    notes: dict[str, Any]


def load_network(path: Path) -> Saved:
    """Read a file of :func:`save_network`.

    Raises:
        InputError: if the file is missing, damaged or not a network.
    """
    if not path.is_file():  # which the library would wait for, or report in errno's words
        raise InputError(f"{path}: no such weights file" if not path.exists() else f"{path}: no regular file")
    try:
        with safetensors.safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, no mapping
    except (OSError, safetensors.SafetensorError) as error:
        raise InputError(f"{path}: not a safetensors file ({error}); bench export writes one") from None
    if metadata.get("format") != FORMAT:
        raise InputError(f"{path}: not a network of this program; bench export FILE --trial KEY writes one")
    core, notes = (_mapping(metadata.get(part), f"{path}: its {part}") for part in ("core", "notes"))
    return Saved(restore(core, state, str(path)), notes)


def _mapping(text: str | None, what: str) -> dict[str, Any]:
    try:
        return TypeAdapter(dict[str, Any]).validate_json(text or "")
    except ValueError:
        raise InputError(f"{what} (metadata) cannot be read; export the network again") from None


def restore(core: Mapping[str, Any], state: Mapping[str, torch.Tensor], where: str) -> Network:
    """A network from the fields of its :class:`mhpe.config.CoreConfig` and its weights by name.

    Raises:
        InputError: if the configuration is not one of this version's, or the weights don't fit it; it begins with
            ``where``.
    """
    config = parse(CoreConfig, core, f"{where}: core")
    # A backbone's first weights are of no use here, and their file need not be on this machine.
    encoder = config.encoder.model_copy(update={"backbone_weights": None})
    with torch.device("meta"):  # takes no memory, whatever the configured size
        network = build(config.model_copy(update={"encoder": encoder}), seed=0)
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise InputError(f"{where}: its weights don't fit its configuration: {reason}") from None
    if not all(value.isfinite().all() for value in state.values()):
        raise InputError(f"{where}: some of its weights are not finite numbers; train or export it again")
    return network.float().to(memory_format=torch.channels_last).eval()
