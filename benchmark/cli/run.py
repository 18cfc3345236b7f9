"""``bench run``: train and evaluate what a study lacks."""

from pathlib import Path

import click
from joblib.externals.loky import get_reusable_executor

from benchmark.cli.options import (
    data_root_option,
    grid_options,
    process_count,
    sampler_files_option,
    store_option,
    usable_device,
)
from benchmark.cli.progress import RunReporter
from benchmark.cli.search import SearchPart, refuse
from benchmark.cli.study_data import StudyData
from benchmark.cli.terminal import interrupted_by_sigterm, plain_table, print_table
from benchmark.run.dask import DaskWorkers
from benchmark.run.runner import Interrupted, Totals, run
from benchmark.run.workers import LocalWorkers, Workers
from benchmark.store import Store
from benchmark.store.search_store import SearchStore
from benchmark.study.arms import select
from benchmark.study.grid import Plan, is_present, make_plan
from benchmark.study.study import load_study


@click.command("run")
@grid_options
@click.option("--dask", metavar="ADDRESS", help="Train on a Dask cluster instead, such as tcp://scheduler:8786.")
@data_root_option
@store_option
@sampler_files_option
@click.option("--retry-failed", is_flag=True, help="Try trials again that failed earlier.")
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@interrupted_by_sigterm()
def run_verb(
    study_name: str,
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
) -> int:
    """Train and evaluate what a study lacks, and store it.

    \b
    bench run --study gaussian_sigma
    bench run --study gaussian_sigma --protocol aflw2000_to_biwi --data-root ~/data
    bench run --study my_study.yaml --sampler-file my_sampler.py --seeds 5
    bench run --study gaussian_sigma --dask tcp://scheduler:8786 --store postgresql://user@host/results
    """
    study = load_study(study_name, preset, protocol_names, sampler_files)
    if study.searched:
        refuse(arm_names, dask)
    arms = select(study.arms, arm_names, f"study {study.name}")
    place = usable_device(device) if dask is None else "cpu"  # a cluster's workers find out for themselves
    jobs = process_count(jobs, place)
    data = StudyData(study.synthheads, data_root, jobs, study.file.search)
    results = SearchStore(store, read_only=dry_run, or_empty=dry_run)
    search = SearchPart(study, data, results, seeds) if study.searched else None
    if search is not None and dry_run:
        search.show()
    elif search is not None:
        try:
            search.run(jobs, place, retry_failed)
        except Interrupted:
            click.echo(f"bench: interrupted: {search.interrupted()}; the same command goes on from there", err=True)
            return 130
    plan = search.plan() if search else make_plan(study, arms, seeds or study.file.seeds, data)
    if dry_run:
        _print_plan(plan, results)
        return 0
    get_reusable_executor(reuse=True).shutdown()  # the processes that prepared data, which joblib keeps
    workers: Workers = LocalWorkers(jobs, place) if dask is None else DaskWorkers(dask, plan.data_folders, device)
    for test_set in plan.test_sets.values():
        results.add_test_set(test_set)
    left = results.plan(study.name, study.definition, plan.cells, plan.trials.values(), is_present(study, plan))
    if left:
        click.echo(
            f"{study.name}: {left} cells of an earlier version of the study left its tables; their trials stay stored"
        )
    try:
        with RunReporter(study.name, jobs) as reporter:
            totals = run(plan, results, workers, reporter, retry_failed)
    except Interrupted as interrupted:
        done = f"{interrupted.stored} of {len(plan.trials)} trials are stored in {results.shown}"
        click.echo(f"bench: interrupted: {done}; the same command goes on from there", err=True)
        return 130
    _print_totals(plan, totals, results)
    return 1 if totals.failed or (search and search.failed) else 0


def _print_plan(plan: Plan, store: Store) -> None:
    statuses = store.statuses(plan.trials)
    title = f"{plan.study.name}, preset {plan.study.preset}"
    table = plain_table("trial", "arm", "trained on", "seed", "tested on", "state", title=title)
    for key, trial in plan.trials.items():
        tests = ", ".join(test.name for test in plan.tests[key])
        table.add_row(key[:8], trial.arm.label, trial.train_set, str(trial.seed), tests, statuses.get(key, "missing"))
    print_table(table)
    missing = sum(statuses.get(key) != "done" for key in plan.trials)
    click.echo(f"{len(plan.trials)} trials for {len(plan.cells)} cells of the table, {missing} to train")


def _print_totals(plan: Plan, totals: Totals, store: Store) -> None:
    parts = [f"{totals.trained} trained", f"{totals.done} there before"]
    if totals.elsewhere:
        parts.append(f"{totals.elsewhere} done by other processes")
    if totals.evaluated:
        parts.append(f"{totals.evaluated} evaluated")
    if totals.failed:
        parts.append(f"{len(totals.failed)} failed")
    click.echo(f"{plan.study.name}: {len(plan.trials)} trials: {', '.join(parts)}; stored in {store.shown}")
    for name, error in totals.failed.items():
        click.echo(f"bench: failed: {name}: {error}", err=True)
    if totals.failed:
        click.echo("bench: --retry-failed tries failed trials again", err=True)
