"""A row of the table, and the surroundings that a measurement needs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from tools.perf.timing import Paired


@dataclass(frozen=True)
class Goal:
    """What a ratio or a value should be.

    Attributes:
        relation: ``>=`` or ``<=``.
        value: the bound.
    """

    relation: Literal[">=", "<="]
    value: float

    def met(self, value: float) -> bool:
        """Whether a value keeps the bound."""
        return value >= self.value if self.relation == ">=" else value <= self.value

    def __str__(self) -> str:
        return f"{self.relation} {self.value:g}"


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: is measured.
        value: ours, in ``unit``.
        unit: of the values.
        against: what ours is compared with; empty for a value that stands alone.
        other: its value.
        ratio: as ``of`` says, median over turns; None for a value that stands alone.
        low: its first quartile.
        high: its third quartile.
        goal: of the ratio, or of the value that stands alone; None where there is none.
        note: what else was found.
    """

    what: str
    value: float
    unit: str
    against: str = ""
    other: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    goal: Goal | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        judged = self.value if self.ratio is None else self.ratio
        return None if self.goal is None else self.goal.met(judged)


def faster(
    what: str, found: Paired, against: str, goal: Goal | None = None, *, unit: str, per_second: bool, note: str = ""
) -> Row:
    """A row whose ratio says how many times faster ours is.

    Args:
        what: is measured.
        found: seconds of a unit of work.
        against: what it is compared with.
        goal: of the ratio.
        unit: of the values.
        per_second: whether values are units of work a second; milliseconds otherwise.
        note: what else was found.
    """
    ours, theirs = (1 / s if per_second else 1000 * s for s in (found.ours, found.theirs))
    return Row(what, ours, unit, against, theirs, found.ratio, found.low, found.high, goal, note)


@dataclass(frozen=True)
class Setting:
    """Where rows are measured.

    Attributes:
        device: of trainings and networks.
        folder: empty, for files.
        data_root: folder that holds the real sets' folders, if there is one.
    """

    device: torch.device
    folder: Path
    data_root: Path | None


Measure = Callable[[Setting], Iterator[Row]]
"""Measures one or several rows."""
