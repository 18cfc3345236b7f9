"""What a study says, in a sentence."""

from collections.abc import Sequence

import pandas as pd

from benchmark.report.labels import counted, protocol_title, synthetic_note
from benchmark.report.summary import groups_of
from benchmark.report.text import signed

NAMED = 3
"""Arms named in a sentence; of more only their number is said."""


def study_verdict(table: pd.DataFrame, margin: float) -> str:
    """One sentence for a study, with a part for each protocol and preset.

    Args:
        table: as :func:`benchmark.report.summary.summarise` gives it.
        margin: of equivalence, degrees.
    """
    presets = table["preset"].nunique()
    where: dict[str, list[str]] = {}
    for preset, protocol, rows in groups_of(table):
        notes = [synthetic_note(protocol), f"preset {preset}" if presets > 1 else ""]
        said = ", ".join(filter(None, notes))
        place = f"{protocol_title(protocol)} ({said})" if said else protocol_title(protocol)
        where.setdefault(group_verdict(rows, margin), []).append(place)
    return "; ".join(f"{_listed(places)}: {verdict}" for verdict, places in where.items()) + "."


def group_verdict(rows: pd.DataFrame, margin: float) -> str:
    """The part of the sentence for one preset on one protocol."""
    arms = rows[rows["verdict"] != "baseline"]
    if arms.empty:
        return "there is no arm to compare"
    baselines = arms["baseline"].unique()
    baseline = str(baselines[0]) if len(baselines) == 1 else "its own baseline"
    if (arms["note"] == "the baseline has no result").all():
        return f"nothing can be said, because {baseline} has no result"
    by_verdict = dict(list(arms.groupby("verdict", sort=False)))
    parts = [
        f"{_named(by_verdict[verdict], margin if verdict == 'equivalent' else None)} {words} {baseline}"
        + (f" within {margin:g} degrees" if verdict == "equivalent" else "")
        for verdict, words in (("better", "better than"), ("worse", "worse than"), ("equivalent", "equivalent to"))
        if verdict in by_verdict
    ]
    unclear = by_verdict.get("inconclusive")
    if unclear is not None:
        if parts:
            parts.append(f"{_are(len(unclear))} inconclusive")
        else:
            parts.append(f"no arm is shown to differ from {baseline}, nor to be equivalent to it")
        parts[-1] += _limit(unclear)
    if "no result" in by_verdict:
        parts.append(f"{counted(len(by_verdict['no result']), 'arm')} without a result")
    return ", ".join(parts)


def _named(rows: pd.DataFrame, margin: float | None) -> str:
    if len(rows) > NAMED:
        return f"{len(rows)} arms are"
    names = [f"{arm} ({signed(difference)}°)" for arm, difference in zip(rows["arm"], rows["difference"], strict=True)]
    if margin is not None:
        names = list(rows["arm"])
    return f"{_listed(names)} {'is' if len(rows) == 1 else 'are'}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _are(count: int) -> str:
    return "one arm is" if count == 1 else f"{count} arms are"


def _limit(unclear: pd.DataFrame) -> str:
    """Why nothing could have been shown, if so."""
    if not unclear["note"].str.startswith("cannot be significant").all():
        return ""
    pairs = sorted(set(unclear["pairs"].astype(int)))
    seeds = counted(pairs[0], "paired seed") if len(pairs) == 1 else f"{pairs[0]} to {pairs[-1]} paired seeds"
    return f" (with {seeds} no difference could be significant)"
