"""Options that several verbs share, with the same words everywhere."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from benchmark.presets import PRESETS
from benchmark.yaml_text import read_yaml
from mhpe.errors import InputError

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
preset_option = click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    help="Size of a training.  [default: quick on rendered data, standard with real ones]",
)
sampler_files_option = click.option(
    "--sampler-file",
    "sampler_files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Python file with samplers of your own; repeatable.",
)
set_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Parameter of the sampler; repeatable."
)


def parameters(settings: Iterable[str]) -> dict[str, Any]:
    """Parameters from ``--set KEY=VALUE``, values as YAML reads them.

    Raises:
        InputError: if one is not of this form.
    """
    values = {}
    for setting in settings:
        key, sign, value = setting.partition("=")
        if not (key and sign):
            raise InputError(f"--set {setting}: KEY=VALUE is wanted, for example sigma=30")
        values[key] = read_yaml(value, f"--set {key}")
    return values
