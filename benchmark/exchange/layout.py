"""How a store looks as a folder: each table a CSV file, its binary columns files beside it, no pickles.

A binary column's file is named after its row's primary key: ``predictions/TRIAL_TESTSET.rotations.npy``,
``weights/TRIAL.safetensors``. An empty cell is no value.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import sqlalchemy as sa

from benchmark.store import schema
from mhpe.errors import InputError

MANIFEST = "export.json"
FORMAT = 1
TABLES = (
    schema.studies,
    schema.planned,
    schema.test_sets,
    schema.trials,
    schema.epochs,
    schema.weights,
    schema.evaluations,
    schema.predictions,
    schema.searches,
    schema.points,
)
"""In the order in which rows can be inserted."""
LEVELS = 30
"""How deep JSON may be nested."""
ENDED = ("done", "failed", "pruned")
"""States of the trials and points that are exported."""
SHAPES = {
    "rotations": (np.dtype(np.float32), (3, 3)),
    "angles": (np.dtype(np.float32), (3,)),
    "strengths": (np.dtype(np.float32), (3,)),
    "identities": (np.dtype(np.int64), ()),
}
"""Type and shape, after the number of images, of each array column."""


def plain(table: sa.Table) -> list[sa.Column[Any]]:
    """The columns of a table's CSV file."""
    return [column for column in table.c if not isinstance(column.type, sa.LargeBinary)]


def binary(table: sa.Table) -> list[sa.Column[Any]]:
    """The columns that are files."""
    return [column for column in table.c if isinstance(column.type, sa.LargeBinary)]


def trial_column(table: sa.Table) -> sa.Column[Any] | None:
    """The column that says which trial a row belongs to; None where rows belong to none."""
    if table is schema.trials:
        return table.c.key
    return table.c.trial if table is not schema.planned and "trial" in table.c else None


def title(table: sa.Table) -> str:
    """A table's name in the folder."""
    return table.name.removeprefix("bench_")


def file_name(table: sa.Table, column: sa.Column[Any], row: Mapping[Any, Any]) -> str:
    """The file of a row's binary column, relative to the folder."""
    key = "_".join(str(row[key.name]) for key in table.primary_key)
    return f"{title(table)}/{key}" + (".safetensors" if column.name == "safetensors" else f".{column.name}.npy")


def to_text(value: Any, column: sa.Column[Any]) -> str:
    """A value as a cell of the CSV file; numbers keep every bit."""
    if value is None:
        return ""
    if isinstance(column.type, sa.JSON):
        return json.dumps(value, ensure_ascii=False)
    return repr(value) if isinstance(column.type, sa.Float) else str(value)


def from_text(text: str, column: sa.Column[Any], where: str) -> Any:
    """The value of a cell.

    Raises:
        InputError: naming ``where`` it is, if the column cannot hold it.
    """
    if text == "":
        if not column.nullable:
            raise InputError(f"{where}: {column.name} is missing")
        return None
    try:
        if isinstance(column.type, sa.JSON):
            return _json(text, list if column.name == "image_ids" else dict)
        if isinstance(column.type, sa.Integer):
            return _number(int(text), 2**31)
        if isinstance(column.type, sa.Float):
            return _number(float(text), float("inf"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: {column.name} cannot be read: {error}") from None
    if isinstance(column.type, sa.String) and column.type.length and len(text) > column.type.length:
        raise InputError(f"{where}: {column.name} has more than {column.type.length} characters")
    return text


def _json(text: str, kind: type) -> Any:
    value = json.loads(text, parse_constant=_no_constant)
    if not isinstance(value, kind):
        raise ValueError(f"not a JSON {kind.__name__}")
    _check_json(value)
    return value


def _check_json(value: Any, levels: int = LEVELS) -> None:
    """Refuse what Python reads as JSON but databases, statistics or files cannot hold."""
    if levels == 0:
        raise ValueError(f"nested more than {LEVELS} deep")
    if isinstance(value, dict | list):
        for inner in (*value, *value.values()) if isinstance(value, dict) else value:
            _check_json(inner, levels - 1)
    elif isinstance(value, str):
        if "\0" in value:
            raise ValueError("text with a NUL character")
        value.encode()  # refuses lone surrogates
    elif isinstance(value, int | float):
        _number(value, 2**63 if isinstance(value, int) else float("inf"))


def _number(value: float, limit: float) -> float:
    if not abs(value) < limit:
        raise ValueError(f"{value} is out of range")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
