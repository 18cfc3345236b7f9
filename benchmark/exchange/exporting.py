"""Export of a store's results to a folder."""

import json
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from benchmark.exchange.layout import (
    ENDED,
    FORMAT,
    MANIFEST,
    TABLES,
    binary,
    file_name,
    plain,
    title,
    to_text,
    trial_column,
)
from benchmark.store import schema
from benchmark.store.store import Store
from mhpe.errors import InputError


def export_store(store: Store, folder: Path) -> int:
    """Write all studies and all finished and failed trials to a new or empty folder.

    Returns:
        The number of trials.

    Raises:
        InputError: if the folder holds something or cannot be written, or no trial is finished.
    """
    with store.snapshot() as connection:
        ended = sa.select(schema.trials.c.key).where(schema.trials.c.status.in_(ENDED)).order_by("key")
        keys = list(connection.execute(ended).scalars())
        if not keys:
            raise InputError(f"store {store.shown} holds no finished trial; bench run would make some")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise InputError(f"{folder} is not empty; name a new folder")
            for table in TABLES:
                _write_table(connection, table, keys, folder)
            facts = {"program": schema.PROGRAM, "format": FORMAT, "schema_version": schema.SCHEMA_VERSION}
            # Last: a folder without it is no complete export.
            (folder / MANIFEST).write_text(json.dumps(facts) + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(f"cannot write {folder}: {error.strerror or error}") from None
    return len(keys)


def _write_table(connection: sa.Connection, table: sa.Table, keys: list[str], folder: Path) -> None:
    cells = plain(table)
    query = sa.select(table).order_by(*table.primary_key)
    if (trial := trial_column(table)) is not None:
        query = query.where(trial.in_(keys))
    if table is schema.points:
        query = query.where(table.c.status.in_(ENDED))
    rows = []
    for row in connection.execution_options(yield_per=20).execute(query).mappings():
        rows.append([to_text(row[column.name], column) for column in cells])
        for column in binary(table):
            path = folder / file_name(table, column, row)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(row[column.name])
    frame = pd.DataFrame(rows, columns=[column.name for column in cells], dtype=str)
    frame.to_csv(folder / f"{title(table)}.csv", index=False, lineterminator="\n")
