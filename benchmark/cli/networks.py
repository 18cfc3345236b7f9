"""The options by which verbs choose a trained network."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmark.cli.options import refuse_without, store_option
from mhpe.errors import InputError
from mhpe.paths import FOR_PHOTOGRAPHS

if TYPE_CHECKING:
    from mhpe.model.saved import Saved


def network_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """``--trial``, ``--weights`` and ``--store``."""
    trial = click.option("--trial", metavar="KEY", help="A trial of the store, by the first characters of its key.")
    weights = click.option(
        "--weights", type=click.Path(path_type=Path), metavar="FILE", help="A weights file of bench export."
    )
    return trial(weights(store_option(verb)))


def chosen_network(trial: str | None, weights: Path | None, store: str) -> "Saved":
    """The network that the options name, one of them: a trial's, a file's, or the one that comes with the package.

    With a trial's network come notes on how it was trained and its errors.
    """
    if trial is None:
        refuse_without("--trial KEY, which names a network of that store", ("store",))
    elif weights is not None:
        raise InputError("--trial and --weights both name a network; give one of them")
    import safetensors.torch

    from benchmark.store import Store
    from mhpe.model.saved import Saved, load_network, restore

    if trial is None:
        return load_network(weights or FOR_PHOTOGRAPHS)
    opened = Store(store, read_only=True)
    found = opened.find_trial(trial)
    content = opened.weights(found.key)
    if content is None:
        why = f"do not exist: the trial is {found.status}"
        if found.status == "done":
            why = "were not copied into it; bench store copy adds them from the store that has them"
        raise InputError(f"store {opened.shown}: the weights of trial {found.key} {why}")
    try:
        state = safetensors.torch.load(content)
    except safetensors.SafetensorError as error:
        raise InputError(f"store {opened.shown}: the weights of trial {trial} are damaged ({error})") from None
    identity, environment = dict(found.identity), found.environment or {}
    network = restore(identity.pop("core"), state, f"trial {found.key}")
    notes = {"trial": found.key, "identity": identity, "errors": opened.errors(found.key)}
    return Saved(network, notes | {name: environment.get(name) for name in ("packages", "commit")})
