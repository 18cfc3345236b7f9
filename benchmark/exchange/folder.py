"""An exported folder as rows. It may come from anyone: each cell and file is checked before it is used."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors
import sqlalchemy as sa

from benchmark.exchange.layout import FORMAT, MANIFEST, SHAPES, binary, file_name, from_text, plain, title
from benchmark.store import schema
from benchmark.store.arrays import from_bytes
from mhpe.errors import InputError


def check_manifest(folder: Path) -> None:
    """Make sure that a folder is a complete export that this program can read.

    Raises:
        InputError: if it is not.
    """
    path = folder / MANIFEST
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        found = (facts["program"], facts["format"], facts["schema_version"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{folder} is no export of a store: it lacks a valid {MANIFEST}") from None
    if found != (schema.PROGRAM, FORMAT, schema.SCHEMA_VERSION):
        raise InputError(f"{path}: written by another version of this program; export again with this one")


class Folder:
    """The tables of an exported folder.

    Args:
        path: of the folder.

    Raises:
        InputError: if it is no complete export.
    """

    def __init__(self, path: Path) -> None:
        check_manifest(path)
        self.path = path
        self._images: dict[str, int] = {}  # images of each test set

    def rows(self, table: sa.Table) -> Iterator[tuple[str, dict[str, Any]]]:
        """The rows of a table's CSV file with their binary columns, and where each is."""
        path = _inside(self.path, f"{title(table)}.csv")
        try:
            frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot read this table: {error}") from None
        columns = plain(table)
        if list(frame.columns) != [column.name for column in columns] or not isinstance(frame.index, pd.RangeIndex):
            raise InputError(f"{path}: its columns must be {', '.join(column.name for column in columns)}")
        for number, cells in enumerate(frame.itertuples(index=False, name=None), start=1):
            where = f"{path}, row {number}"
            row = {column.name: from_text(cell, column, where) for column, cell in zip(columns, cells, strict=True)}
            for column in binary(table):
                row[column.name] = self._content(table, column, row, where)
            yield where, row

    def _content(self, table: sa.Table, column: sa.Column[Any], row: dict[str, Any], where: str) -> bytes:
        names = [str(row[key.name]) for key in table.primary_key]
        if not all(name.isascii() and name.isalnum() for name in names):
            raise InputError(f"{where}: {' '.join(names)!r} is no key")
        path = _inside(self.path, file_name(table, column, row))
        try:
            content = path.read_bytes()
            if column.name == "safetensors":
                safetensors.deserialize(content)
                return content
            array = from_bytes(content)
        except (OSError, ValueError, EOFError, MemoryError, safetensors.SafetensorError) as error:
            raise InputError(f"{path}: missing or damaged: {error}") from None
        if table is schema.test_sets:
            self._images.setdefault(row["fingerprint"], len(row["image_ids"]))
        images = self._images.get(row["test_set"] if "test_set" in row else row["fingerprint"])
        dtype, shape = SHAPES[column.name]
        if array.dtype != dtype or array.shape != (images, *shape) or not np.isfinite(array).all():
            raise InputError(f"{path}: must hold {dtype} of shape {(images, *shape)}, all of them finite")
        return content


def _inside(folder: Path, name: str) -> Path:
    """A file of the folder, wherever links lead.

    Raises:
        InputError: if it lies outside.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{path}: leads out of the folder")
    return path
