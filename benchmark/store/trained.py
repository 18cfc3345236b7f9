"""Trained networks in the store."""

from typing import Any

import safetensors.torch
import sqlalchemy as sa

from benchmark.store import schema
from benchmark.store.store import Store
from mhpe.errors import InputError
from mhpe.model.saved import Saved, restore


def trained_network(store: Store, prefix: str) -> Saved:
    """The network of a trial, with notes on how it was trained and what its errors are.

    Args:
        store: the store.
        prefix: first characters of the trial's key.

    Raises:
        InputError: if no trial or several have such a key, or the trial has no weights or damaged ones.
    """
    key, status, identity, environment = _find(store, prefix)
    content = store.weights(key)
    if content is None:
        raise InputError(f"store {store.shown}: trial {key} has no weights, it is {status}")
    try:
        state = safetensors.torch.load(content)
    except safetensors.SafetensorError as error:
        raise InputError(f"store {store.shown}: the weights of trial {prefix} are damaged ({error})") from None
    identity = dict(identity)
    saved = restore(identity.pop("core"), state, f"trial {key}")
    notes = {
        "trial": key,
        "identity": identity,
        "packages": environment.get("packages"),
        "commit": environment.get("commit"),
        "errors": _errors(store, key),
    }
    return Saved(saved, notes)


def _find(store: Store, prefix: str) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    t = schema.trials.c
    query = sa.select(t.key, t.status, t.identity, t.environment).where(t.key.startswith(prefix, autoescape=True))
    with store.reading() as connection:
        found = connection.execute(query.order_by(t.key)).all()
    if not found:
        raise InputError(f"store {store.shown}: no trial {prefix!r}; bench run --study NAME --dry-run lists a study's")
    if len(found) > 1:
        keys = ", ".join(row.key for row in found[:3])
        raise InputError(
            f"store {store.shown}: {len(found)} trials begin with {prefix!r} ({keys}); write more of the key"
        )
    key, status, identity, environment = found[0]
    return key, status, identity, environment or {}


def _errors(store: Store, key: str) -> dict[str, dict[str, float]]:
    """Errors of a trial in degrees by test set."""
    e, s = schema.evaluations, schema.test_sets
    query = (
        sa.select(s.c.name, *(e.c[metric] for metric in schema.METRICS))
        .join_from(e, s, e.c.test_set == s.c.fingerprint)
        .where(e.c.trial == key)
        .order_by(s.c.name)
    )
    with store.reading() as connection:
        return {row["name"]: _metrics(row) for row in connection.execute(query).mappings()}


def _metrics(row: Any) -> dict[str, float]:
    return {metric: round(row[metric], 4) for metric in schema.METRICS}
