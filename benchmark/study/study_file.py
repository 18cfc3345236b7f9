"""A study as its YAML file states it; reading it loads no samplers and no PyTorch."""

from pathlib import Path
from typing import Any

from pydantic import Field

from benchmark.study.names import check_label, check_name
from benchmark.study.search_space import SearchConfig
from benchmark.study.yaml_file import read_yaml
from mhpe.errors import InputError
from mhpe.validation import Section, nearest, parse, read_text, short

PACKAGE = Path(__file__).parents[1]
STUDIES = PACKAGE / "studies" if (PACKAGE / "studies").is_dir() else PACKAGE.parent / "studies"
"""The shipped studies: in the installed package, or beside it in a checkout."""
MOST_SEEDS = 10_000  # paired seeds of an arm: 0.01 degrees of difference need fewer


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
        core: changes of the core for all arms. ``like: slides`` or ``like: default`` among them puts a named core
            (:data:`mhpe.config.CORES`) under the others.
        synthheads: changes of the sizes and the seed of SynthHeads.
        sampler_files: Python files with samplers, relative to the YAML file.
        arms: each a ``sampler`` with its parameters; a list of values makes a grid. ``label`` names the
            arm in tables (parameters in braces are filled in), ``core`` changes the core for this arm,
            ``baseline`` names another arm to compare it with (filled in the same way), and ``seed_offset`` is
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


def study_names() -> list[str]:
    """Names of the studies that come with the suite."""
    return sorted(path.stem for path in STUDIES.glob("*.yaml"))


def study_name(name_or_file: str | Path) -> str:
    """The name of a study that is named or given by its YAML file."""
    path = Path(name_or_file)
    return path.stem if path.suffix in (".yaml", ".yml") else str(name_or_file)


def study_text(name_or_file: str) -> tuple[str, str, str]:
    """Name, place for messages, and text of a study; an InputError if there is no such study or file."""
    name, path = study_name(name_or_file), Path(name_or_file)
    if name != name_or_file:
        return name, str(path), read_text(path, "study file")
    if name_or_file not in study_names():
        file = f"{name_or_file}.yaml"
        known = f"did you mean {file}?" if Path(file).is_file() else nearest(name_or_file, study_names())
        raise InputError(f"no study {short(name_or_file)}; {known} (or name a .yaml file)")
    file = f"{name_or_file}.yaml"
    return name_or_file, f"studies/{file}", (STUDIES / file).read_text(encoding="utf-8")


def read_study(name_or_file: str) -> tuple[str, str, StudyFile]:
    """Name, place for messages, and content of a study; an InputError for an unknown key, or a wrong name or value."""
    name, where, text = study_text(name_or_file)
    content = read_yaml(text, where)
    if not isinstance(content, dict):
        raise InputError(f"{where}: a study is a mapping with title, question, baseline and arms")
    file = parse(StudyFile, content, where)
    check_name(name, f"{where}: the study's name, which is the file's,")
    for key, value in (("title", file.title), ("question", file.question)):
        check_label(value, f"{where}: {key}")
    return name, where, file
