"""What reports read from the store beside the results: labels, predictions, histories, circumstances of trials."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import sqlalchemy as sa
from numpy.typing import NDArray

from benchmark.store import schema
from benchmark.store.arrays import from_bytes
from benchmark.store.store import Store

ROWS_AT_ONCE = 500
"""Trials in memory at a time while their details are read."""

Predictions = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Rotations (N, 3, 3) and strengths (N, 3)."""


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


def load_predictions(store: Store, keys: Iterable[str], test_set: str) -> dict[str, Predictions]:
    """What trials predicted on a test set, by key; of few trials, as all of it comes into memory."""
    p = schema.predictions.c
    query = sa.select(p.trial, p.rotations, p.strengths).where(p.trial.in_(keys), p.test_set == test_set)
    with store.reading() as connection:
        rows = connection.execute(query).all()
    return {row.trial: (from_bytes(row.rotations), from_bytes(row.strengths)) for row in rows}


def load_losses(store: Store, study: str, preset: str) -> pd.DataFrame:
    """Total training loss of a study's trials, mean over seeds: columns train_set, arm, epoch, loss."""
    e = schema.epochs.c
    trials = _trials(study, preset)
    place = [trials.c.train_set, trials.c.position, trials.c.arm, e.number.label("epoch")]
    query = (
        sa.select(*place, sa.func.avg(e.losses["total"].as_float()).label("loss"))
        .join_from(trials, schema.epochs, e.trial == trials.c.trial)
        .group_by(*place)
        .order_by(*place)
    )
    with store.reading() as connection:
        result = connection.execute(query)
        return pd.DataFrame(result.all(), columns=list(result.keys())).drop(columns="position")


DRAWN = ("effective_references", "coverage", "fallback_share")


def load_draws(store: Store, study: str, preset: str) -> pd.DataFrame:
    """Numbers of the references that a study's trials drew.

    Returns:
        Columns train_set, position, arm, seed; effective_references, coverage and fallback_share as
        :meth:`samplers.support.diagnostics.DrawStatistics.summary` gives them; ``distance``, its mean; and
        ``images_per_input``, the distinct images encoded for an input. NaN for what a trial has not.
    """
    t, e = schema.trials.c, schema.epochs.c
    trials = _trials(study, preset)
    columns = [trials.c[name] for name in ("train_set", "position", "arm", "seed")]
    encoded = sa.select(sa.func.avg(e.images_per_input)).where(e.trial == t.key).scalar_subquery()
    numbers = [t.diagnostics[name].as_float().label(name) for name in DRAWN]
    query = (
        sa.select(*columns, *numbers, t.diagnostics["distance", "mean"].as_float().label("distance"))
        .add_columns(encoded.label("images_per_input"))
        .join_from(trials, schema.trials, trials.c.trial == t.key)
        .where(t.diagnostics.is_not(None))
        .order_by(*columns)
    )
    with store.reading() as connection:
        result = connection.execute(query)
        frame = pd.DataFrame(result.all(), columns=list(result.keys()))
    return frame.astype(dict.fromkeys((*DRAWN, "distance", "images_per_input"), float))


def _trials(study: str, preset: str | None = None) -> sa.Subquery:
    """The trials of a study, each once, though protocols share them: where they are in it, and their keys."""
    p, t = schema.planned.c, schema.trials.c
    query = (
        sa.select(p.preset, t.train_set, p.position, p.arm, p.seed, p.trial)
        .join_from(schema.planned, schema.trials, p.trial == t.key)
        .where(p.study == study)
        .distinct()
    )
    return (query if preset is None else query.where(p.preset == preset)).subquery()


def load_distances(store: Store, study: str, preset: str) -> pd.DataFrame:
    """Distances of a study's references: columns train_set, arm, seed and shares, a list.

    The shares are of references in equal bars of geodesic distance to their input from 0 to 180 degrees.
    """
    t = schema.trials.c
    trials = _trials(study, preset)
    columns = [trials.c[name] for name in ("train_set", "position", "arm", "seed")]
    query = (
        sa.select(*columns, t.diagnostics["distance", "shares"].as_json().label("shares"))
        .join_from(trials, schema.trials, trials.c.trial == t.key)
        .where(t.diagnostics.is_not(None))
        .order_by(*columns)
    )
    with store.reading() as connection:
        result = connection.execute(query)
        frame = pd.DataFrame(result.all(), columns=list(result.keys()))
    return frame.drop(columns="position").dropna(subset=["shares"])


class Machine(NamedTuple):
    """Where trainings ran.

    Attributes:
        device: its name.
        precision: number format of the encoder.
        trainings: that ran there.
    """

    device: str
    precision: str
    trainings: int


def load_machines(store: Store, study: str) -> list[Machine]:
    """What a study's finished trainings ran on."""
    t = schema.trials.c
    trials = _trials(study)
    where = [t.environment[name].as_string().label(name) for name in ("device", "precision")]
    query = (
        sa.select(*where, sa.func.count(sa.distinct(t.key)).label("trainings"))
        .join_from(trials, schema.trials, trials.c.trial == t.key)
        .where(t.status == "done", *(column.is_not(None) for column in where))
        .group_by(*where)
        .order_by(*where)
    )
    with store.reading() as connection:
        return [Machine(row.device, row.precision, row.trainings) for row in connection.execute(query)]


def load_core(store: Store, study: str, preset: str, arm: str) -> dict[str, Any] | None:
    """The core's settings in a study's trials of an arm; None where none is planned."""
    p, t = schema.planned.c, schema.trials.c
    query = (
        sa.select(t.identity)
        .join_from(schema.planned, schema.trials, p.trial == t.key)
        .where(p.study == study, p.preset == preset, p.arm == arm)
        .order_by(t.seed, t.key)
        .limit(1)
    )
    with store.reading() as connection:
        identity = connection.execute(query).scalar_one_or_none()
    return None if identity is None else identity.get("core")


def iterate_trials(store: Store) -> Iterator[dict[str, Any]]:
    """Every trial with its circumstances, ordered by key; without weights, history and diagnostics."""
    t = schema.trials.c
    left_out = {"worker", "lease_until", "diagnostics"}
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
