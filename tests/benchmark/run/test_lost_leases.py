"""What a worker may still write when the end of its lease has given its work to another one."""

import pytest
import sqlalchemy as sa

from benchmark.store import Store, schema
from benchmark.store.search_store import SearchStore
from tests.benchmark.store.test_store import TRIAL, make_test_set, outcome, planned

FAILURE = ("ValueError", "late")


def end_leases(store: Store, table: sa.Table = schema.trials) -> None:
    with store.writing() as connection:
        connection.execute(sa.update(table).values(lease_until=0.0))


@pytest.fixture
def taken(store_url: str) -> SearchStore:
    """A store whose only trial and point were late's and are other's."""
    made = SearchStore(store_url)
    made.add_test_set(make_test_set(4))
    made.plan("study", {"title": "A study"}, [planned()], [TRIAL])
    made.add_search("s", "study", "standard", "train", "random", {}, 1)
    for worker in ("late", "other"):
        assert made.claim(TRIAL.key, worker, 60)
        assert made.claim_point(["s"], worker, 60) is not None
        if worker == "late":
            end_leases(made)
            end_leases(made, schema.points)
    return made


def test_late_failure_leaves_the_trial_to_who_has_it(taken: SearchStore) -> None:
    assert not taken.finish(outcome(error=FAILURE), "late")
    assert not taken.finish(outcome(error=FAILURE))
    taken.prune(TRIAL.key, "bad", "late")
    assert taken.statuses([TRIAL.key]) == {TRIAL.key: "running"}
    assert not taken.claim(TRIAL.key, "you", 60)  # the lease is as it was
    assert taken.finish(outcome(), "other")
    assert not taken.finish(outcome(error=FAILURE), "late")
    assert not taken.finish(outcome(error=FAILURE), "other")
    row = taken.results("study").iloc[0]
    assert (row["status"], row["error_type"], row["mae"]) == ("done", None, 5.0)


def test_late_result_is_taken_unless_there_is_one(taken: SearchStore) -> None:
    assert taken.finish(outcome(mae=3.0), "late")
    assert not taken.finish(outcome(mae=4.0), "other")
    assert taken.results("study").iloc[0]["mae"] == 3.0


def test_failure_after_the_trial_was_given_back_is_none(taken: SearchStore) -> None:
    taken.release("other")
    assert not taken.finish(outcome(error=FAILURE), "other")
    assert taken.statuses([TRIAL.key]) == {TRIAL.key: "waiting"}


def test_points_end_by_who_has_them_or_with_a_value(taken: SearchStore) -> None:
    def point() -> tuple[str, float | None, str | None]:
        (found,) = taken.points(["s"])
        return found.status, found.value, found.note

    for status in ("failed", "pruned"):
        taken.end_point("s", 0, status, None, "late", "late")
        assert point() == ("running", None, None)
    taken.end_point("s", 0, "done", 7.0, None, "late")
    taken.end_point("s", 0, "done", 8.0, None, "other")
    taken.end_point("s", 0, "failed", None, "late", "other")
    assert point() == ("done", 7.0, None)
