"""What a study shows, and what else to know of its results, in plain words."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from benchmark.report.text import number, protocol_title, signed, synthetic_note
from benchmark.statistics import groups_of
from benchmark.statistics.intervals import LEVEL
from benchmark.store.reading import TestSet
from benchmark.study.names import counted
from benchmark.study.presets import PRESETS
from mhpe.config import CoreConfig
from mhpe.names import PUBLISHED_IMAGES, title

NAMED = 3  # arms named in a sentence; of more only their number is given
WORDS = {
    "better": "better than {}",
    "worse": "worse than {}",
    "equivalent": "equivalent to {} within {:g} degrees",
    "equivalent (detectably better)": "equivalent to {} within {:g} degrees, though detectably better",
    "equivalent (detectably worse)": "equivalent to {} within {:g} degrees, though detectably worse",
}


def study_verdict(table: pd.DataFrame, margin: float) -> str:
    """What a summary shows: a line for all protocols and presets with the same verdicts; ``margin`` in degrees."""
    presets = table["preset"].nunique()
    where: dict[str, list[str]] = {}
    for preset, protocol, rows in groups_of(table):
        notes = ", ".join(filter(None, (synthetic_note(protocol), f"preset {preset}" if presets > 1 else "")))
        place = f"{protocol_title(protocol)} ({notes})" if notes else protocol_title(protocol)
        where.setdefault(group_verdict(rows, margin), []).append(place)
    return "\n".join(f"{_listed(places)}: {verdict}." for verdict, places in where.items())


def study_sentence(table: pd.DataFrame, margin: float) -> str:
    """How many of a study's comparisons ended with each verdict, in one sentence; ``margin`` in degrees."""
    arms = table[table["verdict"] != "baseline"]
    if arms.empty:
        return "There is no arm to compare."
    counts = arms["verdict"].str.split(" (", regex=False).str[0].value_counts()
    words = {
        "better": "better", "worse": "worse", "equivalent": f"equivalent within {margin:g}°",
        "inconclusive": "inconclusive", "no result": "without result",
    }  # fmt: skip
    detectable = arms["verdict"].str.extract(r"\((.*)\)")[0].value_counts()
    if len(detectable):
        words["equivalent"] += f" ({', '.join(f'{count} {which}' for which, count in detectable.items())})"
    compared = set(counts.index) != {"no result"}  # then that none is better is an answer
    shown = [verdict for verdict in words if verdict in counts or (verdict == "better" and compared)]
    parts = [f"{counts.get(verdict, 0)} {words[verdict]}" for verdict in shown]
    return f"{counted(len(arms), 'comparison')} with {_baseline(arms)}: {', '.join(parts)}."


def group_verdict(rows: pd.DataFrame, margin: float) -> str:
    """The part of the sentence for one preset on one protocol."""
    arms = rows[rows["verdict"] != "baseline"]
    if arms.empty:
        return "there is no arm to compare"
    if (arms["note"] == "the baseline has no result").all():
        return f"nothing to compare yet without a result of {_baseline(arms)}"
    by_verdict = dict(list(arms.groupby("verdict", sort=False)))
    parts = [
        f"{_named(by_verdict[verdict])} {words.format(_baseline(by_verdict[verdict]), margin)}"
        for verdict, words in WORDS.items()
        if verdict in by_verdict
    ]
    if (unclear := by_verdict.get("inconclusive")) is not None:
        parts.append(_undecided(unclear) + _too_few(unclear))
    if "no result" in by_verdict:
        parts.append(f"{counted(len(by_verdict['no result']), 'arm')} without a result")
    return "; ".join(parts)


def span(row: Mapping[Any, Any]) -> str:
    """What a difference's interval does not exclude: "between 0.05 degrees better and 0.08 worse"."""
    low, high = row["low"], row["high"]
    if math.isnan(low):
        difference = row["difference"]
        return f"{number(abs(difference))} degrees {'worse' if difference > 0 else 'better'} in a single pair of seeds"
    if low < 0 < high:
        return f"between {number(-low)} degrees better and {number(high)} worse"
    ends = sorted((abs(low), abs(high)))
    return f"between {number(ends[0])} and {number(ends[1])} degrees {'worse' if high > 0 else 'better'}"


def _baseline(rows: pd.DataFrame) -> str:
    """The baseline that these arms share, or in words that they have several."""
    baselines = rows["baseline"].unique()
    return str(baselines[0]) if len(baselines) == 1 else "their baselines"


def _undecided(rows: pd.DataFrame) -> str:
    """Arms without a verdict, and what their intervals still exclude."""
    if len(rows) > NAMED:
        if single := int(rows["low"].isna().sum()):
            return f"{len(rows)} arms inconclusive, {single} of them with a single pair of seeds"
        widest = {"low": rows["low"].min(), "high": rows["high"].max()}
        return f"{len(rows)} arms inconclusive (all intervals together: {span(widest)} than {_baseline(rows)})"
    return (
        ", ".join(f"{row['arm']} {span(row)} than {row['baseline']}" for row in rows.to_dict("records"))
        + " (inconclusive)"
    )


def _too_few(rows: pd.DataFrame) -> str:
    """That these arms' number of seeds could not make any of them better or worse; nothing otherwise."""
    if (rows["smallest_p_holm"] < 1 - LEVEL).any():
        return ""
    return f"; {counted(int(rows['pairs'].max()), 'seed')} cannot show a difference"


def _named(rows: pd.DataFrame) -> str:
    """Arms with their differences; of many their number and the range."""
    if len(rows) > NAMED:
        low, high = f"{signed(rows['difference'].min())}°", f"{signed(rows['difference'].max())}°"
        return f"{len(rows)} arms (mean differences {low} to {high}) are"
    names = [f"{row['arm']} ({signed(row['difference'])}°)" for row in rows.to_dict("records")]
    return f"{_listed(names)} {'is' if len(rows) == 1 else 'are'}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


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


def training_caveat(train_set: str, images: float) -> str:
    """A sentence on a training set that is not the published one; nothing for a rendered set, or an unknown number."""
    published = PUBLISHED_IMAGES.get(train_set, images)
    if pd.isna(images) or images == published:
        return ""
    return f"This is not the published training set: {images:,.0f} images of {title(train_set)}, not {published:,}."


def machines_note(cells: pd.DataFrame) -> str:
    """A sentence on what a study's trainings ran on, and a warning where their number formats differ."""
    machines = cells[cells["status"] == "done"].drop_duplicates("trial")[["device", "precision"]].dropna()
    counts = machines.groupby(["device", "precision"]).size()
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
