"""What a study says, in a sentence for each protocol."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from benchmark.report.text import counted, difference, protocol_title, signed, synthetic_note
from benchmark.statistics import fewest_pairs, groups_of

NAMED = 3
"""Arms named in a sentence; of more only their number is said."""


def study_verdict(table: pd.DataFrame, margin: float) -> str:
    """What a study says: a sentence, and a line, for all protocols and presets of which the same can be said.

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
    return "\n".join(f"{_listed(places)}: {verdict}." for verdict, places in where.items())


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
        f"{_named(by_verdict[verdict])} {words} {baseline}"
        + (f" within {margin:g} degrees" if verdict == "equivalent" else "")
        for verdict, words in (("better", "better than"), ("worse", "worse than"), ("equivalent", "equivalent to"))
        if verdict in by_verdict
    ]
    unclear = by_verdict.get("inconclusive")
    if unclear is not None:
        if parts:
            parts.append(_inconclusive(unclear, _limit(unclear, len(arms))))
        else:
            remarks = "; ".join(filter(None, (_range(unclear), _limit(unclear, len(arms)))))
            parts.append(f"no arm is shown to differ from {baseline}, nor to be equivalent to it ({remarks})")
    if "no result" in by_verdict:
        parts.append(f"{counted(len(by_verdict['no result']), 'arm')} without a result")
    return ", ".join(parts)


def _named(rows: pd.DataFrame) -> str:
    """Arms with their differences; the number of many, and the range of these."""
    if len(rows) > NAMED:
        return f"{len(rows)} arms ({_range(rows)}) are"
    names = [f"{row['arm']} ({_degrees(row)})" for row in rows.to_dict("records")]
    return f"{_listed(names)} {'is' if len(rows) == 1 else 'are'}"


def _inconclusive(rows: pd.DataFrame, limit: str) -> str:
    """Arms of which nothing is shown, with their intervals, and why nothing could have been shown, if so."""
    if len(rows) > NAMED:
        return f"{len(rows)} arms are inconclusive ({'; '.join(filter(None, (_range(rows), limit)))})"
    names = [
        f"{row['arm']} ({difference(row['difference'], row['low'], row['high'])})" for row in rows.to_dict("records")
    ]
    said = f"{_listed(names)} {'is' if len(rows) == 1 else 'are'} inconclusive"
    return f"{said}: {limit}" if limit else said


def _degrees(row: Mapping[Any, Any]) -> str:
    return f"{signed(row['difference'])}°"


def _range(rows: pd.DataFrame) -> str:
    low, high = f"{signed(rows['difference'].min())}°", f"{signed(rows['difference'].max())}°"
    return f"mean difference {low}" if low == high else f"mean differences {low} to {high}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _limit(unclear: pd.DataFrame, comparisons: int) -> str:
    """Why nothing could have been shown, if so, and what the intervals say all the same."""
    if not unclear["note"].str.startswith("cannot be significant").all():
        return ""
    pairs = sorted(set(unclear["pairs"].astype(int)))
    seeds = counted(pairs[0], "paired seed") if len(pairs) == 1 else f"{pairs[0]} to {pairs[-1]} paired seeds"
    compared = f" and {comparisons} comparisons" if comparisons > 1 else ""
    apart = int(((unclear["low"] > 0) | (unclear["high"] < 0)).sum())
    intervals = f"; the unadjusted intervals of {counted(apart, 'arm')} exclude 0" if apart else ""
    return (
        f"with {seeds}{compared} no difference could be significant, {fewest_pairs(comparisons)} seeds could show "
        f"one{intervals}"
    )
