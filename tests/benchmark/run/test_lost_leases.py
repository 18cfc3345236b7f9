"""What a worker may still write when the end of its lease has given its work to another one."""

import pytest
import sqlalchemy as sa

from benchmark.store import Store, schema
from tests.benchmark.store.test_store import TRIAL, make_test_set, outcome, planned

FAILURE = ("ValueError", "late")


def end_leases(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(sa.update(schema.trials).values(lease_until=0.0))


@pytest.fixture
def taken(store_url: str) -> Store:
    """A store whose only trial was late's and is other's."""
    made = Store(store_url)
    made.add_test_set(make_test_set(4))
    made.plan("study", {"title": "A study"}, [planned()], [TRIAL])
    for worker in ("late", "other"):
        assert made.claim(TRIAL.key, worker, 60)
        if worker == "late":
            end_leases(made)
    return made


@pytest.mark.slow
def test_late_failure_leaves_the_trial_to_who_has_it(taken: Store) -> None:
    assert not taken.finish(outcome(error=FAILURE), "late")
    assert not taken.finish(outcome(error=FAILURE))
    assert taken.statuses([TRIAL.key]) == {TRIAL.key: "running"}
    assert not taken.claim(TRIAL.key, "you", 60)  # the lease is as it was
    assert taken.finish(outcome(), "other")
    assert not taken.finish(outcome(error=FAILURE), "late")
    assert not taken.finish(outcome(error=FAILURE), "other")
    row = taken.results("study").iloc[0]
    assert (row["status"], row["error_type"], row["mae"]) == ("done", None, 5.0)


def test_late_result_is_taken_unless_there_is_one(taken: Store) -> None:
    assert taken.finish(outcome(mae=3.0), "late")
    assert not taken.finish(outcome(mae=4.0), "other")
    assert taken.results("study").iloc[0]["mae"] == 3.0


def test_failure_after_the_trial_was_given_back_is_none(taken: Store) -> None:
    taken.release("other")
    assert not taken.finish(outcome(error=FAILURE), "other")
    assert taken.statuses([TRIAL.key]) == {TRIAL.key: "waiting"}
