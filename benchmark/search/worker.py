"""What a process of a search does: take a point, ask Optuna, find the point's value, tell Optuna; again."""

import time
from collections.abc import Callable, Sequence

from benchmark.run.leases import Leases
from benchmark.search.objective import Objective, PointFailedError, PrunedError, Trainings
from benchmark.search.optimizer import Optimizer, open_storage
from benchmark.search.search import Search
from benchmark.store.search_store import Point, SearchStore

POLL_SECONDS = 0.5
MakeObjective = Callable[[Search, SearchStore, Leases, Optimizer, str, bool], Objective]


def work(
    url: str,
    searches: Sequence[Search],
    worker: str,
    device: str = "cpu",
    retry_failed: bool = False,
    make_objective: MakeObjective = Trainings,
) -> None:
    """Work on searches until every point of theirs has ended, here or in other processes.

    A point of a dead process is taken over with what Optuna suggested for it.

    Args:
        url: of the results store.
        searches: written down in the store.
        worker: name of this process.
        device: where to train.
        retry_failed: whether trials that failed earlier are tried again.
        make_objective: what gives the points' values; arguments as of :class:`Trainings`.

    Raises:
        InputError: if the store fails.
    """
    store = SearchStore(url)
    with Leases(store, worker) as leases:
        parts: dict[str, tuple[Optimizer, Objective]] = {}
        storage = open_storage(store, leases)
        for search in searches:
            optimizer = Optimizer(store, storage, search, leases)
            objective = make_objective(search, store, leases, optimizer, device, retry_failed)
            parts[search.key] = optimizer, objective
        while not all(point.ended for point in store.points(parts)):
            point = store.claim_point(parts, worker, leases.seconds)
            if point is None:
                time.sleep(POLL_SECONDS)  # others hold the rest; one of them may die
            else:
                _work_on(point, store, *parts[point.search])


def _work_on(point: Point, store: SearchStore, optimizer: Optimizer, objective: Objective) -> None:
    point = optimizer.ask(point)
    value, note = None, None
    try:
        value, status = objective(point), "done"
    except PrunedError as pruned:
        status, note = "pruned", str(pruned)
    except PointFailedError as failed:
        status, note = "failed", str(failed)
    optimizer.tell(point, status, value)
    store.end_point(point.search, point.number, status, value, note, optimizer.leases.worker)
