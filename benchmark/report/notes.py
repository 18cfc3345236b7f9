"""Sentences beside a study's results: test set, machines, changes of the core."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from benchmark.store.reading import TestSet
from benchmark.study.names import counted
from benchmark.study.presets import PRESETS
from mhpe.config import CoreConfig
from mhpe.names import PUBLISHED_IMAGES, title


def caveat(test_set: TestSet | None) -> str:
    """A sentence on a test set that is not the published one; nothing for a rendered set or the published images."""
    if test_set is None or test_set.meta.get("synthetic"):
        return ""
    images, published = len(test_set.image_ids), PUBLISHED_IMAGES.get(test_set.name)
    reasons = []
    if published is not None and images != published:
        reasons.append(f"{images:,} images of {len(set(test_set.identities.tolist())):,} persons, not {published:,}")
    if cropped := test_set.meta.get("already_cropped"):
        all_of_them = "all" if cropped == images else f"{cropped:,}"
        reasons.append(f"{all_of_them} cropped before by another rule than this suite's")
    if not reasons:
        return ""
    return f"This is not the published test on {title(test_set.name)}: {'; '.join(reasons)}."


def machines_note(machines: pd.DataFrame) -> str:
    """A sentence on what a study's trainings ran on, and a warning where their number formats differ."""
    counts = machines.dropna().groupby(["device", "precision"]).size()
    if counts.empty:
        return ""
    places = (
        f"{device} in {precision} ({counted(count, 'training')})"
        for device, precision, count in counts.reset_index().itertuples(index=False, name=None)
    )
    note = f"Computed on {', on '.join(places)}."
    if machines["precision"].nunique() > 1:
        note += " Trainings in different number formats differ by more than their arms: compare them with care."
    return note


def core_note(cores: Mapping[str, Mapping[str, Any] | None]) -> str:
    """A sentence for each known preset whose core the study's baseline changes; ``cores`` by name of the preset."""
    sentences = []
    for name, core in cores.items():
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
    own, usual = (pd.json_normalize(dict(settings)).to_dict("records")[0] for settings in (core, of_preset))
    changed = {str(key): own[key] for key in usual if key in own and own[key] != usual[key]}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in changed.items()}
