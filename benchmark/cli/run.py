"""``bench run``: train and evaluate what is missing of a study."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.cli.options import (
    data_root_option,
    existing_store,
    grid_options,
    process_count,
    refuse_useless_data_root,
    refuse_without,
    sampler_files_option,
    store_option,
    usable_device,
    wide_option,
)
from benchmark.cli.terminal import interrupted_by_sigterm, plain_table, print_table, say, warn

if TYPE_CHECKING:
    from benchmark.run.runner import Totals
    from benchmark.run.workers import Workers
    from benchmark.store import Store
    from benchmark.study.grid import Plan
    from benchmark.study.study import Study


INTERRUPTED = 130
"""Exit status."""


@click.command("run")
@grid_options
@click.option("--dask", metavar="ADDRESS", help="Train on a Dask cluster instead, such as tcp://scheduler:8786.")
@data_root_option
@store_option
@sampler_files_option
@click.option("--retry-failed", is_flag=True, help="Try trials again that failed earlier.")
@click.option("--dry-run", is_flag=True, help="Check everything, print the plan, and write nothing.")
@wide_option
@interrupted_by_sigterm()
def run_verb(
    study_names: tuple[str, ...],
    preset: str | None,
    protocol_names: tuple[str, ...],
    arm_names: tuple[str, ...],
    seeds: int | None,
    jobs: int | None,
    device: str,
    dask: str | None,
    data_root: Path | None,
    store: str,
    sampler_files: tuple[Path, ...],
    retry_failed: bool,
    dry_run: bool,
    wide: bool,
) -> int:
    """Train and evaluate what is missing of a study, and store it.

    \b
    bench run --study gaussian_sigma
    bench run --study gaussian_sigma --protocol aflw2000_to_biwi --data-root ~/data
    bench run --study my_study.yaml --sampler-file my_sampler.py --seeds 5
    bench run --study gaussian_sigma --dask tcp://scheduler:8786 --store postgresql://user@host/results
    """
    from benchmark.cli.search import refuse
    from benchmark.study.arms import select
    from benchmark.study.study import load_study

    names = dict.fromkeys(study_names)
    studies = [load_study(name, preset, protocol_names, sampler_files, seeds) for name in names]
    for study in studies:
        if study.searched:
            refuse(study, arm_names, dask)
        select(study.arms, arm_names, f"study {study.name}")
    refuse_useless_data_root(studies)
    if not dry_run:
        refuse_without("--dry-run", ("wide",))
    place = usable_device(device) if dask is None else "cpu"  # a cluster's workers find out for themselves
    jobs = process_count(jobs, place)
    status = 0
    for study in studies:
        if dry_run:
            _dry_run(study, arm_names, seeds, data_root, store, wide)
        else:
            ended = _run(study, arm_names, seeds, jobs, device, place, dask, data_root, store, retry_failed)
            if ended == INTERRUPTED:
                return ended
            status = max(status, ended)
    return status


def _run(
    study: "Study",
    arm_names: tuple[str, ...],
    seeds: int | None,
    jobs: int,
    device: str,
    place: str,
    dask: str | None,
    data_root: Path | None,
    store: str,
    retry_failed: bool,
) -> int:
    """Run one study; returns the exit status."""
    from joblib.externals.loky import get_reusable_executor

    from benchmark.cli.progress import RunReporter
    from benchmark.cli.search import SearchPart
    from benchmark.cli.study_data import StudyData
    from benchmark.run.dask import DaskWorkers
    from benchmark.run.runner import Interrupted, run
    from benchmark.run.workers import LocalWorkers
    from benchmark.store import Store
    from benchmark.study.arms import select
    from benchmark.study.grid import is_present, make_plan

    data = StudyData(study.synthheads, data_root, jobs, study.file.search)
    results = Store(store)
    search = SearchPart(study, data, results, seeds) if study.searched else None

    def workers(planned: "Plan") -> "Workers":
        get_reusable_executor(reuse=True).shutdown()  # the processes that prepared data, which joblib keeps
        return LocalWorkers(jobs, place) if dask is None else DaskWorkers(dask, planned.data_folders, device)

    failed_points = False
    if search is not None:
        try:
            failed_points = search.run(workers, jobs, retry_failed)
        except Interrupted:
            warn(f"interrupted: {search.progress()}; the same command goes on from there")
            return INTERRUPTED
    arms = select(study.arms, arm_names, f"study {study.name}")
    plan = search.plan() if search else make_plan(study, arms, seeds or study.file.seeds, data)
    for test_set in plan.test_sets.values():
        results.add_test_set(test_set)
    left = results.plan(study.name, study.definition, plan.cells, plan.trials.values(), is_present(study, plan))
    if left:
        say(f"{study.name}: {left} cells are no longer part of the study; their results are kept but not reported")
    try:
        with RunReporter(study.name, jobs) as reporter:
            totals = run(plan, results, workers(plan), reporter, retry_failed)
    except Interrupted as interrupted:
        done = f"{interrupted.stored} of {len(plan.trials)} trials are stored in {results.shown}"
        warn(f"interrupted: {done}; the same command goes on from there")
        return INTERRUPTED
    _print_totals(plan, totals, results)
    _print_verdict(study, results)
    return 1 if totals.failed or failed_points else 0


def _dry_run(
    study: "Study",
    arm_names: tuple[str, ...],
    seeds: int | None,
    data_root: Path | None,
    store: str,
    wide: bool,
) -> None:
    """Print what a run would do, from what is stored and prepared; nothing is made or changed."""
    from benchmark.cli.search import show
    from benchmark.cli.study_data import StudyData
    from benchmark.study.arms import select
    from benchmark.study.grid import make_plan

    data = StudyData(study.synthheads, data_root, 1, study.file.search, prepare=False)
    title = f"{study.name}, preset {study.preset}"
    results = existing_store(store, or_empty=True)
    if study.searched:
        show(study, results, title, wide)
    arms = select(study.arms, arm_names, f"study {study.name}")
    count = seeds or (study.file.search.confirm.seeds if study.file.search else study.file.seeds)
    _print_plan(make_plan(study, arms, count, data), results, title, wide)


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
    say(f"{len(plan.trials)} trials for {len(plan.cells)} cells of the table, {missing} to train")
    if not all(len(data) for data in (plan.train_sets | plan.test_sets).values()):
        say("data that are not prepared yet count as new")


def _print_totals(plan: "Plan", totals: "Totals", store: "Store") -> None:
    parts = [f"{totals.trained} trained", f"{totals.done} reused"]
    if totals.elsewhere:
        parts.append(f"{totals.elsewhere} done by other processes")
    if totals.evaluated:
        parts.append(f"{totals.evaluated} evaluated")
    if totals.failed:
        parts.append(f"{len(totals.failed)} failed")
    say(f"{plan.study.name}: {len(plan.trials)} trials: {', '.join(parts)}; stored in {store.shown}")
    for name, error in totals.failed.items():
        warn(f"failed: {name}: {error}")
    if totals.failed:
        warn("--retry-failed tries failed trials again")


def _print_verdict(study: "Study", store: "Store") -> None:
    """Say what the study's results show so far, or exclude, on the protocols that ran."""
    from benchmark.report.summary import baselines_of, summarise  # the report's packages take seconds to import
    from benchmark.report.verdicts import study_verdict

    cells = store.results(study.name)
    ran = cells["protocol"].isin([protocol.name for protocol in study.protocols])
    cells = cells[(cells["preset"] == study.preset) & ran]
    if cells["mae"].notna().any():
        table = summarise(cells, baselines_of(cells, study.definition), study.file.margin)
        say(study_verdict(table, study.file.margin))
        say(f"bench report --study {study.name} makes tables, figures and a page of it")
