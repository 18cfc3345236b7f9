"""``bench run``: train and evaluate what a study lacks."""

from pathlib import Path

import click
import joblib
import torch

from benchmark.cli.options import data_root_option, jobs_option, store_option
from benchmark.cli.progress import RunReporter, data_progress
from benchmark.cli.terminal import out, plain_table
from benchmark.planning import Plan, make_plan
from benchmark.protocols import protocol
from benchmark.runner import Totals, run
from benchmark.store import Store
from benchmark.study import load_study, select
from mhpe.config import PRESETS
from mhpe.data import HeadPoseSet, prepared, source
from mhpe.errors import InputError


@click.command("run")
@click.option("--study", "study_name", required=True, metavar="NAME", help="Name of a study, or a .yaml file.")
@click.option(
    "--preset", type=click.Choice(list(PRESETS)), default="standard", show_default=True, help="Size of a training."
)
@click.option(
    "--protocol", "protocol_names", multiple=True, metavar="NAME", help="Instead of the study's protocols; repeatable."
)
@click.option(
    "--arm", "arm_names", multiple=True, metavar="NAME", help="Only these arms, by label or sampler; repeatable."
)
@click.option("--seeds", type=click.IntRange(1), metavar="N", help="Paired seeds per arm instead of the study's.")
@jobs_option
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True, help="Where to train."
)
@data_root_option
@store_option
@click.option(
    "--sampler-file",
    "sampler_files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Python file with samplers of your own; repeatable.",
)
@click.option("--retry-failed", is_flag=True, help="Try trials again that failed earlier.")
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
def run_verb(
    study_name: str,
    preset: str,
    protocol_names: tuple[str, ...],
    arm_names: tuple[str, ...],
    seeds: int | None,
    jobs: int | None,
    device: str,
    data_root: Path | None,
    store: str,
    sampler_files: tuple[Path, ...],
    retry_failed: bool,
    dry_run: bool,
) -> int:
    """Train and evaluate what a study lacks, and store it.

    \b
    bench run --study gaussian_sigma --protocol aflw2000_to_biwi --data-root ~/data
    bench run --study my_study.yaml --sampler-file my_sampler.py --seeds 5
    """
    study = load_study(study_name, preset, sampler_files)
    arms = select(study, arm_names)
    protocols = [protocol(name) for name in protocol_names or study.file.protocols]
    device = _device(device)
    jobs = jobs or (joblib.cpu_count() if device == "cpu" else torch.cuda.device_count())
    sets: dict[tuple[str, int], HeadPoseSet] = {}

    def data(name: str, size: int) -> HeadPoseSet:
        if (name, size) not in sets:
            with data_progress(source(name).title) as progress:
                sets[name, size] = prepared(name, size, data_root, jobs, progress)
            _report_unreadable(sets[name, size])
        return sets[name, size]

    plan = make_plan(study, arms, protocols, seeds or study.file.seeds, preset, data)
    results = Store(store)
    if dry_run:
        _print_plan(plan, results)
        return 0
    for test_set in plan.test_sets.values():
        results.add_test_set(test_set)
    results.plan(study.name, study.file.model_dump(mode="json"), plan.cells, plan.trials.values())
    with RunReporter(study.name, jobs) as reporter:
        totals = run(plan, results, jobs, device, reporter, retry_failed)
    _print_totals(plan, totals, results)
    return 1 if totals.failed else 0


def _device(wanted: str) -> str:
    if wanted == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: PyTorch finds no CUDA device here; cpu or auto would work")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def _report_unreadable(data: HeadPoseSet) -> None:
    problems = data.meta.get("unreadable", [])
    for problem in problems[:5]:
        click.echo(f"bench: left out: {problem}", err=True)
    if problems:
        click.echo(f"bench: {data.name}: {len(problems)} unreadable image(s) left out, {len(data)} used", err=True)


def _print_plan(plan: Plan, store: Store) -> None:
    statuses = store.statuses(plan.trials)
    title = f"{plan.study.name}, preset {plan.preset}"
    table = plain_table("trial", "arm", "trained on", "seed", "tested on", "state", title=title)
    for key, trial in plan.trials.items():
        tests = ", ".join(test.name for test in plan.tests[key])
        table.add_row(key[:8], trial.arm.label, trial.train_set, str(trial.seed), tests, statuses.get(key, "missing"))
    out.print(table)
    missing = sum(statuses.get(key) != "done" for key in plan.trials)
    click.echo(f"{len(plan.trials)} trials for {len(plan.cells)} cells of the table, {missing} to train")


def _print_totals(plan: Plan, totals: Totals, store: Store) -> None:
    parts = [f"{totals.trained} trained", f"{totals.done} there before"]
    if totals.evaluated:
        parts.append(f"{totals.evaluated} evaluated")
    if totals.failed:
        parts.append(f"{len(totals.failed)} failed")
    click.echo(f"{plan.study.name}: {len(plan.trials)} trials: {', '.join(parts)}; stored in {store.shown}")
    for name, error in totals.failed.items():
        click.echo(f"bench: failed: {name}: {error}", err=True)
