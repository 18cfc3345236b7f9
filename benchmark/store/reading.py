"""What reports read from the store beside the results: labels, predictions, histories, circumstances of trials."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from numpy.typing import NDArray

from benchmark.store import schema
from benchmark.store.arrays import from_bytes
from benchmark.store.store import Store

ROWS_AT_ONCE = 500
"""Trials in memory at a time while their details are read."""


@dataclass(frozen=True)
class TestSet:
    """A test set's labels.

    Attributes:
        fingerprint: of its content.
        name: the data set's name.
        meta: how it was made.
        image_ids: N names.
        identities: (N,) number of the person on each image.
        rotations: (N, 3, 3) labels.
        angles: (N, 3) the labels' yaw, pitch, roll in degrees.
    """

    __test__ = False  # no class of tests, whatever pytest thinks of its name

    fingerprint: str
    name: str
    meta: dict[str, Any]
    image_ids: tuple[str, ...]
    identities: NDArray[np.int64]
    rotations: NDArray[np.float32]
    angles: NDArray[np.float32]


def load_test_set(store: Store, fingerprint: str) -> TestSet | None:
    """The test set of a fingerprint; None if no evaluation ever needed it."""
    table = schema.test_sets
    with store.reading() as connection:
        row = connection.execute(sa.select(table).where(table.c.fingerprint == fingerprint)).one_or_none()
    if row is None:
        return None
    arrays = (from_bytes(content) for content in (row.identities, row.rotations, row.angles))
    return TestSet(row.fingerprint, row.name, row.meta, tuple(row.image_ids), *arrays)


def load_predictions(store: Store, key: str, test_set: str) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Predicted rotations (N, 3, 3) and strengths (N, 3) of a trial on a test set; None where there are none."""
    p = schema.predictions.c
    query = sa.select(p.rotations, p.strengths).where(p.trial == key, p.test_set == test_set)
    with store.reading() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else (from_bytes(row.rotations), from_bytes(row.strengths))


def load_losses(store: Store, study: str) -> pd.DataFrame:
    """Total training loss of a study's trials: columns preset, train_set, position, arm, seed, epoch, loss."""
    p, t, e = schema.planned.c, schema.trials.c, schema.epochs.c
    columns = [p.preset, t.train_set, p.position, p.arm, p.seed, e.number.label("epoch")]
    query = (
        sa.select(*columns, e.losses["total"].as_float().label("loss"))
        .join_from(schema.planned, schema.trials, p.trial == t.key)
        .join(schema.epochs, e.trial == t.key)
        .where(p.study == study)
        .distinct()  # protocols share trials
        .order_by(p.preset, t.train_set, p.position, p.seed, e.number)
    )
    with store.reading() as connection:
        result = connection.execute(query)
        return pd.DataFrame(result.all(), columns=list(result.keys()))


DRAWN = ("effective_references", "coverage", "fallback_share")


def load_draws(store: Store, study: str) -> pd.DataFrame:
    """Numbers of the references that a study's trials drew.

    Returns:
        Columns preset, train_set, position, arm, seed; effective_references, coverage and fallback_share as
        :meth:`samplers.diagnostics.DrawStatistics.summary` gives them; ``distance``, its mean; and
        ``images_per_input``, the distinct images encoded for an input. NaN for what a trial has not.
    """
    t, e = schema.trials.c, schema.epochs.c
    trials, columns = _trials_with_draws(study)
    encoded = sa.select(sa.func.avg(e.images_per_input)).where(e.trial == t.key).scalar_subquery()
    numbers = [t.diagnostics[name].as_float().label(name) for name in DRAWN]
    query = (
        sa.select(*columns, *numbers, t.diagnostics["distance", "mean"].as_float().label("distance"))
        .add_columns(encoded.label("images_per_input"))
        .join_from(trials, schema.trials, trials.c.trial == t.key)
        .order_by(*columns)
    )
    with store.reading() as connection:
        result = connection.execute(query)
        frame = pd.DataFrame(result.all(), columns=list(result.keys()))
    return frame.astype(dict.fromkeys((*DRAWN, "distance", "images_per_input"), float))


def _trials_with_draws(study: str) -> tuple[sa.Subquery, list[sa.ColumnElement[Any]]]:
    """The trials of a study that know what they drew, each once, and the columns that place them."""
    p, t = schema.planned.c, schema.trials.c
    trials = (
        sa.select(p.preset, t.train_set, p.position, p.arm, p.seed, p.trial)
        .join_from(schema.planned, schema.trials, p.trial == t.key)
        .where(p.study == study, t.diagnostics.is_not(None))
        .distinct()  # protocols share trials
        .subquery()
    )
    return trials, [trials.c[name] for name in ("preset", "train_set", "position", "arm", "seed")]


def load_distances(store: Store, study: str) -> pd.DataFrame:
    """Distances of a study's references: columns preset, train_set, position, arm, seed and shares, a list.

    The shares are of references in equal bars of geodesic distance to their input from 0 to 180 degrees.
    """
    t = schema.trials.c
    trials, columns = _trials_with_draws(study)
    query = (
        sa.select(*columns, t.diagnostics["distance", "shares"].as_json().label("shares"))
        .join_from(trials, schema.trials, trials.c.trial == t.key)
        .order_by(*columns)
    )
    with store.reading() as connection:
        result = connection.execute(query)
        return pd.DataFrame(result.all(), columns=list(result.keys())).dropna(subset=["shares"])


def iterate_trials(store: Store) -> Iterator[dict[str, Any]]:
    """Every trial with its circumstances, ordered by key; without weights, history and diagnostics."""
    t = schema.trials.c
    left_out = {"worker", "lease_until", "diagnostics", "traceback"}
    columns = [column for column in schema.trials.c if column.name not in left_out]
    with store.reading() as connection:
        result = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(sa.select(*columns).order_by(t.key))
        for row in result.mappings():
            yield dict(row)


def load_durations(store: Store, preset: str, train_set: str) -> list[tuple[dict[str, Any], dict[str, Any], float]]:
    """Identity, environment and seconds of every finished training on a training set at a preset."""
    p, t = schema.planned.c, schema.trials.c
    of_preset = sa.select(p.trial).where(p.preset == preset)
    query = (
        sa.select(t.identity, t.environment, t.seconds)
        .where(t.key.in_(of_preset), t.train_set == train_set, t.status == "done", t.seconds > 0)
        .order_by(t.key)
    )
    with store.reading() as connection:
        return [(row.identity, row.environment, row.seconds) for row in connection.execute(query)]
