"""Options that several verbs share, with the same words everywhere."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from benchmark import DEFAULT_STORE
from benchmark.run import MOST_JOBS
from benchmark.study.presets import PRESETS
from benchmark.study.study_file import MOST_SEEDS
from benchmark.study.yaml_file import read_yaml
from mhpe.errors import InputError

if TYPE_CHECKING:
    from benchmark.study.study import Study

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
    default=DEFAULT_STORE,
    show_default=True,
    metavar="URL",
    help="Results store, an SQLAlchemy URL (or set BENCH_STORE).",
)
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1, MOST_JOBS),
    metavar="N",
    help="Number of processes.  [default: one per processor core; with cuda, up to 8 per card]",
)
preset_option = click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    help="Size of a training.  [default: tiny on rendered data, standard on photographs]",
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
wide_option = click.option("--wide", is_flag=True, help="All columns, however wide the table gets.")


def out_option(default: str, what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--out``, the folder for what a verb writes."""
    path = click.Path(path_type=Path)
    return click.option(
        "--out", "folder", type=path, default=Path(default), show_default=True, metavar="DIR", help=what
    )


@dataclass(frozen=True)
class Grid:
    """What the options say that name studies, what of them is meant, and where it is trained and stored."""

    study_names: tuple[str, ...]
    preset: str | None
    protocol_names: tuple[str, ...]
    arm_names: tuple[str, ...]
    seeds: int | None
    jobs: int | None
    device: str
    data_root: Path | None
    store: str
    sampler_files: tuple[Path, ...]

    def studies(self) -> "list[Study]":
        """The studies, each once; a data root is refused if all of their data are rendered."""
        from benchmark.study.study import load_study

        studies = [
            load_study(name, self.preset, self.protocol_names, self.sampler_files, self.seeds)
            for name in dict.fromkeys(self.study_names)
        ]
        if all(all(protocol.synthetic) for study in studies for protocol in study.protocols):
            refuse_without("a protocol with a real data set; these are rendered", ("data_root",))
        return studies


def grid_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Options that are the fields of a :class:`Grid`."""
    study = click.option(
        "--study", "study_names", required=True, multiple=True, metavar="NAME",
        help="Name of a study, or a .yaml file; repeatable.",
    )  # fmt: skip
    protocols = click.option(
        "--protocol", "protocol_names", multiple=True, metavar="NAME",
        help="Instead of the study's protocols; repeatable.",
    )  # fmt: skip
    arms = click.option(
        "--arm", "arm_names", multiple=True, metavar="NAME", help="Only these arms, by label or sampler; repeatable."
    )
    seeds = click.option(
        "--seeds", type=click.IntRange(1, MOST_SEEDS), metavar="N", help="Paired seeds per arm instead of the study's."
    )
    device = click.option(
        "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True,
        help="Where to train.",
    )  # fmt: skip
    options = study, preset_option, protocols, arms, seeds, jobs_option, device, data_root_option, store_option
    decorated = sampler_files_option(verb)
    for option in reversed(options):
        decorated = option(decorated)
    return decorated


def refuse_without(needed: str, names: Iterable[str]) -> None:
    """Refuse given options, by names of their parameters, that do nothing without another one."""
    context = click.get_current_context()
    for parameter in context.command.params:
        if parameter.name in names and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            raise InputError(f"{parameter.opts[0]} does nothing without {needed}")


def parameters(settings: Iterable[str]) -> dict[str, Any]:
    """Parameters from ``--set KEY=VALUE``, values as YAML reads them."""
    values = {}
    for setting in settings:
        key, sign, value = setting.partition("=")
        if not (key and sign):
            raise InputError(f"--set {setting}: KEY=VALUE is wanted, for example sigma=30")
        values[key] = read_yaml(value, f"--set {key}")
    return values
