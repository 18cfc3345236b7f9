"""Searches without training: an objective with a known optimum, written down in a store."""

import math
import time
from collections.abc import Callable
from typing import Any

import yaml

from benchmark.run.leases import worker_name
from benchmark.search.search import Search
from benchmark.search.worker import work
from benchmark.store.search_store import Point, SearchStore
from benchmark.study.search_space import SearchConfig, read_searched
from mhpe.config import CoreConfig
from mhpe.data.split import Split
from samplers.support.registry import Registry
from tests.benchmark.store.test_store import TRIAL, make_test_set, planned

BEST = {"sigma": 25.0, "bin_width": 15}
SPACE = "{sigma: {low: 5, high: 90, log: true}, bin_width: {choices: [5, 10, 15, 20, 30, 40, 45, 60, 72, 90]}}"


STUDY = {"title": "A study", "question": "Does it search?", "baseline": "random"}


def value_of(parameters: dict[str, Any]) -> float:
    """Smallest, 6 degrees, at ``BEST``."""
    return 6 + sum(math.log(parameters[name] / best) ** 2 for name, best in BEST.items())


def make_search(points: int = 12, space: str = SPACE, sampler: str = "gaussian", **settings: Any) -> Search:
    """A search of a set that is not there."""
    entries = yaml.safe_load(space)
    config = SearchConfig(samplers={sampler: entries}, points=points, **settings)
    searched = read_searched(sampler, entries, CoreConfig(), config, Registry(), "made up")
    part = make_test_set(4)
    return Search.of("study", "standard", searched, "train", Split(part, part))


def add(store: SearchStore, search: Search) -> None:
    """Write down a search that nobody has begun."""
    store.plan("study", STUDY, [planned()], [TRIAL])
    store.add_search(search.key, "study", "standard", "train", search.sampler, search.definition, search.config.points)


def objective(*_: Any) -> Callable[[Point], float]:
    """Gives the made-up value at once."""
    return lambda point: value_of(point.parameters or {})


def slow_objective(*_: Any) -> Callable[[Point], float]:
    """Gives the made-up value after a while, in which the process may be killed."""

    def value(point: Point) -> float:
        time.sleep(0.3)
        return value_of(point.parameters or {})

    return value


def search_in_this_process(url: str, search: Search, make_objective: Any = objective) -> list[Point]:
    """Work on a search until it has ended."""
    store = SearchStore(url)
    add(store, search)
    work(url, [search], worker_name(), make_objective=make_objective)
    return store.points([search.key])
