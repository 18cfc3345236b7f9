"""The part of ``bench run`` that only studies with a ``search`` section have."""

from collections.abc import Sequence

import click

from benchmark.cli.progress import RunReporter
from benchmark.cli.study_data import StudyData
from benchmark.cli.terminal import out, plain_table, print_table
from benchmark.search.plan import confirmation, searches_of
from benchmark.search.runner import run_searches
from benchmark.search.search import Search
from benchmark.store.search_store import Point, SearchStore
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

    Attributes:
        failed: number of points that have failed.
    """

    def __init__(self, study: Study, data: StudyData, store: SearchStore, seeds: int | None) -> None:
        self.study, self.data, self.store, self.seeds = study, data, store, seeds
        self.failed = 0
        self.searches = searches_of(study, data.parts)

    def plan(self) -> Plan:
        """The plan for the study's arms and the best points so far."""
        return self._plan(self.store.points(search.key for search in self.searches))

    def run(self, jobs: int, device: str, retry_failed: bool) -> None:
        """Search.

        Raises:
            Interrupted: for a KeyboardInterrupt.
            InputError: if the store fails.
        """
        before = self._plan([])  # the best points may still change
        for test_set in before.test_sets.values():
            self.store.add_test_set(test_set)
        self.store.plan(self.study.name, self.study.definition, before.cells, before.trials.values())
        self._say_what_is_beyond()
        with RunReporter(f"{self.study.name}: search", jobs) as reporter:
            points = run_searches(self.searches, self.store, jobs, device, reporter, retry_failed)
        failed = [point for point in points if point.status == "failed"]
        self.failed = len(failed)
        counts = [f"{sum(p.status == status for p in points)} {status}" for status in ("done", "pruned", "failed")]
        click.echo(f"{self.study.name}: {len(points)} points searched: {', '.join(counts)}")
        for point in failed:
            click.echo(f"bench: failed: point {point.number} of {self._search(point).sampler}: {point.note}", err=True)
        if failed:
            click.echo("bench: --retry-failed tries failed points again", err=True)

    def interrupted(self) -> str:
        """How far the search is."""
        points = self.store.points(search.key for search in self.searches)
        ended = sum(point.ended for point in points)
        return f"{ended} of {len(points)} points of the search are stored in {self.store.shown}"

    def show(self) -> None:
        """Print the searches and how far they are."""
        table = plain_table("search", "sampler", "trained on", "optimizer", "parameters", "points", "state")
        for search in self.searches:
            ended = self._ended(search)
            state = f"{ended} ended, {max(0, search.config.points - ended)} to do"
            table.add_row(
                search.key[:8], search.sampler, f"{search.train_set}_fit", search.config.optimizer,
                ", ".join(search.space), str(search.config.points), state,
            )  # fmt: skip
        print_table(table)
        out.print()

    def _say_what_is_beyond(self) -> None:
        """Say where more points are stored than the study wants."""
        for search in self.searches:
            ended = self._ended(search)
            if ended > search.config.points:
                click.echo(
                    f"{self.study.name}: {ended} points of {search.sampler} on {search.train_set} are stored, more "
                    f"than points: {search.config.points}; all of them count, and none is added"
                )

    def _ended(self, search: Search) -> int:
        return sum(point.ended for point in self.store.points([search.key]))

    def _plan(self, points: Sequence[Point]) -> Plan:
        return confirmation(self.study, self.searches, points, self.seeds, self.data)

    def _search(self, point: Point) -> Search:
        return next(search for search in self.searches if search.key == point.search)


def refuse(arm_names: tuple[str, ...], dask: str | None) -> None:
    """Refuse options that a study with a search cannot follow.

    Raises:
        InputError: for any of them.
    """
    if arm_names:
        raise InputError("--arm: a study that searches runs the arms it finds beside its own; leave --arm out")
    if dask is not None:
        raise InputError("--dask: a search runs in processes of machines that reach the store; use --jobs instead")
