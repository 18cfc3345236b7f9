"""What is reported of a search: its points, its best ones on fresh seeds, and Optuna's figures."""

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
import optuna
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.visualization import matplotlib as optunas

from benchmark.protocols import PROTOCOLS
from benchmark.report.figures.drawing import Drawing
from benchmark.report.labels import counted, synthetic_note
from benchmark.report.style import headline, style, watermark
from benchmark.report.text import difference, number, signed, with_error
from benchmark.search.best import FOUND, best_points
from benchmark.search.stored import drawn
from benchmark.statistics import half_width
from benchmark.store import Store
from benchmark.store.points import StoredSearch, load_searches

METRICS = {"mae": "MAE", "geodesic_mean": "geodesic error"}
WORDS = {
    "sigma": "standard deviation in degrees",
    "bin_width": "range of a bin in degrees",
    "Trial": "point",
    "Hyperparameter": "",
    "Hyperparameter Importance": "importance",
}
"""For Optuna's, on axes."""
BEST_SHARE = 0.25
"""Of the points, those that the importances ask about."""
CAPTIONS = {
    "history": (
        "History of the search",
        "Every finished point in the order of the search; the line is the best value so far.",
    ),
    "slice": ("Points by parameter", "Every finished point against each parameter; darker points came later."),
    "contour": (
        "Landscape of the search",
        "Values interpolated between the finished points (black), darker is better. Between few points, and where "
        "seeds differ as much as points do, hills and valleys may be chance.",
    ),
    "importances": (
        "Importance of the parameters",
        "Share of the parameters in what sets the best quarter of the points apart (PED-ANOVA). A rough guide.",
    ),
}
"""Title and caption of each figure, by kind."""
DRAWN_FROM = 4
"""Finished points from which figures say anything."""


@dataclass(frozen=True)
class SearchReport:
    """What is reported of one search.

    Attributes:
        name: for files: training set, sampler and preset.
        title: what was searched.
        summary: one sentence: how many points, and how they ended.
        points: a row for each point: number, status, the parameters, value, note.
        best: the best points and the study's arms on fresh seeds, see :func:`fresh_values`.
        drawings: Optuna's figures by kind (history, slice, contour, importances), each with its title; none for
            fewer than four finished points.
    """

    name: str
    title: str
    summary: str
    points: pd.DataFrame
    best: pd.DataFrame
    drawings: dict[str, tuple[str, Drawing]]


def report_searches(store: Store, study: str, definition: dict[str, Any]) -> list[SearchReport]:
    """Everything that is reported of a study's searches; nothing for a study without one.

    Args:
        store: the results.
        study: its name.
        definition: as the store has it.
    """
    if not definition.get("search"):
        return []
    cells = store.results(study)
    return [_report(search, cells, definition) for search in load_searches(store, study)]


NOTE = (
    "The search value of the best points is flattered: they are the best partly by luck. The fresh value is the same "
    "metric on the same images from seeds that the search did not use. The last columns are test results: trained on "
    "the whole training set with fresh seeds, less the baseline of the same seeds; below 0 is better than it. "
    "All in degrees, ± half of the 95 % interval over seeds."
)
"""How to read the table of fresh values."""


def _report(search: StoredSearch, cells: pd.DataFrame, definition: dict[str, Any]) -> SearchReport:
    counts = {status: sum(p.status == status for p in search.points) for status in ("done", "pruned", "failed")}
    ended = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    settings = search.definition["search"]
    metric = METRICS[settings["objective"]]
    searched, seeds = counted(len(search.points), "point"), counted(settings["seeds"], "seed")
    synthetic = synthetic_note(f"{search.train_set}_validation")
    count = int(definition["search"]["confirm"]["best"])
    return SearchReport(
        name=f"{search.train_set}-{search.sampler}-{search.preset}",
        title=", ".join(filter(None, (f"{search.sampler} on {search.train_set}, preset {search.preset}", synthetic))),
        summary=(
            f"{searched} by {settings['optimizer']}: {ended or 'none has ended'}. A point's value is the {metric} on "
            f"{settings['validation_share']:.0%} of the training set, held out by identity; mean over {seeds}. No test "
            f"set was looked at."
        ),
        points=_points_table(search),
        best=fresh_values(search, cells, definition["baseline"], count),
        drawings=_drawings(search) if counts["done"] >= DRAWN_FROM else {},
    )


def _points_table(search: StoredSearch) -> pd.DataFrame:
    rows = [
        {"number": p.number, "status": p.status, **(p.parameters or {}), "value": p.value, "note": p.note or ""}
        for p in search.points
    ]
    return pd.DataFrame(rows)


def fresh_values(search: StoredSearch, cells: pd.DataFrame, baseline: str, count: int) -> pd.DataFrame:
    """The best points of a search, and the study's arms, on seeds that the search did not use.

    Args:
        search: the search.
        cells: of its study, as :meth:`benchmark.store.Store.results` gives them.
        baseline: label of the arm that others are compared with.
        count: how many of the best points.

    Returns:
        One row per arm: arm; search, the value that the search saw; fresh, the same metric on the same images
        from fresh seeds; difference = fresh - search, what the choice of the best has flattered; for each
        protocol, its metric less the baseline's over the same seeds (test sets, full training set). ``_hw``
        columns are half-widths of 95 % Student-t intervals over seeds, ``n`` the fresh seeds.
    """
    settings = search.definition["search"]
    metric = settings["objective"]
    fresh = cells[(cells["preset"] == search.preset) & (cells["seed"] >= settings["seeds"])]
    values = {
        protocol: rows.pivot(index="seed", columns="arm", values=metric)
        for protocol, rows in fresh.groupby("protocol", sort=False)
    }
    on_validation = values.pop(f"{search.train_set}_validation", pd.DataFrame())
    tests = [name for name in values if name in PROTOCOLS and PROTOCOLS[name].train == search.train_set]
    best = best_points(search.points, search.sampler, count)
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
    """Mean, half of its 95 % Student-t interval, and number of the values that are there."""
    there = values.dropna() if values is not None else pd.Series(dtype=float)
    return float(there.mean()), half_width(there), len(there)


def fresh_text(best: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """The table of fresh values as people read it, in degrees."""
    shown = {
        "Result": best["arm"],
        "Search value": best["search"].map(number),
        "Fresh value": [with_error(*pair) for pair in zip(best["fresh"], best["fresh_hw"], strict=True)],
        "Fresh seeds": best["n"].astype(str),
        "Fresh less search": best["difference"].map(signed),
    }
    for name in best.columns.intersection(list(PROTOCOLS)):
        means, halves = best[name], best[f"{name}_hw"]
        shown[f"{name} less {baseline}"] = [
            difference(mean, mean - half, mean + half) for mean, half in zip(means, halves, strict=True)
        ]
    return pd.DataFrame(shown)


def _drawings(search: StoredSearch) -> dict[str, tuple[str, Drawing]]:
    """Optuna's figures of the points, drawn from the store's rows."""
    study = _as_optuna_study(search)
    value = f"{METRICS[search.definition['search']['objective']]} on the validation part in degrees"
    evaluator = PedAnovaImportanceEvaluator(target_quantile=BEST_SHARE)
    plots: dict[str, Callable[[], Any]] = {
        "history": lambda: optunas.plot_optimization_history(study, target_name=value),
        "slice": lambda: optunas.plot_slice(study, target_name=value),
    }
    if len(search.definition["space"]) > 1 and _spread(study):
        plots["contour"] = lambda: optunas.plot_contour(study, target_name=value)
        plots["importances"] = lambda: optunas.plot_param_importances(study, evaluator=evaluator, target_name=value)
    drawings = {}
    ended = sum(point.ended for point in search.points)
    lacking = "" if ended == len(search.points) else f"incomplete: {ended:,} of {len(search.points):,} points"
    for kind, plot in plots.items():
        title = f"{CAPTIONS[kind][0]}: {search.sampler} on {search.train_set}"
        drawings[kind] = title, _draw(kind, plot, title, lacking)
    return drawings


def _spread(study: optuna.Study) -> bool:
    """Whether every parameter has several values, without which nothing can be interpolated."""
    trials = study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])
    return all(len({trial.params[name] for trial in trials}) > 1 for name in trials[0].params)


def _draw(kind: str, plot: Callable[[], Any], title: str, lacking: str) -> Drawing:
    with style(), _own_style():
        axes = np.atleast_1d(plot()).tolist()
        figure = axes[0].figure
        figure.set_size_inches(3.2 + 3.6 * len(axes), 4.2)
        figure.set_layout_engine("tight" if kind == "contour" else "constrained")  # which Optuna's colour bar breaks
        for axis in axes:
            _tidy(axis)
        for axis in figure.axes:  # colour bars, too
            for which in (axis.xaxis, axis.yaxis):
                if which.get_label_text() == "Trial":
                    which.set_major_locator(MaxNLocator(integer=True))
                which.set_label_text(WORDS.get(which.get_label_text(), which.get_label_text()))
        headline(figure, title)
        watermark(figure, lacking)
    return Drawing(figure, CAPTIONS[kind][1], f"{title}; the numbers are in the table of points.")


def _tidy(axis: Axes) -> None:
    """Take off a panel what its figure says anyway, and write its ticks as plain numbers."""
    for place in ("left", "center", "right"):
        axis.set_title("", loc=place)
    if (legend := axis.get_legend()) is not None:
        legend.remove()
    for which in (axis.xaxis, axis.yaxis):
        if which.get_scale() == "log":
            which.set_major_locator(LogLocator(subs=(1, 2, 5)))
            which.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            which.set_minor_locator(NullLocator())


@contextmanager
def _own_style() -> Iterator[None]:
    """Context in which Optuna's functions, which are experimental and set a style, do neither say nor do so."""
    with warnings.catch_warnings(), mock.patch.object(plt.style, "use"):
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


def _as_optuna_study(search: StoredSearch) -> optuna.Study:
    """The search in memory."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    for point in search.points:
        if point.ended and point.parameters is not None:
            study.add_trial(drawn(point, search.definition))
    return study
