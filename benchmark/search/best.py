"""What points are called, and which are the best."""

from collections.abc import Iterable, Mapping
from typing import Any

from benchmark.store.search_store import Point

FOUND = ", found"
"""Ends the label of an arm that a search has found."""


def label(sampler: str, parameters: Mapping[str, Any]) -> str:
    """What a point is called: its sampler and its parameters, to four digits."""
    inner = (
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in parameters.items()
    )
    return f"{sampler}({', '.join(inner)})"


def best_points(points: Iterable[Point], sampler: str, count: int) -> dict[str, Point]:
    """The best finished points of one search by the labels of their arms, best first.

    Of points that round to the same values only the best is one of them.
    """
    finished = [(point.value, point.number, point) for point in points if point.value is not None]
    best: dict[str, Point] = {}
    for _, _, point in sorted(finished, key=lambda item: item[:2]):
        if point.status == "done":
            best.setdefault(label(sampler, point.parameters or {}) + FOUND, point)
    return dict(list(best.items())[:count])
