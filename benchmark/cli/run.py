"""``bench run``: train and evaluate what is missing of a study."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from benchmark import DEFAULT_STORE
from benchmark.cli.options import Grid, grid_options, refuse_without, wide_option
from benchmark.cli.terminal import plain_table, print_table, say, warn
from benchmark.study.names import counted

if TYPE_CHECKING:
    from benchmark.run.study_data import StudyData
    from benchmark.store import Store
    from benchmark.study.grid import Plan
    from benchmark.study.search_space import SearchConfig
    from benchmark.study.study import Study

INTERRUPTED = 130  # exit status


@click.command("run")
@grid_options
@click.option("--dask", metavar="ADDRESS", help="Train on a Dask cluster instead, such as tcp://scheduler:8786.")
@click.option("--retry-failed", is_flag=True, help="Try trials again that failed earlier.")
@click.option("--dry-run", is_flag=True, help="Check everything, print the plan, and write nothing.")
@wide_option
def run_verb(dask: str | None, retry_failed: bool, dry_run: bool, wide: bool, **options: Any) -> int:
    """Train and evaluate what is missing of a study, and store it.

    \b
    bench run --study gaussian_sigma
    bench run --study gaussian_sigma --protocol aflw2000_to_biwi --data-root ~/data
    bench run --study my_study.yaml --sampler-file my_sampler.py --seeds 5
    bench run --study gaussian_sigma --dask tcp://scheduler:8786 --store postgresql://user@host/results
    """
    from benchmark.cli.progress import RunReporter, data_progress
    from benchmark.run.runner import Interrupted
    from benchmark.run.study_data import StudyData
    from benchmark.search.study_run import choose_workers, run_study
    from benchmark.store import Store

    grid = Grid(**options)
    studies = grid.studies()
    for study in studies:
        study.select(grid.arm_names)  # wrong names are refused before anything runs
    if not dry_run:
        refuse_without("--dry-run", ("wide",))
    jobs, workers = choose_workers(grid.jobs, grid.device, dask)
    failed = False
    for study in studies:
        progress = partial(data_progress, log=True)
        data = StudyData(study.synthheads, grid.data_root, jobs, progress, warn, study.file.search, prepare=not dry_run)
        if dry_run:
            _dry_run(study, grid, data, wide)
            continue
        store = Store(grid.store)
        try:
            done = run_study(study, store, data, workers, RunReporter, grid.arm_names, grid.seeds, retry_failed)
        except Interrupted as interrupted:
            warn(f"interrupted: {interrupted}; the same command goes on from there")
            return INTERRUPTED
        say(str(done))
        for name, error in done.failed.items():
            warn(f"failed: {name}: {error}")
        if done.failed:
            warn("--retry-failed tries failed ones again")
        _print_verdict(study, store)
        failed = failed or bool(done.failed)
    return int(failed)


def _dry_run(study: "Study", grid: Grid, data: "StudyData", wide: bool) -> None:
    """Print what a run would do, from what is stored and prepared; nothing is made or changed."""
    from benchmark.store import Store
    from benchmark.study.grid import make_plan

    title = f"{study.name}, preset {study.preset}"
    store = Store(grid.store, read_only=True, or_empty=True)
    if study.file.search is not None:
        _print_searches(study, store, title, wide)
        _say_what_confirms(study, study.file.search, grid.seeds)
        return
    arms = dict.fromkeys(study.protocols, study.select(grid.arm_names))
    _print_plan(make_plan(study, arms, grid.seeds or study.file.seeds, data), store, title, wide)


def _print_searches(study: "Study", store: "Store", title: str, wide: bool) -> None:
    """Print a study's searches and how far they are, without its data, which need not be prepared."""
    from benchmark.search.storage import load_searches

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


def _say_what_confirms(study: "Study", search: "SearchConfig", seeds: int | None) -> None:
    """Say what is trained after the searches, of which nobody knows yet what they find."""
    best = sum(min(search.confirm.best, search.points) for _ in study.searched)
    arms, seeds = len(study.arms) + best, seeds or search.confirm.seeds
    trainings = 2 * len({protocol.train for protocol in study.protocols}) * arms * seeds
    say(
        f"then {counted(trainings, 'training')}: {counted(arms, 'arm')}, {best} of them the best points, with "
        f"{counted(seeds, 'fresh seed')}, on the whole training set and on its fit part"
    )


def _print_plan(plan: "Plan", store: "Store", title: str, wide: bool) -> None:
    statuses = store.statuses(plan.trials)
    states = {key: statuses.get(key, "missing") for key in plan.trials}
    if wide:
        table = plain_table("trial", "arm", "trained on", "seed", "tested on", "state", title=title)
        for key, trial in plan.trials.items():
            tests = ", ".join(test.name for test in plan.tests[key])
            shown = key[:8] if len(plan.train_sets[trial.fingerprint]) else "-"  # depends on data not prepared yet
            table.add_row(shown, trial.arm.label, trial.train_set, str(trial.seed), tests, states[key])
    else:
        table = plain_table("arm", "trained on", "seeds", "done", "failed", "to train", title=title, numbers_from=2)
        rows: dict[tuple[str, str], list[str]] = {}
        for key, trial in plan.trials.items():
            rows.setdefault((trial.arm.label, trial.train_set), []).append(states[key])
        for (arm, train_set), found in rows.items():
            done, failed = found.count("done"), found.count("failed")
            table.add_row(arm, train_set, *map(str, (len(found), done, failed, len(found) - done - failed)))
    print_table(table, wide)
    missing = sum(state != "done" for state in states.values())
    trials, cells = counted(len(plan.trials), "trial"), counted(len(plan.cells), "cell")
    say(f"{trials} for {cells} of the table, {missing:,} to train")
    if not all(len(data) for data in (plan.train_sets | plan.test_sets).values()):
        say("data that are not prepared yet count as new")


def _print_verdict(study: "Study", store: "Store") -> None:
    """Say what the study's results show so far, or exclude, on the protocols that ran."""
    from benchmark.report.sentences import study_verdict
    from benchmark.report.summary import baselines_of, summarise  # the report's packages take seconds to import

    cells = store.results(study.name)
    ran = cells["protocol"].isin([protocol.name for protocol in study.protocols])
    cells = cells[(cells["preset"] == study.preset) & ran]
    if cells["mae"].notna().any():
        table = summarise(cells, baselines_of(cells, study.definition), study.file.margin)
        say(study_verdict(table, study.file.margin))
        where = "" if store.url == DEFAULT_STORE else f" --store {store.shown}"
        say(f"bench report --study {study.name}{where} makes tables, figures and a page of it")
