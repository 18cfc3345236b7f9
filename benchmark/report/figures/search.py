"""Optuna's figures of a search."""

import warnings
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import optuna
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.visualization import matplotlib as optunas

from benchmark.report.search import METRICS
from benchmark.report.style import Drawing, headline, style, watermark
from benchmark.search.points import StoredSearch

WORDS = {
    "sigma": "standard deviation in degrees",
    "bin_width": "range of a bin in degrees",
    "Trial": "point",
    "Hyperparameter": "",
    "Hyperparameter Importance": "importance",
}
"""Labels of axes that replace Optuna's."""
BEST_SHARE = 0.25  # share of the points that the importances count as good
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
DRAWN_FROM = 4  # fewest finished points for figures


def draw_search(search: StoredSearch) -> dict[str, tuple[str, Drawing]]:
    """Figures by kind (history, slice, contour, importances), each with its title; none for fewer than four points."""
    if sum(point.status == "done" for point in search.points) < DRAWN_FROM:
        return {}
    study = _as_optuna_study(search)
    value = f"{METRICS[search.definition['search']['objective']]} on the validation part in degrees"
    evaluator = PedAnovaImportanceEvaluator(target_quantile=BEST_SHARE)
    plots: dict[str, Callable[[], Any]] = {
        "history": lambda: optunas.plot_optimization_history(study, target_name=value),
        "slice": lambda: optunas.plot_slice(study, target_name=value),
    }
    found = [point.parameters for point in search.points if point.value is not None]
    space = search.definition["space"]
    if len(space) > 1 and all(len({parameters[name] for parameters in found}) > 1 for name in space):
        plots["contour"] = lambda: optunas.plot_contour(study, target_name=value)
        plots["importances"] = lambda: optunas.plot_param_importances(study, evaluator=evaluator, target_name=value)
    drawings = {}
    ended = sum(point.ended for point in search.points)
    incomplete = "" if ended == search.total else f"incomplete: {ended:,} of {search.total:,} points"
    for kind, plot in plots.items():
        title = f"{CAPTIONS[kind][0]}: {search.definition['sampler']} on {search.definition['train_set']}"
        drawings[kind] = title, _draw(kind, plot, title, incomplete)
    return drawings


def _draw(kind: str, plot: Callable[[], Any], title: str, incomplete: str) -> Drawing:
    # Optuna's figures warn that they are experimental and set a style of their own.
    with style(), warnings.catch_warnings(), mock.patch.object(plt.style, "use"):
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        axes = np.atleast_1d(plot()).tolist()
        figure = axes[0].figure
        figure.set_size_inches(3.2 + 3.6 * len(axes), 4.2)
        # The colour bar that Optuna gives to a contour, or to a single panel, breaks the constrained layout.
        tight = kind == "contour" or (kind == "slice" and len(axes) == 1)
        figure.set_layout_engine("tight" if tight else "constrained")
        for axis in axes:
            _tidy(axis)
        for axis in figure.axes:  # colour bars, too
            for which in (axis.xaxis, axis.yaxis):
                if which.get_label_text() == "Trial":
                    which.set_major_locator(MaxNLocator(integer=True))
                which.set_label_text(WORDS.get(which.get_label_text(), which.get_label_text()))
        headline(figure, title)
        watermark(figure, incomplete)
        plt.close(figure)  # it stays, without pyplot
    return Drawing(figure, CAPTIONS[kind][1], f"{title}; the numbers are in the table of points.")


def _tidy(axis: Axes) -> None:
    """Remove a panel's title and legend, which its figure has, and write its ticks as plain numbers."""
    for place in ("left", "center", "right"):
        axis.set_title("", loc=place)
    if (legend := axis.get_legend()) is not None:
        legend.remove()
    for which in (axis.xaxis, axis.yaxis):
        if which.get_scale() == "log":
            which.set_major_locator(LogLocator(subs=(1, 2, 5)))
            which.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            which.set_minor_locator(NullLocator())


def _as_optuna_study(search: StoredSearch) -> optuna.Study:
    """The finished points as a study of Optuna's in memory."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    axes = {name: _axis(values) for name, values in search.definition["space"].items()}
    for point in search.points:
        if point.value is not None:
            study.add_trial(optuna.create_trial(params=point.parameters, distributions=axes, value=point.value))
    return study


def _axis(values: dict[str, Any]) -> BaseDistribution:
    """A parameter for figures: choices of numbers have a scale."""
    if "choices" not in values:
        return FloatDistribution(values["low"], values["high"], log=values["log"])
    choices = values["choices"]
    if len(choices) > 1 and all(isinstance(choice, int | float) and not isinstance(choice, bool) for choice in choices):
        return FloatDistribution(min(choices), max(choices))
    return CategoricalDistribution(choices)
