"""What a run makes of its workers' answers, with workers made for the test."""

import threading
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from benchmark.run import runner
from benchmark.run.runner import Interrupted, Run, Totals
from benchmark.run.task import Task
from benchmark.run.workers import WorkerDiedError
from benchmark.store import Store, schema
from benchmark.store.outcome import Outcome
from benchmark.study.grid import Plan, make_plan
from benchmark.study.study import load_study
from mhpe.datasets import prepared
from mhpe.errors import InputError
from tests.benchmark.run.test_lost_leases import FAILURE, end_leases
from tests.benchmark.store.test_store import outcome


class Answers:
    """Workers that answer every task with the next of some answers, and with a result after the last."""

    def __init__(self, *answers: BaseException, size: int = 2) -> None:
        self.size, self.answers = size, list(answers)
        self.submitted: list[str] = []
        self.forgotten: list[str] = []
        self.closed = False

    def submit(self, task: Task) -> Future[Outcome]:
        assert not self.closed
        self.submitted.append(task.key)
        future: Future[Outcome] = Future()
        if self.answers:
            future.set_exception(self.answers.pop(0))
        else:
            result = outcome()
            result.key, result.evaluations = task.key, {}
            future.set_result(result)
        return future

    def result(self, future: Future[Outcome]) -> Outcome:
        return future.result()

    def forget(self, key: str) -> None:
        self.forgotten.append(key)

    def close(self) -> None:
        self.closed = True


class Reporter:
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.names: list[str] = []

    def start(self, total: int, done: int) -> None: ...

    def finished(self, outcome: Outcome, name: str) -> None:
        self.names.append(name)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def waiting(self, count: int) -> None:
        raise AssertionError("nobody else works on this store")


def run(*arguments: object, **options: object) -> Totals:
    return Run(*arguments, **options).run()


@pytest.fixture
def plan(tiny_study: Path, data_root: Path) -> Plan:
    study = load_study(str(tiny_study))
    made = make_plan(
        study, dict.fromkeys(study.protocols, study.arms), 1, lambda name, size: prepared(name, size, data_root)
    )
    return Plan(made.study, made.cells, made.trials, dict.fromkeys(made.tests, ()), made.train_sets)


@pytest.fixture
def store(plan: Plan, tmp_path: Path) -> Store:
    store = Store(str(tmp_path / "results.sqlite"))
    store.plan(plan.study.name, {}, plan.cells, plan.trials.values())
    return store


def test_every_trial_is_done_once_and_forgotten(plan: Plan, store: Store) -> None:
    workers = Answers()
    totals = run(plan, store, workers, Reporter())
    assert workers.submitted == list(plan.trials)
    assert sorted(workers.forgotten) == sorted(plan.trials)
    assert (totals.trained, totals.done, totals.failed, workers.closed) == (3, 0, {}, True)


def test_further_test_set_of_a_trial_without_weights_is_refused(plan: Plan, store: Store) -> None:
    run(plan, store, Answers(), Reporter())
    with store.writing() as connection:
        connection.execute(sa.delete(schema.weights).where(schema.weights.c.trial == next(iter(plan.trials))))
    assert run(plan, store, Answers(), Reporter()).done == 3
    further = replace(plan, tests=dict.fromkeys(plan.trials, (SimpleNamespace(fingerprint="u" * 64),)))
    workers = Answers()
    with pytest.raises(InputError, match=r"weights of 1 trial\b.*bench store copy"):
        run(further, store, workers, Reporter())
    assert workers.submitted == []


def test_trial_whose_worker_dies_is_tried_once_more_after_the_others(plan: Plan, store: Store) -> None:
    workers, reporter = Answers(WorkerDiedError("it died"), size=1), Reporter()
    run(plan, store, workers, reporter)
    first, *others = plan.trials
    assert workers.submitted == [first, *others, first]
    assert reporter.notes == ["random, aflw2000, seed 0: it died; trying again"]
    assert set(store.statuses(plan.trials).values()) == {"done"}


def test_trial_whose_worker_dies_twice_has_failed(plan: Plan, store: Store) -> None:
    totals = run(plan, store, Answers(*[WorkerDiedError("it died")] * 4), Reporter())
    # the first two died once each, the third twice; one of the two died again
    assert totals.trained == 2
    assert list(totals.failed.values()) == ["WorkerDied: it died, 2 times"]
    again = run(plan, store, Answers(), Reporter(), retry_failed=True)
    assert (again.trained, again.failed) == (1, {})


def test_outcome_that_cannot_be_sent_is_a_failed_trial(plan: Plan, store: Store) -> None:
    workers = Answers(TypeError("cannot pickle"))
    totals = run(plan, store, workers, Reporter())
    assert totals.failed == {"random, aflw2000, seed 0": "TypeError: cannot pickle"}
    assert totals.trained == 2
    assert sorted(workers.forgotten) == sorted(plan.trials)  # a failed one leaves no checkpoint


def test_exit_in_a_worker_is_a_failed_trial(plan: Plan, store: Store) -> None:
    totals = run(plan, store, Answers(SystemExit(0)), Reporter())
    assert totals.failed == {"random, aflw2000, seed 0": "SystemExit: 0"}
    assert totals.trained == 2


def test_trial_that_never_ends_is_named(plan: Plan, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "SILENCE_SECONDS", 0.05)
    workers, reporter = Answers(), Reporter()
    submit, note, noted = workers.submit, reporter.note, threading.Event()
    monkeypatch.setattr(reporter, "note", lambda text: (note(text), noted.set()))

    def submit_late(task: Task) -> Future[Outcome]:
        late, outcome = Future[Outcome](), submit(task).result()
        threading.Thread(target=lambda: (noted.wait(60), late.set_result(outcome))).start()
        return late

    monkeypatch.setattr(workers, "submit", submit_late)
    assert run(plan, store, workers, reporter).trained == 3
    assert "random, aflw2000, seed 0 has been running for 0 min and 1 more" in reporter.notes[0]


def test_store_is_not_asked_about_all_trials_after_each(plan: Plan, store: Store, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(store, "statuses", lambda keys: asked.append(len(list(keys))) or Store.statuses(store, keys))
    assert run(plan, store, Answers(size=1), Reporter()).trained == 3
    assert asked == [3]


@pytest.mark.parametrize("error", [InputError("the scheduler is gone"), KeyboardInterrupt()])
def test_end_of_the_workers_is_no_failure_of_a_trial(plan: Plan, store: Store, error: BaseException) -> None:
    workers = Answers(error)
    with pytest.raises(InputError if isinstance(error, InputError) else Interrupted):
        run(plan, store, workers, Reporter())
    assert workers.closed
    assert "failed" not in (found := list(store.statuses(plan.trials).values()))
    assert "running" not in found  # leases are given back


class Waiting(Reporter):
    def waiting(self, count: int) -> None: ...


class Robbed(Answers):
    """Workers whose trials another process takes while they are at them."""

    def __init__(self, store: Store, finishes: bool) -> None:
        super().__init__(size=3)
        self.store, self.finishes = store, finishes
        self.futures: list[Future[Outcome]] = []

    def submit(self, task: Task) -> Future[Outcome]:
        if task.key in self.submitted:
            return super().submit(task)
        self.submitted.append(task.key)
        future: Future[Outcome] = Future()
        self.futures.append(future)
        end_leases(self.store)
        assert self.store.claim(task.key, "other", 0.5)  # and dies
        if self.finishes:
            self.store.finish(replace(outcome(), key=task.key, evaluations={}), "other")
        threading.Timer(0.2 * len(self.futures), future.set_result, [Outcome(task.key, error=FAILURE)]).start()
        return future

    def close(self) -> None:
        assert all(future.done() for future in self.futures)
        super().close()


def test_trial_that_was_lost_is_tried_again_when_its_new_worker_dies(plan: Plan, store: Store) -> None:
    reporter = Waiting()
    totals = run(plan, store, Robbed(store, finishes=False), reporter)
    assert (totals.trained, totals.failed) == (3, {})
    assert "random, aflw2000, seed 0: another process has taken it in the meantime" in reporter.notes


def test_run_stays_until_its_workers_have_answered(plan: Plan, store: Store) -> None:
    workers = Robbed(store, finishes=True)
    totals = run(plan, store, workers, Waiting())
    assert workers.closed
    assert (totals.trained, totals.elsewhere, totals.failed) == (0, 3, {})
