"""``bench plan``: what a study costs, and how many seeds it needs."""

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from benchmark.cli.options import Grid, grid_options
from benchmark.cli.progress import data_progress
from benchmark.cli.terminal import plain_table, print_table, say
from benchmark.study.names import counted
from mhpe.errors import InputError
from mhpe.names import PUBLISHED_IMAGES, SETS, TITLES, split_name

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from benchmark.store import Store
    from benchmark.study.arms import Arm
    from benchmark.study.study import Study
    from benchmark.study.trial import Trial
    from mhpe.data import HeadPoseSet

DIFFERENCES = (0.2, 0.1)  # differences of MAE, in degrees, that seeds are planned for
ASSUMED = (0.1, 0.2, 0.5, 1.0)  # standard deviations shown where there is no pilot, degrees


@click.command("plan")
@grid_options
def plan_verb(**options: Any) -> None:
    """Say what a study costs, and how many seeds it needs.

    Trainings and hours at this machine's speed (of stored trainings, or of a short probe), and from the pilot in the
    store: seeds for 0.2 and 0.1 degrees of MAE, and the smallest difference that the planned seeds find.

    \b
    bench plan --study gaussian_sigma
    bench plan --study conclusion --preset paper --protocol protocol_1 --seeds 9
    """
    from benchmark.report.text import protocol_title
    from benchmark.run.task import usable_device
    from benchmark.run.workers import process_count
    from benchmark.statistics.power import spreads
    from benchmark.store import Store

    grid = Grid(**options)
    studies = grid.studies()
    for study in studies:
        if study.searched:
            raise InputError(
                f"study {study.name}: bench plan does not support studies that search, which confirm what they find; "
                "bench run --dry-run shows their points"
            )
    device = usable_device(grid.device)
    jobs = process_count(grid.jobs, device)
    for study in studies:
        arms = study.select(grid.arm_names)
        seeds = grid.seeds or study.file.seeds
        store = Store(grid.store, read_only=True, or_empty=True)
        cells = store.results(study.name)
        cells = cells[(cells["preset"] == study.preset) & cells["arm"].isin([arm.label for arm in arms])]
        cells = _of_now(cells, study, store)
        missing = _print_trials(study, arms, seeds, cells, store, grid.data_root)
        if missing:
            _print_hours(study, missing, store, device, jobs, grid)
        _print_incomplete(study, grid.data_root)
        bare = []  # titles of protocols without a pilot, which share one table
        for protocol in study.protocols:
            of_protocol = cells[cells["protocol"] == protocol.name]
            if len(pilot := spreads(of_protocol, study.definition["baselines"])):
                say("")
                _print_seeds(study, arms, seeds, protocol_title(protocol.name), of_protocol, pilot)
            else:
                bare.append(protocol_title(protocol.name))
        if bare:
            say("")
            _print_seeds(study, arms, seeds, ", ".join(bare), cells.head(0), pilot.head(0))


def _of_now(cells: "pd.DataFrame", study: "Study", store: "Store") -> "pd.DataFrame":
    """The cells whose trials are those of the study as it is now."""
    from benchmark.study.grid import is_present

    present, identities = is_present(study), store.identities(cells["trial"])
    columns = cells[["protocol", "arm", "seed", "trial"]].itertuples(index=False, name=None)
    return cells.loc[[present(where, arm, seed, identities.get(trial, {})) for where, arm, seed, trial in columns]]


def _print_trials(
    study: "Study", arms: "tuple[Arm, ...]", seeds: int, cells: "pd.DataFrame", store: "Store", data_root: "Path | None"
) -> "list[Trial]":
    """Say how many trainings there are; returns those that are not in the store, of this study or of another one."""
    from benchmark.run.study_data import StudyData, grey_set
    from benchmark.study.grid import make_plan

    # Silent: _print_incomplete says what is missing of photographs, prepared or not.
    data = StudyData(study.synthheads, data_root, 1, data_progress, lambda _: None, study.file.search, prepare=False)

    def known(name: str, size: int) -> "HeadPoseSet":
        try:
            return data(name, size)
        except InputError:  # not here: then only the study's own cells tell what is done
            return grey_set(name, size, name)

    present = set(cells.loc[cells["mae"].notna(), ["protocol", "arm", "seed"]].itertuples(index=False, name=None))
    plan = make_plan(study, dict.fromkeys(study.protocols, arms), seeds, known)
    status = store.statuses(plan.trials)
    absent = dict.fromkeys(c.trial for c in plan.cells if (c.protocol, c.arm, c.seed) not in present)
    missing = [key for key in absent if status.get(key) != "done"]
    protocols, each = counted(len(study.protocols), "protocol"), counted(seeds, "paired seed")
    say(f"{study.name}, preset {study.preset}: {counted(len(arms), 'arm')}, {protocols}, {each}")
    trials, of_table = counted(len(plan.trials), "trial"), counted(len(plan.cells), "cell")
    say(f"{trials} for {of_table} of the table, {len(missing):,} to train")
    return [plan.trials[key] for key in missing]


def _print_hours(study: "Study", missing: "list[Trial]", store: "Store", device: str, jobs: int, grid: Grid) -> None:
    from benchmark.report.text import duration
    from benchmark.run.speed import probe_speed, stored_speed

    total, trials, probes = 0.0, 0, 0
    for (core, train_set), count in Counter((trial.arm.core, trial.train_set) for trial in missing).items():
        if stored := stored_speed(store, study.preset, core, train_set, device):
            seconds, trials = stored[0], trials + stored[1]
        else:
            seconds, probes = probe_speed(core, _images(train_set, study, grid.data_root), device), probes + 1
        total += seconds * count
    sources = [f"the median of {counted(trials, 'training')} on this host"] if trials else []
    if probes:
        sources.append(
            f"{counted(probes, 'short probe')} (some batches of grey images, one process alone; several at once are "
            "each slower)"
        )
    each = total / len(missing)
    say(
        f"Time: {duration(total / jobs)}: {len(missing):,} x {duration(each)}, {jobs} at a time; measured by "
        f"{' and '.join(sources)}"
    )


def _images(name: str, study: "Study", data_root: "Path | None") -> int:
    """Images of a training set, which need not be prepared or present."""
    from mhpe.datasets import REAL_SETS, check_root

    check_root(data_root)
    if name in SETS:
        return study.synthheads.count(name)
    if data_root is None or not (data_root / REAL_SETS[name].folder).is_dir():
        return PUBLISHED_IMAGES[name]
    return len(REAL_SETS[name].records(data_root))


def _print_incomplete(study: "Study", data_root: "Path | None") -> None:
    """Say what is missing of the study's photographs, as far as they are there."""
    from mhpe.datasets import REAL_SETS

    used = {split_name(name)[0] for protocol in study.protocols for name in (protocol.train, protocol.test)}
    for name in sorted(used & REAL_SETS.keys()):
        if data_root is not None and (data_root / REAL_SETS[name].folder).is_dir():
            for what in REAL_SETS[name].missing(data_root):
                say(f"{TITLES[name]}: {what}; the study runs on what is there")


def _print_seeds(
    study: "Study", arms: "tuple[Arm, ...]", seeds: int, title: str, cells: "pd.DataFrame", found: "pd.DataFrame"
) -> None:
    from benchmark.report.secondary import FOUND, price
    from benchmark.report.text import duration
    from benchmark.statistics.power import pooled, seeds_needed, smallest_detectable

    baselines = study.definition["baselines"]
    if all(arm.label == baselines[arm.label] for arm in arms):
        say(f"{title}: no arm beside the baseline {study.file.baseline}")
        return
    family = sum(arm != own for arm, own in baselines.items())  # chosen or not
    of_family = f"Holm over {family}" if family > 1 else "one comparison"
    if len(found):
        sd, low, high = pooled(found)
        say(
            f"{title}: pilot with a common sd of the paired differences of {sd:.2f}° "
            f"(95 % interval {low:.2f}° to {high:.2f}°)"
        )
        for row in price(cells, baselines).to_dict("records"):
            say(
                f"{title}: a verdict on {FOUND:g}° costs {row['core_hours']:.2g} core-hours: {row['seeds']:,} seeds of "
                f"an arm and of its baseline, {duration(row['seconds'])} a training (one comparison, 80 % power)"
            )
        rows = [(f"{arm}, n = {pairs}", sd_of_arm, family) for arm, pairs, sd_of_arm in found.itertuples()]
        rows += [(f"common sd, {of_family}", sd, family), ("common sd, one comparison", sd, 1)][: 1 + (family > 1)]
    else:
        say(
            f"{title}: no pilot. No arm of this study shares two seeds with its baseline yet, so the sd of the "
            "paired differences is not known. For some that it might have:"
        )
        rows = [(f"assumed, {of_family}", sd, family) for sd in ASSUMED]
    first, *others = (f"for {difference:g}°" for difference in DIFFERENCES)
    headings = ["80 % power, 5 % level", "sd", f"seeds {first}", *others, f"detectable, n = {seeds:,}"]
    table = plain_table(*headings, numbers_from=1)
    table.columns[0].no_wrap = False
    for name, sd, comparisons in rows:
        needed = [seeds_needed(sd, difference, comparisons) for difference in DIFFERENCES]
        smallest = smallest_detectable(sd, seeds, comparisons)
        detectable = "nothing" if math.isinf(smallest) else f"{smallest:.2f}°"
        table.add_row(name, f"{sd:.2f}°", *(f"{count:,}" for count in needed), detectable)
    print_table(table)
