"""The part of ``bench run`` that only studies with a ``search`` section have."""

from collections.abc import Callable

from benchmark.cli.progress import RunReporter
from benchmark.cli.study_data import StudyData
from benchmark.cli.terminal import plain_table, print_table, say, warn
from benchmark.run.workers import Workers
from benchmark.search.confirm import confirmation, searches_of
from benchmark.search.points import Point, load_searches
from benchmark.search.trainings import run_searches
from benchmark.store import Store
from benchmark.study.grid import Plan
from benchmark.study.study import Study
from mhpe.errors import InputError


class SearchPart:
    """A study's searches, from its file to the plan that confirms their best points.

    Args:
        study: the study.
        data: gives prepared data sets.
        store: the results store.
        seeds: fresh seeds per arm, if not as many as the study file says.
    """

    def __init__(self, study: Study, data: StudyData, store: Store, seeds: int | None) -> None:
        self.study, self.data, self.store, self.seeds = study, data, store, seeds
        self.searches = searches_of(study, data.parts)

    @property
    def points(self) -> dict[str, tuple[Point, ...]]:
        """All points so far by key of their search."""
        return {search.key: search.points for search in load_searches(self.store, self.study.name)}

    def plan(self, found: bool = True) -> Plan:
        """The plan for the study's arms and, if ``found``, the best points so far."""
        return confirmation(self.study, self.searches, self.points if found else {}, self.seeds, self.data)

    def run(self, workers: Callable[[Plan], Workers], jobs: int, retry_failed: bool) -> bool:
        """Search.

        Returns:
            Whether any point has failed.

        Raises:
            Interrupted: for a KeyboardInterrupt.
            InputError: if the store fails, or the workers are gone.
        """
        before = self.plan(found=False)  # the best points may still change
        for test_set in before.test_sets.values():
            self.store.add_test_set(test_set)
        self.store.plan(self.study.name, self.study.definition, before.cells, before.trials.values())
        with RunReporter(f"{self.study.name}: search", jobs) as reporter:
            run_searches(self.study, self.searches, self.store, workers(before), reporter, retry_failed)
        ended = [(search, p) for search in self.searches for p in self.points[search.key] if p.ended]
        counts = [f"{sum(p.status == status for _, p in ended)} {status}" for status in ("done", "pruned", "failed")]
        say(f"{self.study.name}: {len(ended)} points searched: {', '.join(counts)}")
        if len(ended) > (wanted := sum(search.config.points for search in self.searches)):
            say(f"{self.study.name}: more points are stored than {wanted}, the study's; all of them count")
        failed = [(search, point) for search, point in ended if point.status == "failed"]
        for search, point in failed:
            warn(f"failed: point {point.number} of {search.sampler}: {point.note}")
        if failed:
            warn("--retry-failed tries failed points again")
        return bool(failed)

    def progress(self) -> str:
        """How far the search is."""
        ended = sum(point.ended for search in self.searches for point in self.points.get(search.key, ()))
        total = sum(search.config.points for search in self.searches)
        return f"{ended} of {total} points of the search are stored in {self.store.shown}"


def show(study: Study, store: Store, title: str, wide: bool) -> None:
    """Print a study's searches and how far they are, without its data, which need not be prepared."""
    table = plain_table("search of", "trained on", "optimizer", "points", "ended", "parameters", title=title)
    stored = load_searches(store, study.name)
    for train_set in dict.fromkeys(protocol.train for protocol in study.protocols):
        for searched in study.searched:
            wanted = searched.settings | {"preset": study.preset, "train_set": train_set}
            found = [each.points for each in stored if each.definition | wanted == each.definition]
            ended = sum(point.ended for point in found[-1]) if found else 0
            table.add_row(
                searched.name, f"{train_set}_fit", searched.config.optimizer, str(searched.config.points), str(ended),
                ", ".join(searched.space),
            )  # fmt: skip
    print_table(table, wide)


def refuse(study: Study, arm_names: tuple[str, ...], dask: str | None) -> None:
    """Refuse options that a study with a search cannot follow.

    Raises:
        InputError: for any of them.
    """
    if arm_names:
        raise InputError("--arm: a study that searches runs the arms it finds beside its own; leave --arm out")
    if dask is not None and study.searched[0].config.pruner != "none":
        raise InputError("--dask: a pruner asks the store in the workers, which do not reach it; use --jobs instead")
