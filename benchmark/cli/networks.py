"""The options by which verbs choose a trained network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from benchmark.cli.options import existing_store, store_option
from benchmark.store.trained import trained_network
from mhpe.errors import InputError
from mhpe.model.saved import Saved, load_network
from mhpe.paths import PRETRAINED


def network_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """``--trial``, ``--weights`` and ``--store``."""
    trial = click.option("--trial", metavar="KEY", help="A trial of the store, by the first characters of its key.")
    weights = click.option(
        "--weights", type=click.Path(path_type=Path), metavar="FILE", help="A weights file of bench export."
    )
    return trial(weights(store_option(verb)))


def chosen_network(trial: str | None, weights: Path | None, store: str) -> Saved:
    """The network that the options name: a trial's, a file's, or the one that comes with the package.

    Raises:
        InputError: if both are named, there is no such network, or a store is named and no trial of it.
    """
    if trial is None and click.get_current_context().get_parameter_source("store") is ParameterSource.COMMANDLINE:
        raise InputError("--store is of use with --trial KEY alone, which names a network of that store")
    if trial is not None and weights is not None:
        raise InputError("--trial and --weights both name a network; give one of them")
    return trained_network(existing_store(store), trial) if trial is not None else load_network(weights or PRETRAINED)
