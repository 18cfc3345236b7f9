"""The benchmark from Python: run studies, read their results, compare arms. The command line does the same.

    import benchmark as bench

    bench.run("gaussian_sigma", seeds=3)
    frame = bench.results("gaussian_sigma")
    bench.compare(frame, baseline="random")
    bench.predictions("gaussian_sigma", arm="random", seed=0)

PyTorch and pandas are imported when a function needs them.
"""

import inspect
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import benchmark.run  # noqa: F401, first, or its later import would replace the function of this name

if TYPE_CHECKING:
    import pandas as pd

    from benchmark.search.study_run import StudyRun
    from benchmark.store import Store

__all__ = ["compare", "predictions", "results", "run"]

DEFAULT_STORE = "sqlite:///results/bench.sqlite"

try:
    __version__ = version("mhpe-bench")
except PackageNotFoundError:  # a checkout that was not installed
    __version__ = "unknown"


def run(
    study: str | Path,
    *,
    seeds: int | None = None,
    preset: str | None = None,
    protocols: Sequence[str] = (),
    arms: Sequence[str] = (),
    samplers: Sequence[type[Any] | str | Path] = (),
    jobs: int | None = None,
    device: str = "auto",
    dask: str | None = None,
    data_root: str | Path | None = None,
    store: str | Path | None = None,
    retry_failed: bool = False,
) -> "StudyRun":
    """Train and evaluate what is missing of a study, store it, and return what was done.

    Progress is written to the standard error. A script that calls this needs ``if __name__ == "__main__":`` around its
    main part, because trials are trained in processes of their own.

    Args:
        study: name of a study, or path of a YAML file.
        seeds: paired seeds per arm instead of the study's.
        preset: name in :data:`benchmark.study.presets.PRESETS`; by default what fits the protocols.
        protocols: names of protocols to run instead of the study's.
        arms: the only arms to run, by label or sampler.
        samplers: Python files with samplers of your own that the study names, or classes that are defined in files.
        jobs: number of processes; by default one per processor core, or as a graphics card has room for.
        device: ``auto``, ``cpu`` or ``cuda``.
        dask: address of a Dask scheduler, to train on its cluster.
        data_root: folder that holds 300W_LP/, AFLW2000/ and BIWI/; by default what ``MHPE_DATA`` says.
        store: results store, an SQLAlchemy URL or the path of an SQLite file; by default what ``BENCH_STORE`` says, or
            results/bench.sqlite.
        retry_failed: whether trials that failed earlier are tried again.

    Raises:
        InputError: if an argument, a file or the data are wrong.
        KeyboardInterrupt: if it is interrupted; its text says what is stored, and the same call goes on from there.
    """
    from benchmark.cli.progress import RunReporter, data_progress
    from benchmark.cli.terminal import warn
    from benchmark.run.study_data import StudyData
    from benchmark.search.study_run import choose_workers, run_study
    from benchmark.store import Store
    from benchmark.study.study import load_study

    loaded = load_study(str(study), preset, _names(protocols), tuple(map(_file, samplers)), seeds)
    loaded.select(_names(arms))  # wrong names are refused before anything runs
    jobs, workers = choose_workers(jobs, device, dask)
    root = data_root or os.environ.get("MHPE_DATA")
    folder = Path(root) if root else None
    data = StudyData(loaded.synthheads, folder, jobs, data_progress, warn, loaded.file.search)
    return run_study(loaded, Store(_url(store)), data, workers, RunReporter, _names(arms), seeds, retry_failed)


def results(study: str | Path, *, store: str | Path | None = None) -> "pd.DataFrame":
    """The results of a study, one row per preset, protocol, arm and seed.

    Args:
        study: name of a study that was run, or path of its file.
        store: as in :func:`run`.

    Returns:
        Columns preset, protocol, arm, sampler, parameters, seed, trial (its key), test_set, status, train_set, seconds
        (of the training), weights (number of the network's), error_type and error_message of a failed trial, device,
        precision (number format) and train_images of the training, and in degrees yaw, pitch, roll, mae, left, down,
        front, maev, geodesic_mean, geodesic_median and aligned_mean; NaN where there is no result.

    Raises:
        InputError: if there is no such store, or no such study in it.
    """
    frame = _stored(study, store)[1].drop(columns="position")
    first = ["preset", "protocol", "arm", "sampler", "parameters", "seed"]
    return frame[first + [name for name in frame if name not in first]]


def compare(
    frame: "pd.DataFrame",
    baseline: str | Mapping[str, str] = "random",
    margin: float | None = None,
    metric: str = "mae",
) -> "pd.DataFrame":
    """Each arm against the baseline over paired seeds: difference, interval, p, verdict and probabilities.

    Args:
        frame: as :func:`results` gives it, or rows of it.
        baseline: label of the arm that all others are compared with, or by arm the one it is compared with.
        margin: differences below it do not matter, degrees; 0.1 by default.
        metric: column to compare, lower is better.

    Returns:
        One row per preset, protocol and compared arm. After preset and protocol the columns are those of
        :func:`benchmark.statistics.compare`; Holm's family is the arms of ``frame`` on one protocol.

    Raises:
        InputError: if no arm of ``frame`` is the baseline, there is no such column, or ``margin`` is negative.
    """
    import pandas as pd

    from benchmark.statistics import MARGIN, groups_of, seed_table
    from benchmark.statistics import compare as compare_arms
    from mhpe.errors import InputError
    from mhpe.validation import nearest

    arms = list(dict.fromkeys(frame["arm"]))
    wanted = [baseline] if isinstance(baseline, str) else list(baseline.values())
    for name, known in (*((name, arms) for name in wanted), (metric, list(frame))):
        if name not in known:
            raise InputError(f"compare: no {name!r} in the frame; {nearest(str(name), known)}")
    margin = MARGIN if margin is None else margin
    tables = {
        (preset, protocol): compare_arms(seed_table(rows, metric), baseline, margin)
        for preset, protocol, rows in groups_of(frame)
    }
    return pd.concat(tables, names=["preset", "protocol"]).reset_index(level=[0, 1]).reset_index(drop=True)


def predictions(study: str | Path, arm: str, seed: int, *, store: str | Path | None = None) -> "pd.DataFrame":
    """What one arm predicted with one seed, one row per preset, protocol and image of the test set.

    Args:
        study: name of a study that was run, or path of its file.
        arm: label of the arm.
        seed: the seed.
        store: as in :func:`run`.

    Returns:
        Columns preset, protocol, image (its name), person (a number); yaw, pitch and roll as predicted; label_yaw,
        label_pitch and label_roll; error_yaw, error_pitch and error_roll, absolute; mae, their mean; geodesic, the
        angle between the rotations. All angles in degrees.

    Raises:
        InputError: if there is no such study, arm or seed, or it has no predictions.
    """
    from benchmark.report.images import prediction_table
    from mhpe.errors import InputError
    from mhpe.validation import nearest

    opened, cells = _stored(study, store)
    if arm not in set(cells["arm"]):
        raise InputError(f"study {study} has no arm {arm!r}; {nearest(arm, list(dict.fromkeys(cells['arm'])))}")
    table = prediction_table(opened, cells[(cells["arm"] == arm) & (cells["seed"] == seed)])
    if table is None:
        raise InputError(f"study {study}: arm {arm!r} has no predictions with seed {seed} in store {opened.shown}")
    return table


def _names(names: Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _file(sampler: type[Any] | str | Path) -> Path:
    """The file of a sampler."""
    from mhpe.errors import InputError

    try:
        return Path(sampler if isinstance(sampler, str | Path) else inspect.getfile(sampler))
    except (OSError, TypeError):  # a class of a notebook, or no class at all
        advice = "in a notebook a cell that begins with %%writefile my_sampler.py writes one"
        raise InputError(f"samplers: {sampler!r} is in no file; name the .py file that defines it; {advice}") from None


def _url(store: str | Path | None) -> str:
    return str(store or os.environ.get("BENCH_STORE") or DEFAULT_STORE)


def _stored(study: str | Path, store: str | Path | None) -> "tuple[Store, pd.DataFrame]":
    """A store, and all cells of a study in it."""
    from benchmark.store import Store
    from benchmark.study.study_file import study_name

    name, opened = study_name(study), Store(_url(store), read_only=True)
    cells = opened.results(name)
    if cells.empty:
        raise opened.no_study(name)
    return opened, cells
