"""First weights from the network that comes with the package."""

import json
from typing import Any

import safetensors

from mhpe.config import CoreConfig
from mhpe.errors import InputError
from mhpe.model.network import Network
from mhpe.paths import PRETRAINED


def check_warm_start(config: CoreConfig, where: str) -> None:
    """Refuse an encoder that the package's network has no weights for.

    Raises:
        InputError: if its shapes are others.
    """
    with safetensors.safe_open(PRETRAINED, "np") as file:
        shipped: dict[str, Any] = json.loads(file.metadata()["core"])["encoder"]
    for name, value in config.encoder.model_dump(mode="json").items():
        if shipped[name] != value:
            raise InputError(
                f"{where}: init: synthheads needs encoder.{name}: {shipped[name]}, not {value}; init: random takes any"
            )


def warm_start(network: Network) -> None:
    """Give a network the encoder of the package's network, and its SCME as far as it has the same."""
    check_warm_start(network.config, "core")
    own = network.state_dict()
    with safetensors.safe_open(PRETRAINED, "pt") as file:
        for name in file.keys():  # noqa: SIM118, no mapping
            targets = [name, name.replace("scme.", "reference_scme.", 1)] if name.startswith("scme.") else [name]
            other_input = "concentration_module" in name and network.config.concentration_input == "raw"
            for target in targets:
                if target in own and not other_input:
                    own[target].copy_(file.get_tensor(name))
