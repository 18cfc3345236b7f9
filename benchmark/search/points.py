"""Points of a search, and the best of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from benchmark.study.names import label_of

DIGITS = ".4g"  # of parameters in the name of a point
FOUND = " (found)"  # ends the label of an arm that a search has found


@dataclass(frozen=True)
class Point:
    """One set of parameter values that a search tries."""

    number: int  # from 0, in the order of the search
    status: str  # waiting, running, done or failed
    parameters: dict[str, Any]  # those that are searched; some may be missing just after it was taken
    value: float | None = None  # of the objective, degrees; None unless it is done
    note: str | None = None  # why it failed

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do."""
        return self.status in ("done", "failed")


@dataclass(frozen=True)
class StoredSearch:
    """A search as the store has it."""

    key: str
    definition: dict[str, Any]  # as benchmark.search.search.Search.definition
    points: tuple[Point, ...]  # by number
    total: int  # number of points it should have, or has if these are more


def best_points(points: Iterable[Point], sampler: str, count: int) -> dict[str, Point]:
    """The best finished points of one search by the labels of their arms, best first.

    Of points that round to the same values only the best is one of them.
    """
    best: dict[str, Point] = {}
    for _, _, point in sorted((point.value, point.number, point) for point in points if point.value is not None):
        best.setdefault(label_of(sampler, point.parameters, DIGITS) + FOUND, point)
    return dict(list(best.items())[:count])
