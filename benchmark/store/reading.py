"""The queries of a results store."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from numpy.typing import NDArray

from benchmark.store import schema
from benchmark.store.database import Database
from benchmark.store.errors import StoreError
from mhpe.errors import InputError
from mhpe.validation import nearest

ROWS_AT_ONCE = 500  # trials in memory at a time while their details are read
DRAWN = ("effective_references", "coverage", "fallback_share")

Predictions = tuple[NDArray[np.float32], NDArray[np.float32]]  # rotations (N, 3, 3) and strengths (N, 3)


@dataclass(frozen=True)
class TestSet:
    """A test set's labels."""

    __test__ = False  # no class of tests, whatever pytest thinks of its name

    fingerprint: str
    name: str
    meta: dict[str, Any]  # how it was made
    image_ids: tuple[str, ...]  # N names
    identities: NDArray[np.int64]  # (N,) number of the person on each image
    rotations: NDArray[np.float32]  # (N, 3, 3) labels
    angles: NDArray[np.float32]  # (N, 3) the labels' yaw, pitch, roll in degrees


class Reading(Database):
    """The queries of a store. Keys of trials that it does not have are left out of the answers."""

    def statuses(self, keys: Iterable[str]) -> dict[str, str]:
        """Status of each trial that the store knows: waiting, running, done or failed."""
        t = schema.trials.c
        return dict(self._of_keys(sa.select(t.key, t.status), t.key, keys))

    def failures(self, keys: Iterable[str]) -> dict[str, str]:
        """Type and message of the error of each failed trial."""
        t = schema.trials.c
        query = sa.select(t.key, t.error_type, t.error_message).where(t.status == "failed")
        return {key: f"{kind}: {message}" for key, kind, message in self._of_keys(query, t.key, keys)}

    def evaluated(self, keys: Iterable[str]) -> set[tuple[str, str]]:
        """Pairs of trial and test set (fingerprint) that are evaluated."""
        e = schema.evaluations.c
        return {(trial, test_set) for trial, test_set in self._of_keys(sa.select(e.trial, e.test_set), e.trial, keys)}

    def identities(self, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Identity of each trial, see :attr:`benchmark.study.trial.Trial.identity`."""
        t = schema.trials.c
        return dict(self._of_keys(sa.select(t.key, t.identity), t.key, keys))

    def weights(self, key: str) -> bytes | None:
        """A trial's weights in safetensors format."""
        w = schema.weights.c
        return self._value(sa.select(w.safetensors).where(w.trial == key))

    def with_weights(self, keys: Iterable[str]) -> set[str]:
        """The trials whose weights are stored."""
        w = schema.weights.c
        return {row.trial for row in self._of_keys(sa.select(w.trial), w.trial, keys)}

    def metric(self, trial: str, test_set: str, name: str) -> float | None:
        """A metric of a trial on a test set (fingerprint), degrees."""
        e = schema.evaluations.c
        return self._value(sa.select(e[name]).where(e.trial == trial, e.test_set == test_set))

    def errors(self, trial: str) -> dict[str, dict[str, float]]:
        """A trial's metrics in degrees, by name of the test set."""
        e, s = schema.evaluations, schema.test_sets
        query = (
            sa.select(s.c.name, *(e.c[metric] for metric in schema.METRICS))
            .join_from(e, s, e.c.test_set == s.c.fingerprint)
            .where(e.c.trial == trial)
            .order_by(s.c.name)
        )
        return {name: dict(zip(schema.METRICS, values, strict=True)) for name, *values in self._rows(query)}

    def find_trial(self, prefix: str) -> sa.Row[Any]:
        """Key, status, identity and environment of the trial whose key begins so; an InputError for none or several."""
        t = schema.trials.c
        query = sa.select(t.key, t.status, t.identity, t.environment).where(t.key.startswith(prefix, autoescape=True))
        found = self._rows(query.order_by(t.key).limit(4))
        if not found:
            advice = "bench run --study NAME --dry-run --wide lists a study's"
            raise InputError(f"store {self.shown}: no trial {prefix!r}; {advice}")
        if len(found) > 1:
            keys = ", ".join(row.key for row in found[:3])
            raise InputError(f"store {self.shown}: several trials begin with {prefix!r} ({keys}); write more of it")
        return found[0]  # type: ignore[no-any-return]

    def studies(self) -> dict[str, dict[str, Any]]:
        """Definitions of all planned studies by name."""
        return dict(self._rows(sa.select(schema.studies).order_by("name")))

    def no_study(self, name: str) -> InputError:
        """The error that the store holds no study of this name, with the most similar one that it holds."""
        return InputError(f"store {self.shown} holds no study {name!r}; {nearest(name, list(self.studies()))}")

    def results(self, study: str) -> pd.DataFrame:
        """All cells of a study in order: one row each, metrics missing where there is no result.

        ``device`` and ``precision`` (number format of the encoder) say what the training ran on, ``train_images`` on
        how many images.

        A trial that is done but could not be evaluated on the cell's test set counts as failed there.
        """
        p, t, e = schema.planned.c, schema.trials.c, schema.evaluations.c
        not_evaluated = (t.status == "done") & e.trial.is_(None) & t.error_type.is_not(None)
        status = sa.case((not_evaluated, "failed"), else_=t.status).label("status")
        query = (
            sa.select(p.preset, p.protocol, p.arm, p.position, p.parameters, p.seed, p.trial, p.test_set, status)
            .add_columns(t.sampler, t.train_set, t.seconds, t.parameters.label("weights"))
            .add_columns(t.error_type, t.error_message, *(e[metric] for metric in schema.METRICS))
            .add_columns(*(t.environment[name].as_string().label(name) for name in ("device", "precision")))
            .add_columns(t.environment["train_images"].as_integer().label("train_images"))
            .outerjoin_from(schema.planned, schema.trials, p.trial == t.key)
            .outerjoin(schema.evaluations, (e.trial == t.key) & (e.test_set == p.test_set))
            .where(p.study == study)
            .order_by(p.preset, p.protocol, p.position, p.seed)
        )
        return self._frame(query).astype(dict.fromkeys(schema.METRICS, float))

    def test_set(self, fingerprint: str) -> TestSet | None:
        """The test set of a fingerprint; None if no evaluation ever needed it."""
        table = schema.test_sets
        if not (found := self._rows(sa.select(table).where(table.c.fingerprint == fingerprint))):
            return None
        (row,) = found
        columns = (row.identities, "i"), (row.rotations, "f", 3, 3), (row.angles, "f", 3)
        arrays = self._arrays(f"labels of {row.name}", *columns)
        return TestSet(row.fingerprint, row.name, row.meta, tuple(row.image_ids), *arrays)

    def predictions(self, keys: Iterable[str], test_set: str) -> dict[str, Predictions]:
        """What trials predicted on a test set, by key; of few trials, as all of it comes into memory."""
        p = schema.predictions.c
        query = sa.select(p.trial, p.rotations, p.strengths).where(p.test_set == test_set)
        found: dict[str, Predictions] = {}
        for row in self._of_keys(query, p.trial, keys):
            columns = (row.rotations, "f", 3, 3), (row.strengths, "f", 3)
            rotations, strengths = self._arrays(f"predictions of trial {row.trial}", *columns)
            found[row.trial] = rotations, strengths
        return found

    def losses(self, study: str, preset: str, arms: Iterable[str]) -> pd.DataFrame:
        """Total training loss of some arms of a study, mean over seeds: columns train_set, arm, epoch, loss."""
        e = schema.epochs.c
        trials = _trials(study, preset)
        place = [trials.c.train_set, trials.c.position, trials.c.arm, e.number.label("epoch")]
        query = (
            sa.select(*place, sa.func.avg(e.losses["total"].as_float()).label("loss"))
            .join_from(trials, schema.epochs, e.trial == trials.c.trial)
            .where(trials.c.arm.in_(arms))
            .group_by(*place)
            .order_by(*place)
        )
        return self._frame(query).drop(columns="position")

    def draws(self, study: str) -> pd.DataFrame:
        """Numbers of the references that a study's trials drew.

        Returns:
            Columns preset, train_set, position, arm, seed; effective_references, coverage and fallback_share as
            :meth:`samplers.support.diagnostics.DrawStatistics.summary` gives them; ``distance``, the mean geodesic
            distance to the input in degrees; ``shares``, a list: of the references in equal bars of this distance
            from 0 to 180 degrees; and ``images_per_input``, the distinct images encoded for an input. Missing values
            are NaN or None.
        """
        t, e = schema.trials.c, schema.epochs.c
        trials = _trials(study)
        columns = [trials.c[name] for name in ("preset", "train_set", "position", "arm", "seed")]
        encoded = sa.select(sa.func.avg(e.images_per_input)).where(e.trial == t.key).scalar_subquery()
        numbers = [t.diagnostics[name].as_float().label(name) for name in DRAWN]
        query = (
            sa.select(*columns, *numbers, t.diagnostics["distance", "mean"].as_float().label("distance"))
            .add_columns(t.diagnostics["distance", "shares"].as_json().label("shares"))
            .add_columns(encoded.label("images_per_input"))
            .join_from(trials, schema.trials, trials.c.trial == t.key)
            .where(t.diagnostics.is_not(None))
            .order_by(*columns)
        )
        return self._frame(query).astype(dict.fromkeys((*DRAWN, "distance", "images_per_input"), float))

    def trials(self) -> Iterator[dict[str, Any]]:
        """Every trial with its circumstances, ordered by key; without weights, history and diagnostics."""
        t = schema.trials.c
        left_out = {"worker", "lease_until", "lease_seconds", "diagnostics"}
        columns = [column for column in schema.trials.c if column.name not in left_out]
        query = sa.select(*columns).order_by(t.key).execution_options(yield_per=ROWS_AT_ONCE)
        with self.reading() as connection:
            for row in connection.execute(query):
                yield row._asdict()

    def durations(self, preset: str, train_set: str) -> list[tuple[dict[str, Any], dict[str, Any], float]]:
        """Identity, environment and seconds of every finished training on a training set at a preset."""
        p, t = schema.planned.c, schema.trials.c
        of_preset = sa.select(p.trial).where(p.preset == preset)
        query = (
            sa.select(t.identity, t.environment, t.seconds)
            .where(t.key.in_(of_preset), t.train_set == train_set, t.status == "done", t.seconds > 0)
            .order_by(t.key)
        )
        return [tuple(row) for row in self._rows(query)]

    def _arrays(self, what: str, *columns: tuple[Any, ...]) -> list[NDArray[Any]]:
        """Arrays over the same images, from arguments of :func:`schema.from_bytes`; a StoreError if damaged."""
        try:
            arrays = [schema.from_bytes(*column) for column in columns]
            if len(set(map(len, arrays))) > 1:
                raise ValueError("arrays of different numbers of images")
        except ValueError as error:
            damaged = f"the {what} are damaged ({error})"
            raise StoreError(f"store {self.shown}: {damaged}; restore a copy of the store") from None
        return arrays

    def _value(self, query: sa.Select[tuple[Any]]) -> Any | None:
        """The only value of a query; None if there is no row."""
        return next((value for (value,) in self._rows(query)), None)

    def _frame(self, query: sa.Select[Any]) -> pd.DataFrame:
        return pd.DataFrame(self._rows(query), columns=query.selected_columns.keys())


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
