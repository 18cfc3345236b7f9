"""The ``search`` section of a study file, checked against the samplers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from mhpe.config import CoreConfig
from mhpe.errors import InputError
from mhpe.validation import Section, nearest, parse

if TYPE_CHECKING:
    from samplers.support.registry import Registry

Value = bool | int | float | str
VALIDATION_SHARE, SPLIT_SEED = 0.2, 0  # default split of a training set


class Range(Section):
    """A parameter from ``low`` to ``high``, on a logarithmic scale if ``log``."""

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low must be below high, not {self.low:g} and {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"low must be above 0 where log is true, not {self.low:g}")
        return self

    @property
    def examples(self) -> tuple[Value, ...]:
        """Both ends and the middle."""
        return self.low, self.high, math.sqrt(self.low * self.high) if self.log else (self.low + self.high) / 2


class WholeRange(Range):
    """A parameter of whole numbers between two values."""

    low: int
    high: int

    @property
    def examples(self) -> tuple[Value, ...]:
        """Both ends and the middle."""
        return self.low, self.high, (self.low + self.high) // 2


class Choices(Section):
    """A parameter that takes one of some different values."""

    choices: tuple[Value, ...] = Field(min_length=1, max_length=10_000)

    @model_validator(mode="after")
    def _different(self) -> Self:
        if len(set(self.choices)) < len(self.choices):
            raise ValueError("choices must be different from each other")
        return self

    @property
    def examples(self) -> tuple[Value, ...]:
        """All values."""
        return self.choices


class Confirm(Section):
    """After the search, the ``best`` points of each sampler and the study's arms run on ``seeds`` fresh seeds."""

    best: int = Field(3, ge=1, le=100)
    seeds: int = Field(3, ge=1, le=10_000)


class SearchConfig(Section):
    """The ``search`` section of a study."""

    # by name, the parameters of each sampler to search: ``{low, high, log}``, ``{choices}``, or a value that stays as
    # it is. Every sampler has the same budget
    samplers: dict[str, dict[str, Any]] = Field(min_length=1)
    points: int = Field(24, ge=1, le=100_000)  # parameter values to try, for each sampler and each training set
    seeds: int = Field(1, ge=1, le=1000)  # trainings of a point, with seeds 0 to seeds - 1; its value is their mean
    # chooses the points; ``grid`` needs choices for all parameters
    optimizer: Literal["tpe", "gp", "random", "grid"] = "tpe"
    objective: Literal["mae", "geodesic_mean"] = "mae"  # metric to minimise, on the validation part of the training set
    validation_share: Annotated[float, Field(gt=0, lt=1)] = VALIDATION_SHARE  # of the training set's images
    seed: int = Field(SPLIT_SEED, ge=0, le=2**31)  # of the split and of the optimizer
    confirm: Confirm = Confirm()  # the runs on fresh seeds after the search


Space = Mapping[str, Range | Choices]


@dataclass(frozen=True)
class SearchedSampler:
    """A sampler whose parameters are searched."""

    name: str
    registry: "Registry"
    space: Space
    fixed: Mapping[str, Value]  # parameters that stay as they are
    core: CoreConfig  # of all points
    config: SearchConfig  # points, optimizer and objective

    @property
    def settings(self) -> dict[str, Any]:
        """Settings that distinguish searches on the same data; without the core and the number of points."""
        return {
            "sampler": self.name,
            "space": {name: values.model_dump(mode="json") for name, values in self.space.items()},
            "fixed": dict(self.fixed),
            "search": self.config.model_dump(mode="json", exclude={"samplers", "points", "confirm"}),
        }


def read_searched(
    sampler: str, entries: Mapping[str, Any], core: CoreConfig, config: SearchConfig, registry: "Registry", where: str
) -> SearchedSampler:
    """One sampler to search, from its entry in a study file, as :class:`SearchConfig` describes it.

    Errors of unknown samplers or parameters, values that the sampler refuses, and spaces that the optimizer cannot
    search begin with ``where``.
    """
    fields = registry.find(sampler, where).model_fields
    where = f"{where}: {sampler}"
    if unknown := [name for name in entries if name not in fields]:
        raise InputError(f"{where}: the sampler has no parameter {unknown[0]!r}; {nearest(unknown[0], list(fields))}")
    space: dict[str, Range | Choices] = {}
    for name, entry in entries.items():
        if isinstance(entry, Mapping):
            ranges = WholeRange if fields[name].annotation is int else Range
            place = f"{where}: {name}"
            space[name] = parse(Choices, entry, place) if "choices" in entry else parse(ranges, entry, place)
    fixed = {name: value for name, value in entries.items() if name not in space}
    if not space:
        raise InputError(f"{where}: no parameter has a range, such as {{low: 5, high: 90}} or {{choices: [5, 10]}}")
    for name, values in space.items():
        for value in values.examples:
            registry.build(sampler, fixed | {name: value}, where)
    _check_optimizer(config, space, where)
    return SearchedSampler(sampler, registry, space, fixed, core, config)


def _check_optimizer(config: SearchConfig, space: Space, where: str) -> None:
    choices = {name for name, values in space.items() if isinstance(values, Choices)}
    if config.optimizer == "grid":
        if ranges := [name for name in space if name not in choices]:
            raise InputError(f"{where}: {ranges[0]}: grid needs choices, not low and high")
        if config.points > (size := math.prod(len(values.examples) for values in space.values())):
            raise InputError(f"{where}: its grid has {size} points, fewer than points: {config.points}")
