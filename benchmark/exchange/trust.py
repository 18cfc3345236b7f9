"""What must be true of an imported row beside its columns' types, so that nothing that reads it later fails."""

from collections.abc import Mapping
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveInt, create_model

from benchmark.search.stored import check_definition
from benchmark.store import schema
from benchmark.study.trial import identity_key
from mhpe.errors import InputError
from mhpe.validation import parse
from samplers.support.diagnostics import DISTANCE_WIDTH

FILE_NAMES = ("name", "study", "preset", "protocol", "train_set", "sampler")
"""Columns that the report names files after."""
BARS = round(180 / DISTANCE_WIDTH)
Time = Annotated[float, Field(ge=0, lt=2.5e11)]
"""Unix seconds that a calendar can show."""
Degrees = Annotated[float, Field(ge=0, le=360)]


class _Known(BaseModel):
    """Part of a row or of its JSON: what is read of it."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)


class _Confirm(_Known):
    best: PositiveInt


class _SearchSection(_Known):
    confirm: _Confirm


class _Definition(_Known):
    title: str
    question: str
    baseline: str
    margin: NonNegativeFloat = 0.0
    baselines: dict[str, str] = {}
    search: _SearchSection | None = None


class _Study(_Known):
    definition: _Definition


class _Parameters(_Known):
    bin_width: float | None = None
    sigma: float | None = None


class _Planned(_Known):
    position: NonNegativeInt
    parameters: _Parameters


class _Meta(_Known):
    found: NonNegativeInt = 0
    already_cropped: NonNegativeInt = 0
    beyond_max_angle: NonNegativeInt = 0
    unreadable: list[Any] = []


class _TestSet(_Known):
    image_ids: list[str]
    meta: _Meta


class _Identity(_Known):
    core: dict[str, Any]


class _Environment(_Known):
    host: str | None = None
    commit: str | None = None
    packages: dict[str, Any] | None = None


class _Distance(_Known):
    mean: float | None = None
    shares: Annotated[list[float], Field(min_length=BARS, max_length=BARS)] | None = None


class _Diagnostics(_Known):
    effective_references: float | None = None
    coverage: float | None = None
    fallback_share: float | None = None
    distance: _Distance | None = None


class _Trial(_Known):
    identity: _Identity
    environment: _Environment | None
    diagnostics: _Diagnostics | None
    started: Time | None
    finished: Time | None
    seconds: NonNegativeFloat | None
    parameters: NonNegativeInt | None


class _Epoch(_Known):
    number: NonNegativeInt
    losses: dict[str, float]


class _Search(_Known):
    created: Time


class _Point(_Known):
    number: NonNegativeInt
    value: Degrees | None
    finished: Time | None


_METRICS: dict[str, Any] = dict.fromkeys(schema.METRICS, (Degrees, ...))
_Evaluation = create_model("_Evaluation", __base__=_Known, **_METRICS)

MODELS: dict[str, type[_Known]] = {
    schema.studies.name: _Study,
    schema.planned.name: _Planned,
    schema.test_sets.name: _TestSet,
    schema.trials.name: _Trial,
    schema.epochs.name: _Epoch,
    schema.evaluations.name: _Evaluation,
    schema.searches.name: _Search,
    schema.points.name: _Point,
}


def check_values(table: sa.Table, row: Mapping[str, Any], where: str) -> None:
    """Make sure that a row's values are ones that this program could have written.

    Raises:
        InputError: naming ``where`` the row is and what is wrong.
    """
    if table is schema.trials:
        identity = row["identity"]
        if identity_key(identity) != row["key"]:
            raise InputError(f"{where}: the key is not the digest of the identity")
        _check_same(row, identity, ("sampler", "seed"), where)
    if table is schema.searches:
        check_definition(row["definition"], where)
        if identity_key(row["definition"]) != row["key"]:
            raise InputError(f"{where}: the key is not the digest of the definition")
        _check_same(row, row["definition"], ("study", "preset"), where)
    if (model := MODELS.get(table.name)) is not None:
        parse(model, row, where)
    for name in FILE_NAMES:
        if not _is_file_name(row.get(name, "x")):
            raise InputError(f"{where}: {row[name]!r} cannot be a file's name")


def _check_same(row: Mapping[str, Any], stated: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in names:
        if stated.get(name) != row[name]:
            raise InputError(f"{where}: {name} is {row[name]!r}, but the key was made of {stated.get(name)!r}")


def _is_file_name(text: str) -> bool:
    return text.isprintable() and text not in (".", "..") and not {"/", "\\", ":"} & set(text)
