"""Studies: a named set of arms in a YAML file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

import benchmark
from benchmark.study.arms import Arm, merge, write_out
from benchmark.study.names import check_label, check_name
from benchmark.study.presets import PRESETS, default_preset
from benchmark.study.protocols import Protocol, protocol
from benchmark.study.search_space import SearchConfig, SearchedSampler, read_searched
from benchmark.study.yaml_file import read_yaml
from mhpe.config import CoreConfig
from mhpe.errors import InputError
from mhpe.synthheads.sets import SynthConfig
from mhpe.validation import Section, nearest, parse, short
from samplers.support.registry import Registry

MOST_SEEDS = 10_000
"""Paired seeds of an arm: 0.01 degrees of difference need fewer."""
MOST_CELLS = 1_000_000
"""Arms x protocols x seeds: a plan is held in memory."""


class StudyFile(Section):
    """A study as its YAML file states it.

    Attributes:
        title: heading of its tables.
        question: what it asks, in a sentence.
        baseline: label of the arm that others are compared with.
        margin: degrees of MAE within which arms count as equivalent.
        confirmatory: whether the study was planned, before any of its data were seen, to confirm something; all others
            are exploratory.
        protocols: run when the command line names none.
        seeds: paired seeds per arm when the command line does not say.
        core: changes of the core for all arms.
        synthheads: changes of the sizes and the seed of SynthHeads.
        sampler_files: Python files with samplers, relative to the YAML file.
        arms: each a ``sampler`` with its parameters; a list of values makes a grid. ``label`` names the
            arm in tables (parameters in braces are filled in), ``core`` changes the core for this arm,
            ``baseline`` names another arm to compare it with (filled in likewise), and ``seed_offset`` is
            added to its seeds, so that the same arm can be trained with others.
        search: a search of parameters, whose best points run again beside the arms; ``seeds`` is then not used.
    """

    title: str
    question: str
    baseline: str
    margin: float = Field(0.1, ge=0, le=180)  # benchmark.statistics.MARGIN says why
    confirmatory: bool = False
    protocols: tuple[str, ...] = Field(("synth_1", "synth_2"), min_length=1)
    seeds: int = Field(2, ge=1, le=MOST_SEEDS)
    core: dict[str, Any] = Field(default_factory=dict)
    synthheads: dict[str, Any] = Field(default_factory=dict)
    sampler_files: tuple[str, ...] = Field((), serialization_alias="samplers")  # the name in stores
    arms: tuple[dict[str, Any], ...] = Field(min_length=1)
    search: SearchConfig | None = None


@dataclass(frozen=True)
class Study:
    """A study with its grids written out.

    Attributes:
        name: the file's name without suffix.
        file: what the file says.
        protocols: to run.
        preset: name of the preset.
        synthheads: sizes and seed of SynthHeads.
        arms: in the file's order.
        searched: the samplers whose parameters are searched; none for most studies.
    """

    name: str
    file: StudyFile
    protocols: tuple[Protocol, ...]
    preset: str
    synthheads: SynthConfig
    arms: tuple[Arm, ...]
    searched: tuple[SearchedSampler, ...] = ()

    @property
    def definition(self) -> dict[str, Any]:
        """What the store keeps: the file's keys, and ``baselines``, the label each arm's label is compared with."""
        baselines = {arm.label: arm.baseline or self.file.baseline for arm in self.arms}
        return self.file.model_dump(mode="json", by_alias=True) | {"baselines": baselines}


def _studies_folder() -> Path:
    """The folder of the shipped studies: in the installed package, or beside it in a checkout."""
    package = Path(benchmark.__file__).parent
    installed = package / "studies"
    return installed if installed.is_dir() else package.parent / "studies"


def study_names() -> list[str]:
    """Names of the studies that come with the suite."""
    return sorted(path.stem for path in _studies_folder().glob("*.yaml"))


def study_text(name_or_file: str) -> tuple[str, str, str]:
    """Name, place for messages, and text of a study.

    Raises:
        InputError: if there is no such study or file.
    """
    path = Path(name_or_file)
    if path.suffix in (".yaml", ".yml"):
        try:
            return path.stem, str(path), path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise InputError(f"{path}: this study file is not text in UTF-8; save it in that encoding") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"{path}: cannot read this study file: {reason}") from None
    if name_or_file not in study_names():
        raise InputError(
            f"no study {short(name_or_file)}; {nearest(name_or_file, study_names())} (or name a .yaml file)"
        )
    file = f"{name_or_file}.yaml"
    return name_or_file, f"studies/{file}", (_studies_folder() / file).read_text(encoding="utf-8")


def load_study(
    name_or_file: str,
    preset: str | None = None,
    protocols: tuple[str, ...] = (),
    sampler_files: tuple[Path, ...] = (),
    seeds: int | None = None,
) -> Study:
    """Read and check a study.

    Args:
        name_or_file: name of a shipped study, or path of a YAML file.
        preset: name of the preset; by default what fits the protocols.
        protocols: names of the protocols instead of the file's.
        sampler_files: sampler files named on the command line.
        seeds: paired seeds instead of the file's; only their number is checked here.

    Raises:
        InputError: for an unknown study, preset, protocol, arm, sampler or key, or a wrong value.
    """
    name, where, text = study_text(name_or_file)
    content = read_yaml(text, where)
    if not isinstance(content, dict):
        raise InputError(f"{where}: a study is a mapping with title, question, baseline and arms")
    file = parse(StudyFile, content, where)
    check_name(name, f"{where}: the study's name, which is the file's,")
    for key, value in (("title", file.title), ("question", file.question)):
        check_label(value, f"{where}: {key}")
    names = protocols or file.protocols
    if twice := [name for i, name in enumerate(names) if name in names[:i]]:
        raise InputError(f"{where}: protocol {twice[0]!r} is named twice")
    run_on = tuple(protocol(name) for name in names)
    preset = preset or default_preset(run_on)
    if preset not in PRESETS:
        raise InputError(f"no preset {preset!r}; {nearest(preset, list(PRESETS))}")
    own_files = tuple((Path(name_or_file).parent / path) for path in file.sampler_files)
    for path in own_files:
        if not path.is_file():
            raise InputError(f"{where}: sampler_files: no file {path}")
    registry = Registry((*own_files, *sampler_files))
    core = merge(PRESETS[preset].core, file.core)
    synthheads = parse(SynthConfig, merge(PRESETS[preset].synthheads, file.synthheads), f"{where}: synthheads")
    arms = tuple(
        arm for i, entry in enumerate(file.arms) for arm in write_out(entry, core, registry, f"{where}: arms[{i}]")
    )
    cells = len(arms) * len(run_on) * (seeds or file.seeds)
    if cells > MOST_CELLS:
        raise InputError(f"{where}: arms x protocols x seeds are {cells} cells; at most {MOST_CELLS} can be planned")
    labels = [arm.label for arm in arms]
    for label in labels:
        if labels.count(label) > 1:
            raise InputError(f"{where}: two arms are called {label!r}; give them different labels")
    for baseline in (file.baseline, *(arm.baseline for arm in arms if arm.baseline is not None)):
        if baseline not in labels:
            raise InputError(f"{where}: baseline {baseline!r} is no arm; {nearest(baseline, labels)}")
    searched: tuple[SearchedSampler, ...] = ()
    if (search := file.search) is not None:
        config = parse(CoreConfig, core, f"{where}: core")
        searched = tuple(
            read_searched(sampler, entries, config, search, registry, f"{where}: search")
            for sampler, entries in search.samplers.items()
        )
    cores = [arm.core for arm in arms] + [sampler.core for sampler in searched]
    rendered = [protocol.name for protocol in run_on if any(protocol.synthetic)]
    if rendered and any(core.init == "synthheads" for core in cores):
        raise InputError(
            f"{where}: init: synthheads starts from a network trained on SynthHeads, and protocol {rendered[0]} has "
            "SynthHeads; choose one of photographs, such as aflw2000_validation"
        )
    return Study(name, file, run_on, preset, synthheads, arms, searched)
