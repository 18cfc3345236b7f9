"""Begins and ends the points of a search, which Optuna chooses."""

import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from benchmark.search.search import Search
from benchmark.search.storage import clear_errors, last_attempts, lock, point_of
from benchmark.store import Store
from benchmark.store.errors import patient
from benchmark.study.search_space import Choices, Space, WholeRange

OPTIMIZERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: TPESampler(seed=seed, constant_liar=True),
    "gp": lambda seed: GPSampler(seed=seed),
    "random": lambda seed: RandomSampler(seed=seed),
    "grid": lambda seed: RandomSampler(seed=seed),  # never asked: the grid's points are queued
}


class Points:
    """Begins and ends the points of a search; several processes may do so at the same time.

    The key of the search is the name of Optuna's study. With ``retry_failed`` points that have failed wait again. All
    methods raise an InputError if the store fails.
    """

    @patient
    def __init__(self, store: Store, storage: RDBStorage, search: Search, retry_failed: bool = False) -> None:
        self.store, self.storage, self.search = store, storage, search
        with clear_errors(store), lock(store):
            self._study = optuna.create_study(
                study_name=search.key, storage=storage, load_if_exists=True, sampler=RandomSampler()
            )
            if "definition" not in self._study.user_attrs:
                self._study.set_user_attr("begun", time.time())
                self._study.set_user_attr("definition", search.definition)
            self._study.set_user_attr("points", search.config.points)
            for trial in self._attempts():
                if trial.state == TrialState.FAIL and (retry_failed or "note" not in trial.user_attrs):
                    queued = trial.system_attrs.get("fixed_params", {}) | trial.params
                    self._study.enqueue_trial(queued, user_attrs={"point": point_of(trial)})

    def _attempts(self) -> list[FrozenTrial]:
        return last_attempts(self._study.get_trials(deepcopy=False))

    @patient
    def begin(self) -> bool:
        """Begin a further point; returns whether there was one, as the search has not as many yet as it should.

        One process at a time does so, so that every suggestion knows of all earlier ones. Its random numbers depend on
        the number of points alone.
        """
        config, space = self.search.config, self.search.searched.space
        with clear_errors(self.store), lock(self.store):
            attempts = self._attempts()
            wanted = attempts[: config.points]
            running = [trial for trial in wanted if trial.state == TrialState.RUNNING]
            half = next((trial for trial in running if len(trial.params) < len(space)), None)  # its process has died
            begun = sum(trial.state != TrialState.WAITING for trial in wanted)
            if half is None and begun >= config.points:
                return False
            number = len(attempts) if half is None else attempts.index(half)
            if config.optimizer == "grid" and half is None and begun == number:
                self._study.enqueue_trial(_grid(space, config.seed)[number])
            seed = np.random.SeedSequence([config.seed, number]).generate_state(1)[0]
            self._study.sampler = OPTIMIZERS[config.optimizer](int(seed))
            _suggest(self._study.ask() if half is None else optuna.Trial(self._study, half._trial_id), space)
            return True

    @patient
    def begun(self) -> list[FrozenTrial]:
        """The points, as running trials of Optuna's, that have begun in any process and not ended."""
        with clear_errors(self.store):
            wanted = self._attempts()[: self.search.config.points]
            running = [trial for trial in wanted if trial.state == TrialState.RUNNING]
            return [trial for trial in running if len(trial.params) == len(self.search.searched.space)]

    @patient
    def end(self, trial: FrozenTrial, value: float | None = None, note: str | None = None) -> None:
        """End a point with its value, or with a note on why it failed, unless another process has done so."""
        with clear_errors(self.store), lock(self.store), suppress(UpdateFinishedTrialError):
            if self.storage.get_trial(trial._trial_id).state.is_finished():
                return
            if note is not None:
                self.storage.set_trial_user_attr(trial._trial_id, "note", note)
            state = TrialState.COMPLETE if note is None else TrialState.FAIL
            self._study.tell(trial.number, value, state, skip_if_finished=True)

    @patient
    def left(self) -> int:
        """Number of points that have not ended."""
        with clear_errors(self.store):
            ended = sum(trial.state.is_finished() for trial in self._attempts()[: self.search.config.points])
            return self.search.config.points - ended


def _suggest(trial: optuna.Trial, space: Space) -> None:
    """Choose the parameters of a point; those that it has stay."""
    for name, values in space.items():
        if isinstance(values, Choices):
            trial.suggest_categorical(name, values.choices)
        elif isinstance(values, WholeRange):
            trial.suggest_int(name, values.low, values.high, log=values.log)
        else:
            trial.suggest_float(name, values.low, values.high, log=values.log)


def _grid(space: Space, seed: int) -> list[dict[str, Any]]:
    """All combinations of choices, shuffled."""
    every = list(itertools.product(*(values.examples for values in space.values())))
    order = np.random.default_rng(seed).permutation(len(every))
    return [dict(zip(space, every[number], strict=True)) for number in order]
