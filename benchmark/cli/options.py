"""Options that several verbs share, with the same words everywhere."""

from pathlib import Path

import click

data_root_option = click.option(
    "--data-root",
    envvar="MHPE_DATA",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder that holds 300W_LP/, AFLW2000/ and BIWI/ (or set MHPE_DATA).",
)
store_option = click.option(
    "--store",
    envvar="BENCH_STORE",
    default="sqlite:///results/bench.sqlite",
    show_default=True,
    metavar="URL",
    help="Results store, an SQLAlchemy URL (or set BENCH_STORE).",
)
jobs_option = click.option(
    "--jobs", type=click.IntRange(1), metavar="N", help="Number of processes.  [default: one per processor core]"
)
