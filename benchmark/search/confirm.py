"""The trials that confirm a search: its best points beside the study's arms, on fresh seeds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmark.search.search import Search, label
from benchmark.study.grid import DataProvider, Plan, join, make_plan
from benchmark.study.protocols import validation_protocol
from benchmark.study.study import Study
from mhpe.data.split import Split

if TYPE_CHECKING:
    from benchmark.search.points import Point

FOUND = ", found"  # ends the label of an arm that a search has found


def searches_of(study: Study, parts: Callable[[str, int], Split]) -> list[Search]:
    """One search for each training set of the study's protocols and each of its samplers to search.

    ``parts`` gives the parts of a training set by its name and image size.
    """
    return [
        Search(study.name, study.preset, searched, train_set, parts(train_set, searched.core.image_size))
        for train_set in dict.fromkeys(protocol.train for protocol in study.protocols)
        for searched in study.searched
    ]


def best_points(points: "Iterable[Point]", sampler: str, count: int) -> "dict[str, Point]":
    """The best finished points of one search by the labels of their arms, best first.

    Of points that round to the same values only the best is one of them.
    """
    best: dict[str, Point] = {}
    for _, _, point in sorted((point.value, point.number, point) for point in points if point.value is not None):
        best.setdefault(label(sampler, point.parameters) + FOUND, point)
    return dict(list(best.items())[:count])


def confirmation(
    study: Study,
    searches: Sequence[Search],
    points: "Mapping[str, Sequence[Point]]",
    seeds: int | None,
    data: DataProvider,
) -> Plan:
    """The study's arms and the best points of its searches on fresh seeds.

    They are trained on the full training set and tested by the study's protocols, which shows their effect, and
    trained and tested once more on the parts that the search used, which shows the selection bias of the best.
    ``points`` are those so far, by key of their search; the number of ``seeds`` is by default the study file's.
    """
    config = searches[0].config
    plans = []
    for train_set in dict.fromkeys(search.train_set for search in searches):
        found = [
            replace(search.arm(point.parameters), label=label)
            for search in searches
            if search.train_set == train_set
            for label, point in best_points(points.get(search.key, ()), search.sampler, config.confirm.best).items()
        ]
        arms = (*study.arms, *found)
        protocols = tuple(protocol for protocol in study.protocols if protocol.train == train_set)
        checked = replace(study, arms=arms, protocols=(*protocols, validation_protocol(train_set)))
        plans.append(make_plan(checked, arms, seeds or config.confirm.seeds, data, config.seeds))
    return join(plans)
