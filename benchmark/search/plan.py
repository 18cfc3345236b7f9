"""From a study to its searches, and from their results to the trials that confirm them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmark.search.best import best_points
from benchmark.search.search import Search
from benchmark.store.search_store import Point
from benchmark.study.arms import Arm
from benchmark.study.grid import DataProvider, Plan, join, make_plan
from benchmark.study.protocols import validation_protocol
from benchmark.study.study import Study
from mhpe.data.split import Split

SplitProvider = Callable[[str, int], Split]
"""Gives the parts of a training set by its name and image size."""


def searches_of(study: Study, parts: SplitProvider) -> list[Search]:
    """One search for each training set of the study's protocols and each of its samplers to search."""
    return [
        Search.of(study.name, study.preset, searched, train_set, parts(train_set, searched.core.image_size))
        for train_set in dict.fromkeys(protocol.train for protocol in study.protocols)
        for searched in study.searched
    ]


def found_arms(search: Search, points: Sequence[Point]) -> list[Arm]:
    """The arms of a search's best points."""
    own = [point for point in points if point.search == search.key]
    best = best_points(own, search.sampler, search.config.confirm.best)
    return [replace(search.arm(point.parameters or {}), label=label) for label, point in best.items()]


def confirmation(
    study: Study,
    searches: Sequence[Search],
    points: Sequence[Point],
    seeds: int | None,
    data: DataProvider,
) -> Plan:
    """The study's arms and the best points of its searches on fresh seeds.

    They are trained on the full training set and tested by the study's protocols, which shows their effect, and
    trained and tested once more on the parts that the search used, which shows what its choice of the best has
    flattered.

    Args:
        study: the study.
        searches: as :func:`searches_of` gives them.
        points: of the searches, so far.
        seeds: fresh seeds per arm; by default as the study file says.
        data: gives prepared data sets and parts of them.
    """
    config = searches[0].config

    plans = []
    for train_set in dict.fromkeys(search.train_set for search in searches):
        own = [search for search in searches if search.train_set == train_set]
        arms = (*study.arms, *(arm for search in own for arm in found_arms(search, points)))
        protocols = tuple(protocol for protocol in study.protocols if protocol.train == train_set)
        checked = replace(study, arms=arms, protocols=(*protocols, validation_protocol(train_set)))
        plans.append(make_plan(checked, arms, seeds or config.confirm.seeds, data, config.seeds))
    return join(plans)
