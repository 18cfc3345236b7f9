"""The report of a search: its points, and its best ones on fresh seeds."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from benchmark.report.text import difference, number, signed, slug, synthetic_note, with_error
from benchmark.report.views import cell, columns, to_text
from benchmark.report.writers import FigureFile, TextTable
from benchmark.search.points import FOUND, Point, StoredSearch, best_points
from benchmark.statistics import half_width
from benchmark.store import Store
from benchmark.study.names import counted
from benchmark.study.protocols import PROTOCOLS

PLACE = ("preset", "train_set", "sampler")  # of the searches that agree in all of these, the last one is reported
METRICS = {"mae": "MAE", "geodesic_mean": "geodesic error"}


class SearchReport(NamedTuple):
    """The report of one search."""

    name: str  # of its files
    title: str
    summary: str  # one sentence: how many points, and how they ended
    points: pd.DataFrame  # a row for each point: number, status, the parameters, value, note
    best: pd.DataFrame  # the best points and the study's arms on fresh seeds, see fresh_values
    text: TextTable  # the same for display
    stored: StoredSearch
    metric: str  # what a point's value is
    confirmed: list[int]  # numbers of the best points
    figure: FigureFile | None = None  # None before it is drawn, and without a finished point

    @property
    def incomplete(self) -> str:
        """How many of the points have ended, or nothing if all have."""
        ended = sum(point.ended for point in self.stored.points)
        return "" if ended == self.stored.total else f"incomplete: {ended:,} of {self.stored.total:,} points"


def report_searches(store: Store, study: str, definition: dict[str, Any], cells: pd.DataFrame) -> list[SearchReport]:
    """The reports of a study's searches, none for most; ``definition`` and ``cells``, its results, are the store's."""
    if not definition.get("search"):
        return []
    from benchmark.search.storage import load_searches  # Optuna takes a second to import

    newest = {tuple(search.definition[name] for name in PLACE): search for search in load_searches(store, study)}
    return [_report(slug(study), search, cells, definition) for search in newest.values()]


NOTE = (
    "The search value of the best points is too good: they are the best partly by luck. The fresh value is the same "
    "metric on the same images from seeds that the search did not use. The last columns are test results: trained on "
    "the whole training set with fresh seeds, less the baseline of the same seeds; below 0 is better than it. "
    "All in degrees, ± half of the 95 % interval over seeds."
)
"""How to read the table of fresh values."""


def _report(study: str, search: StoredSearch, cells: pd.DataFrame, definition: dict[str, Any]) -> SearchReport:
    counts = {status: sum(p.status == status for p in search.points) for status in ("done", "failed")}
    ended = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    preset, train_set, sampler = (search.definition[name] for name in PLACE)
    settings = search.definition["search"]
    metric = METRICS[settings["objective"]]
    searched, seeds = counted(search.total, "point"), counted(settings["seeds"], "seed")
    synthetic = synthetic_note(f"{train_set}_validation")
    count = int(definition["search"]["confirm"]["best"])
    found = best_points(search.points, sampler, count)
    best = fresh_values(search, found, cells, definition["baseline"])
    points = [
        {"number": p.number, "status": p.status, **p.parameters, "value": p.value, "note": p.note or ""}
        for p in search.points
    ]
    return SearchReport(
        name=slug(f"{study}-search-{train_set}-{sampler}-{preset}"),
        title=", ".join(filter(None, (f"{sampler} on {train_set}, preset {preset}", synthetic))),
        summary=(
            f"{searched} by {settings['optimizer']}: {ended or 'none has ended'}. A point's value is the {metric} on "
            f"{settings['validation_share']:.0%} of the training set, held out by identity; mean over {seeds}. No test "
            f"set was looked at."
        ),
        points=pd.DataFrame(points),
        best=best,
        text=TextTable(_fresh_text(best, definition["baseline"]), NOTE),
        stored=search,
        metric=metric,
        confirmed=[point.number for point in found.values()],
    )


def fresh_values(search: StoredSearch, best: Mapping[str, Point], cells: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """The ``best`` points of a search by arm, and the study's arms, on seeds that the search did not use.

    One row per arm: arm; search, the value that the search saw; fresh, the same metric on the same images from fresh
    seeds; difference = fresh - search, the selection bias of the best point; for each protocol, its metric less the
    baseline's over the same seeds (test sets, full training set). ``_hw`` columns are half-widths of 95 % Student-t
    intervals over seeds, ``n`` the fresh seeds.
    """
    preset, train_set, _ = (search.definition[name] for name in PLACE)
    settings = search.definition["search"]
    metric = settings["objective"]
    fresh = cells[(cells["preset"] == preset) & (cells["seed"] >= settings["seeds"])]
    values = {
        protocol: rows.pivot(index="seed", columns="arm", values=metric)
        for protocol, rows in fresh.groupby("protocol", sort=False)
    }
    on_validation = values.pop(f"{train_set}_validation", pd.DataFrame())
    tests = [name for name in values if name in PROTOCOLS and PROTOCOLS[name].train == train_set]
    own = [arm for arm in dict.fromkeys(fresh.sort_values("position")["arm"]) if not arm.endswith(FOUND)]
    rows = []
    for arm in [*best, *own]:
        point = best.get(arm)
        seen = math.nan if point is None or point.value is None else point.value
        mean, half, n = _interval(on_validation.get(arm))
        row = {"arm": arm, "search": seen, "fresh": mean, "fresh_hw": half, "n": n, "difference": mean - seen}
        for name in tests:
            table = values[name]
            compared = arm != baseline and {arm, baseline} <= set(table)
            row[name], row[f"{name}_hw"], _ = _interval(table[arm] - table[baseline] if compared else None)
        rows.append(row)
    return pd.DataFrame(rows)


def _interval(values: pd.Series | None) -> tuple[float, float, int]:
    """Mean, half-width of its 95 % Student-t interval, and number of the values that are not missing."""
    there = values.dropna() if values is not None else pd.Series(dtype=float)
    return float(there.mean()), half_width(there), len(there)


def _fresh_text(best: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """The table of fresh values for display."""

    def with_ends(mean: float, half: float) -> str:
        return difference(mean, mean - half, mean + half)

    shown = {
        "Search value": cell(number, "search"),
        "Fresh value": cell(with_error, "fresh", "fresh_hw"),
        "Fresh seeds": cell(str, "n"),
        "Fresh less search": cell(signed, "difference"),
    }
    for name in best.columns.intersection(list(PROTOCOLS)):
        shown[f"{name} less {baseline}"] = cell(with_ends, name, f"{name}_hw")
    return to_text(best, columns("Result") | shown)
