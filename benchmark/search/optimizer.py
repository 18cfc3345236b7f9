"""Optuna: what it is asked, what it is told, and its tables beside ours in the store."""

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import optuna
import sqlalchemy as sa
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, GridSampler, RandomSampler, TPESampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from benchmark.run.leases import Leases
from benchmark.search.search import Search
from benchmark.store.database import BUSY_SECONDS
from benchmark.store.errors import clear, patient
from benchmark.store.search_store import Point, SearchStore
from benchmark.study.search_space import Choices, Space, Value, WholeRange

TABLES_LOCK = "optuna's tables"
STATES = {"done": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}

OPTIMIZERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: TPESampler(seed=seed, constant_liar=True),
    "gp": lambda seed: GPSampler(seed=seed),
    "random": lambda seed: RandomSampler(seed=seed),
    "cmaes": lambda seed: CmaEsSampler(seed=seed),
}
"""All but ``grid``, which needs the grid."""

PRUNERS: dict[str, Callable[[], optuna.pruners.BasePruner]] = {
    "none": optuna.pruners.NopPruner,
    "median": optuna.pruners.MedianPruner,
    "successive_halving": optuna.pruners.SuccessiveHalvingPruner,
}


def distributions(space: Space, ordered: bool = False) -> dict[str, BaseDistribution]:
    """A space in Optuna's words.

    Args:
        space: the space.
        ordered: whether choices are given by their number in order, for optimizers that know numbers only.
    """
    found: dict[str, BaseDistribution] = {}
    for name, values in space.items():
        if isinstance(values, Choices):
            numbers = IntDistribution(0, len(values.choices) - 1)
            found[name] = numbers if ordered else CategoricalDistribution(values.choices)
        elif isinstance(values, WholeRange):
            found[name] = IntDistribution(values.low, values.high, log=values.log)
        else:
            found[name] = FloatDistribution(values.low, values.high, log=values.log)
    return found


@contextmanager
def _clear(store: SearchStore) -> Iterator[None]:
    """The store's complaints through Optuna as those of the store itself."""
    with clear(store.engine.url):
        try:
            yield
        except StorageInternalError as error:
            if isinstance(error.__cause__, sa.exc.SQLAlchemyError):
                raise error.__cause__ from None
            raise


@contextmanager
def _tables(store: SearchStore, leases: Leases) -> Iterator[None]:
    """Context in which one process at a time changes what tables or studies Optuna has."""
    with _clear(store), store.lock(TABLES_LOCK, leases.worker, leases.seconds):
        yield


@patient
def open_storage(store: SearchStore, leases: Leases) -> RDBStorage:
    """Optuna's tables in a store, once for all searches of a process, as each has connections of its own.

    Raises:
        InputError: if the store fails.
    """
    optuna.logging.set_verbosity(logging.WARNING)
    url = store.engine.url.render_as_string(hide_password=False)
    options = {"timeout": BUSY_SECONDS} if store.engine.dialect.name == "sqlite" else {}
    with _tables(store, leases):
        return RDBStorage(url, engine_kwargs={"connect_args": options, "pool_pre_ping": True})


class Optimizer:
    """Optuna's study of a search.

    Args:
        store: the results store, where Optuna's tables lie, too.
        storage: those tables, as :func:`open_storage` gives them.
        search: the search; its key is the name of Optuna's study.
        leases: of this process.

    Raises:
        InputError: if the store fails; so do all methods.
    """

    def __init__(self, store: SearchStore, storage: RDBStorage, search: Search, leases: Leases) -> None:
        self.store, self._storage, self.search, self.leases = store, storage, search, leases
        self._ordered = search.config.optimizer == "cmaes"
        self._distributions = distributions(search.space, self._ordered)
        self._create()

    def ask(self, point: Point) -> Point:
        """A point with what Optuna suggests for it; a point that was asked for before stays as it is.

        One process asks at a time, so that every suggestion knows of all earlier ones, and one that a dead
        process left behind is used. The optimizer's random numbers depend on the point's number alone.
        """
        if point.optuna_number is not None:
            return point
        with self.store.lock(f"ask {self.search.key}", self.leases.worker, self.leases.seconds):
            return self._ask(point)

    @patient
    def _ask(self, point: Point) -> Point:
        with _clear(self.store):
            study = self._study(point.number)
            points = self.store.points([self.search.key])
            self._add_imported(study, points)
            if point.parameters is not None:  # it has failed and is tried again
                study.enqueue_trial({name: self._encode(name, value) for name, value in point.parameters.items()})
            trial = self._left_behind(study, {other.optuna_number for other in points})
            number, suggested = trial if trial else self._suggest(study)
        parameters = {name: self._decode(name, value) for name, value in suggested.items()}
        self.store.set_asked(point.search, point.number, number, parameters)
        return Point(point.search, point.number, point.status, number, parameters, None, None)

    @patient
    def tell(self, point: Point, status: str, value: float | None) -> None:
        """End Optuna's trial of a point as done, failed or pruned."""
        if point.optuna_number is None:
            return
        with _clear(self.store):
            self._study().tell(
                point.optuna_number, value if status == "done" else None, STATES[status], skip_if_finished=True
            )

    @patient
    def should_prune(self, point: Point, step: int, value: float) -> bool:
        """Report the objective after an epoch, and ask the pruner.

        Args:
            point: that is being trained.
            step: epochs so far, those of the point's earlier seeds included.
            value: of the objective, degrees.
        """
        with _clear(self.store):
            study = self._study()
            identity = self._storage.get_trial_id_from_study_id_trial_number(
                self._storage.get_study_id_from_name(self.search.key), point.optuna_number or 0
            )
            if step not in self._storage.get_trial(identity).intermediate_values:
                self._storage.set_trial_intermediate_value(identity, step, value)
            return study.pruner.prune(study, self._storage.get_trial(identity))

    def _suggest(self, study: optuna.Study) -> tuple[int, dict[str, Any]]:
        trial = study.ask(self._distributions)
        return trial.number, trial.params

    def _left_behind(self, study: optuna.Study, known: set[int | None]) -> tuple[int, dict[str, Any]] | None:
        """A trial that a process asked for and did not live to write down."""
        for trial in study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
            if trial.number not in known:
                if set(trial.params) == set(self._distributions):
                    return trial.number, dict(trial.params)
                study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
        return None

    def _add_imported(self, study: optuna.Study, points: list[Point]) -> None:
        """Tell Optuna of points that came from another store."""
        for point in points:
            if point.ended and point.optuna_number is None and point.parameters is not None:
                study.add_trial(as_trial(point, self._distributions, self._encode))
                number = study.get_trials(deepcopy=False)[-1].number
                self.store.set_asked(point.search, point.number, number, point.parameters)

    def _encode(self, name: str, value: Value) -> Value:
        values = self.search.space[name]
        return values.choices.index(value) if self._ordered and isinstance(values, Choices) else value

    def _decode(self, name: str, value: Any) -> Value:
        values = self.search.space[name]
        found: Value = values.choices[value] if self._ordered and isinstance(values, Choices) else value
        return found

    def _study(self, point: int | None = None) -> optuna.Study:
        """Optuna's study; with a point's number one that can be asked for it."""
        return optuna.load_study(
            study_name=self.search.key,
            storage=self._storage,
            sampler=RandomSampler() if point is None else self._sampler(point),
            pruner=PRUNERS[self.search.config.pruner](),
        )

    def _sampler(self, point: int) -> BaseSampler:
        config = self.search.config
        if config.optimizer == "grid":  # the seed numbers the grid's points, so it must stay the same
            grid = {name: list(values.examples) for name, values in self.search.space.items()}
            return GridSampler(grid, seed=config.seed)
        seed = int(np.random.SeedSequence([config.seed, point]).generate_state(1)[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return OPTIMIZERS[config.optimizer](seed)

    @patient
    def _create(self) -> None:
        with _tables(self.store, self.leases):
            optuna.create_study(study_name=self.search.key, storage=self._storage, load_if_exists=True)


def as_trial(
    point: Point,
    known: Mapping[str, BaseDistribution],
    encode: Callable[[str, Value], Value] = lambda _, value: value,
) -> FrozenTrial:
    """An ended point as Optuna's trial."""
    parameters = {name: encode(name, value) for name, value in (point.parameters or {}).items()}
    return optuna.create_trial(
        state=STATES[point.status], params=parameters, distributions=dict(known), value=point.value
    )
