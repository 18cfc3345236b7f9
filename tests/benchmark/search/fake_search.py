"""Searches without training: workers that answer at once, from an objective with a known optimum."""

import math
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import yaml

from benchmark.run.task import Task
from benchmark.search.points import Point
from benchmark.search.search import Search
from benchmark.search.storage import load_searches
from benchmark.search.trainings import run_searches
from benchmark.store import Store
from benchmark.store.outcome import Evaluation, Outcome
from benchmark.store.schema import METRICS
from benchmark.study.search_space import SearchConfig, read_searched
from benchmark.study.study import load_study
from mhpe.config import CoreConfig
from mhpe.data.split import Split
from samplers.support.registry import Registry
from tests.benchmark.store.test_store import make_test_set

BEST = {"sigma": 25.0, "bin_width": 15}
SPACE = "{sigma: {low: 5, high: 90, log: true}, bin_width: {choices: [5, 10, 15, 20, 30, 40, 45, 60, 72, 90]}}"


def value_of(parameters: dict[str, Any]) -> float:
    """Smallest, 6 degrees, at ``BEST``."""
    return 6 + sum(math.log(parameters[name] / best) ** 2 for name, best in BEST.items())


def make_search(points: int = 12, space: str = SPACE, sampler: str = "gaussian", **settings: Any) -> Search:
    """A search on a set without images."""
    entries = yaml.safe_load(space)
    config = SearchConfig(samplers={sampler: entries}, points=points, **settings)
    searched = read_searched(sampler, entries, CoreConfig(), config, Registry(), "a test")
    part = make_test_set(4)
    return Search("study", "standard", searched, "train", Split(part, part))


class FakeWorkers:
    """Threads that answer with the value of a task's parameters, after a while if need be.

    Attributes:
        done: number of tasks by the sampler's parameters.
    """

    def __init__(self, size: int = 1, value: Callable[[dict[str, Any]], float] = value_of, seconds: float = 0) -> None:
        self.size, self.value, self.seconds = size, value, seconds
        self.done: Counter[str] = Counter()
        self._threads = ThreadPoolExecutor(size)

    def submit(self, task: Task) -> Future[Outcome]:
        return self._threads.submit(self._work, task)

    def _work(self, task: Task) -> Outcome:
        time.sleep(self.seconds)
        self.done[str(task.parameters)] += 1
        try:
            value = self.value(dict(task.parameters))
        except ValueError as error:
            return Outcome(task.key, error=("ValueError", str(error)))
        evaluation = Evaluation(
            "t" * 64, dict.fromkeys(METRICS, value), np.zeros((4, 3, 3), np.float32), np.zeros((4, 3), np.float32)
        )
        return Outcome(task.key, {"test": evaluation}, weights=b"weights")

    def result(self, future: Future[Outcome]) -> Outcome:
        return future.result()

    def forget(self, key: str) -> None: ...

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)


class Silent:
    """Ignores what a run reports but notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def start(self, total: int, done: int) -> None: ...

    def finished(self, outcome: Outcome, name: str) -> None: ...

    def note(self, text: str) -> None:
        self.notes.append(text)

    def waiting(self, count: int) -> None: ...


def search_here(
    url: str, search: Search, workers: FakeWorkers | None = None, retry_failed: bool = False
) -> list[Point]:
    """Work on a search until it has ended."""
    study, store = load_study("sigma_bin_search", "standard"), Store(url)
    run_searches(study, [search], store, workers or FakeWorkers(), Silent(), retry_failed)
    return points_of(url, search)


def points_of(url: str, search: Search) -> list[Point]:
    """The points as reports read them."""
    return next((list(found.points) for found in load_searches(Store(url), "study") if found.key == search.key), [])
