"""Searches as the store has them: their definition read back, and checked where it may come from anyone."""

from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial

from benchmark.search.optimizer import as_trial
from benchmark.store.search_store import Point
from benchmark.study.search_space import Choices, Range, SearchConfig
from mhpe.errors import InputError
from mhpe.validation import parse


def check_definition(definition: Mapping[str, Any], where: str) -> None:
    """Make sure that a search's definition says what reports read of it.

    Raises:
        InputError: naming ``where`` it is, if it does not.
    """
    settings, space = definition.get("search"), definition.get("space")
    if not isinstance(settings, dict) or not isinstance(space, dict) or not space:
        raise InputError(f"{where}: the search's definition lacks its search or its space")
    parse(SearchConfig, settings | {"samplers": {"any": {}}}, f"{where}: definition")
    for name, values in space.items():
        if not isinstance(values, dict):
            raise InputError(f"{where}: the space of {name!r} is no range")
        place = f"{where}: definition: {name}"
        _ = parse(Choices, values, place) if "choices" in values else parse(Range, values, place)


def check_point(point: Point, definition: Mapping[str, Any], where: str) -> None:
    """Make sure that an ended point has what its status says, inside the space.

    Raises:
        InputError: naming ``where`` it is, if not.
    """
    if point.parameters is None and point.status == "failed":
        return
    try:
        drawn(point, definition)
    except (ValueError, TypeError) as error:
        raise InputError(f"{where}: no point of its search: {error}") from None


def drawn(point: Point, definition: Mapping[str, Any]) -> FrozenTrial:
    """An ended point as Optuna's trial for figures; choices of numbers are numbers there, so that axes have a scale."""
    return as_trial(point, {name: _distribution(values) for name, values in definition["space"].items()})


def _distribution(values: Mapping[str, Any]) -> BaseDistribution:
    if "choices" not in values:
        return FloatDistribution(values["low"], values["high"], log=values["log"])
    choices = values["choices"]
    if all(isinstance(choice, int | float) and not isinstance(choice, bool) for choice in choices) and len(choices) > 1:
        return FloatDistribution(min(choices), max(choices))
    return CategoricalDistribution(choices)
