"""Runs a whole study: its searches, if it has any, then the trials of its grid."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from benchmark.run.dask import DaskWorkers
from benchmark.run.runner import Interrupted, Reporter, Run, Totals, Workers
from benchmark.run.study_data import StudyData
from benchmark.run.task import usable_device
from benchmark.run.workers import LocalWorkers, process_count
from benchmark.search.points import Point
from benchmark.search.search import confirmation, searches_of
from benchmark.store import Store
from benchmark.study.grid import Plan, is_present, make_plan
from benchmark.study.names import counted
from benchmark.study.study import Study
from benchmark.study.trial import Present

ShowsRun = Callable[[str], AbstractContextManager[Reporter]]  # called with the title of a run, shows its progress


@dataclass(frozen=True)
class StudyRun:
    """The outcome of a run of a study; ``str`` gives a few lines."""

    study: str  # name of the study
    trials: int  # number of trials of its grid
    totals: Totals  # how many of them were trained, reused, evaluated and failed
    dropped: int  # cells of the grid that are no longer part of the study
    # points of its searches that have ended, with the sampler that they are values for
    points: tuple[tuple[str, Point], ...]
    wanted_points: int  # how many the study asks for
    store: str  # where everything is stored

    @property
    def failed(self) -> dict[str, str]:
        """Errors of failed points and trials by name."""
        failed = ((f"point {point.number} of {name}", point) for name, point in self.points if point.status == "failed")
        return {name: str(point.note) for name, point in failed} | self.totals.failed

    def __str__(self) -> str:
        lines = []
        if self.wanted_points:
            statuses = [point.status for _, point in self.points]
            counts = ", ".join(f"{statuses.count(status)} {status}" for status in ("done", "failed"))
            lines.append(f"{counted(len(statuses), 'point')} searched: {counts}")
            if len(statuses) > self.wanted_points:
                lines.append(f"more points are stored than {self.wanted_points}, the study's; all of them count")
        if self.dropped:
            lines.append(
                f"{counted(self.dropped, 'cell')} {'is' if self.dropped == 1 else 'are'} no longer part of the study; "
                "the results are kept but not reported"
            )
        totals = self.totals
        parts = [f"{totals.trained} trained", f"{totals.done} reused"]
        further = (totals.elsewhere, "done by other processes"), (totals.evaluated, "evaluated")
        parts += [f"{count} {what}" for count, what in (*further, (len(totals.failed), "failed")) if count]
        lines.append(f"{counted(self.trials, 'trial')}: {', '.join(parts)}; stored in {self.store}")
        return "\n".join(f"{self.study}: {line}" for line in lines)


def choose_workers(jobs: int | None, device: str, dask: str | None) -> tuple[int, Callable[[Plan], Workers]]:
    """Number of processes, and a function that starts the workers for a plan: these processes, or a Dask cluster's.

    ``dask`` is the address of the cluster's scheduler; its workers find out what the device ``auto`` means.
    """
    place = usable_device(device) if dask is None else "cpu"
    count = process_count(jobs, place)

    def start(plan: Plan) -> Workers:
        if dask is None:
            return LocalWorkers(count, place)
        folders = {name: data.folder for name, data in (plan.train_sets | plan.test_sets).items()}
        return DaskWorkers(dask, folders, device)

    return count, start


def run_study(
    study: Study,
    store: Store,
    data: StudyData,
    workers: Callable[[Plan], Workers],
    shows: ShowsRun,
    arms: Sequence[str] = (),
    seeds: int | None = None,
    retry_failed: bool = False,
) -> StudyRun:
    """Train and evaluate what is missing of a study, and store it.

    Arms are chosen as by :meth:`Study.select`; the number of ``seeds`` is by default
    the study file's. An interruption says what is stored.
    """
    searches = searches_of(study, data.parts) if study.searched else []
    ended: tuple[tuple[str, Point], ...] = ()
    wanted = sum(search.config.points for search in searches)
    if searches:
        from benchmark.search.storage import load_searches  # Optuna takes a second to import
        from benchmark.search.trainings import run_searches

        plan = confirmation(study, searches, {}, seeds, data)  # without the best points, which may still change
        _write_plan(study, plan, store)
        interrupted = False
        try:
            with shows(f"{study.name}: search") as reporter:
                run_searches(study, searches, store, workers(plan), reporter, retry_failed)
        except Interrupted:
            interrupted = True
        found = {search.key: search.points for search in load_searches(store, study.name)}
        ended = tuple((search.searched.name, p) for search in searches for p in found.get(search.key, ()) if p.ended)
        if interrupted:
            raise Interrupted(f"{len(ended)} of {wanted} points of the search are stored in {store.shown}")
        plan = confirmation(study, searches, found, seeds, data)
    else:
        grid = dict.fromkeys(study.protocols, study.select(arms))
        plan = make_plan(study, grid, seeds or study.file.seeds, data)
    dropped = _write_plan(study, plan, store, is_present(study, plan))
    with shows(study.name) as reporter:
        totals = Run(plan, store, workers(plan), reporter, retry_failed).run()
    return StudyRun(study.name, len(plan.trials), totals, dropped, ended, wanted, store.shown)


def _write_plan(study: Study, plan: Plan, store: Store, present: Present | None = None) -> int:
    """Store a plan's cells; returns how many others were dropped."""
    for test_set in plan.test_sets.values():
        store.add_test_set(test_set)
    return store.plan(study.name, study.definition, plan.cells, plan.trials.values(), present)
