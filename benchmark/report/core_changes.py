"""What a study's core changes of its preset's."""

from collections.abc import Iterable, Mapping
from typing import Any

from benchmark.store import Store
from benchmark.store.reading import load_core
from benchmark.study.presets import PRESETS
from mhpe.config import CoreConfig


def core_note(store: Store, study: str, baseline: str, presets: Iterable[str]) -> str:
    """A sentence for each preset whose core the study's baseline changes; nothing where none is changed.

    Args:
        store: the results store.
        study: its name.
        baseline: label of the arm whose core is looked at.
        presets: names; those that are not known are left out.
    """
    sentences = []
    for name in presets:
        core = load_core(store, study, name, baseline)
        if core is None or name not in PRESETS:
            continue
        changes = core_changes(core, CoreConfig.model_validate(PRESETS[name].core).model_dump(mode="json"))
        if changes:
            said = ", ".join(f"{key} {value}" for key, value in changes.items())
            sentences.append(f"Core changed from preset {name}: {said}.")
    return " ".join(sentences)


def core_changes(core: Mapping[str, Any], of_preset: Mapping[str, Any]) -> dict[str, str]:
    """Settings that differ from a preset's as text, ``encoder.m`` for one in a section.

    What only one of the two has is left out: it belongs to another version of the core.
    """
    own, usual = _flat(core), _flat(of_preset)
    return {key: _text(own[key]) for key in usual if key in own and own[key] != usual[key]}


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    return "none" if value is None else str(value)
