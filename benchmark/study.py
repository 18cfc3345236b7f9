"""Studies: a named set of arms in a YAML file."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, PositiveInt

import studies
from mhpe.config import PRESETS, CoreConfig
from mhpe.errors import InputError
from mhpe.validation import Section, nearest, parse
from samplers.base import Sampler
from samplers.registry import Registry


class StudyFile(Section):
    """A study as its YAML file states it.

    Attributes:
        title: heading of its tables.
        question: what it asks, in a sentence.
        baseline: label of the arm that others are compared with.
        protocols: run when the command line names none.
        seeds: paired seeds per arm when the command line does not say.
        core: changes of the core for all arms.
        samplers: sampler files, relative to the YAML file.
        arms: each a ``sampler`` with its parameters; a list of values makes a grid. ``label`` names the
            arm in tables (parameters in braces are filled in), ``core`` changes the core for this arm.
    """

    title: str
    question: str
    baseline: str
    protocols: tuple[str, ...] = Field(min_length=1)
    seeds: PositiveInt = 2
    core: dict[str, Any] = Field(default_factory=dict)
    samplers: tuple[str, ...] = ()
    arms: tuple[dict[str, Any], ...] = Field(min_length=1)


@dataclass(frozen=True)
class Arm:
    """A sampler with its parameters, and the core it runs with.

    Attributes:
        label: name in tables and of ``--arm``.
        sampler: unfitted.
        core: complete configuration.
        sampler_file: file of the user's that defines the sampler, if any.
    """

    label: str
    sampler: Sampler
    core: CoreConfig
    sampler_file: Path | None = None


@dataclass(frozen=True)
class Study:
    """A study with its grids written out.

    Attributes:
        name: the file's name without suffix.
        file: what the file says.
        arms: in the file's order.
    """

    name: str
    file: StudyFile
    arms: tuple[Arm, ...]


def study_names() -> list[str]:
    """Names of the studies that come with the suite."""
    return sorted(path.name.removesuffix(".yaml") for path in files(studies).iterdir() if path.name.endswith(".yaml"))


def study_text(name_or_file: str) -> tuple[str, str, str]:
    """Name, place for messages, and text of a study.

    Raises:
        InputError: if there is no such study or file.
    """
    path = Path(name_or_file)
    if path.suffix in (".yaml", ".yml"):
        try:
            return path.stem, str(path), path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot read this study file: {error}") from None
    if name_or_file not in study_names():
        raise InputError(f"no study {name_or_file!r}; {nearest(name_or_file, study_names())} (or name a .yaml file)")
    file = f"{name_or_file}.yaml"
    return name_or_file, f"studies/{file}", (files(studies) / file).read_text(encoding="utf-8")


def load_study(name_or_file: str, preset: str, sampler_files: tuple[Path, ...] = ()) -> Study:
    """Read and check a study.

    Args:
        name_or_file: name of a shipped study, or path of a YAML file.
        preset: name of the core's preset.
        sampler_files: sampler files named on the command line.

    Raises:
        InputError: for an unknown study, preset, arm, sampler or key, or a wrong value.
    """
    if preset not in PRESETS:
        raise InputError(f"no preset {preset!r}; {nearest(preset, list(PRESETS))}")
    name, where, text = study_text(name_or_file)
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{where}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise InputError(f"{where}: a study is a mapping with title, question, baseline, protocols and arms")
    file = parse(StudyFile, content, where)
    own_files = tuple((Path(name_or_file).parent / path) for path in file.samplers)
    registry = Registry((*own_files, *sampler_files))
    core = merge(PRESETS[preset], file.core)
    arms = tuple(
        arm for i, entry in enumerate(file.arms) for arm in _arms(entry, core, registry, f"{where}: arms[{i}]")
    )
    labels = [arm.label for arm in arms]
    for label in labels:
        if labels.count(label) > 1:
            raise InputError(f"{where}: two arms are called {label!r}; give them different labels")
    if file.baseline not in labels:
        raise InputError(f"{where}: baseline {file.baseline!r} is no arm; {nearest(file.baseline, labels)}")
    return Study(name, file, arms)


def select(study: Study, wanted: tuple[str, ...]) -> tuple[Arm, ...]:
    """The arms that names choose, by label or by sampler; all of them for no name.

    Raises:
        InputError: if a name chooses none.
    """
    if not wanted:
        return study.arms
    for name in wanted:
        if not any(name in (arm.label, arm.sampler.name) for arm in study.arms):
            known = list(dict.fromkeys(word for arm in study.arms for word in (arm.sampler.name, arm.label)))
            raise InputError(f"study {study.name}: no arm {name!r}; {nearest(name, known)}")
    return tuple(arm for arm in study.arms if {arm.label, arm.sampler.name} & set(wanted))


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with changes applied, sections within sections."""
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merge(result[key], value) if both else value
    return result


def _arms(entry: dict[str, Any], core: dict[str, Any], registry: Registry, where: str) -> Iterator[Arm]:
    """All arms of one entry's grid."""
    entry = dict(entry)
    name, label = entry.pop("sampler", None), entry.pop("label", None)
    changes = entry.pop("core", {})
    if not isinstance(name, str):
        raise InputError(f"{where}: sampler is missing")
    if not isinstance(changes, dict):
        raise InputError(f"{where}: core must be a mapping")
    for parameters in _grid(entry):
        for change in _grid(changes):
            sampler = registry.build(name, parameters, where)
            config = parse(CoreConfig, merge(core, change), f"{where}: core")
            yield Arm(_label(name, label, parameters | change, where), sampler, config, registry.file_of(name))


def _grid(values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every combination of the values that are lists."""
    lists = [value if isinstance(value, list) else [value] for value in values.values()]
    for combination in itertools.product(*lists):
        yield dict(zip(values, combination, strict=True))


def _label(sampler: str, label: str | None, values: dict[str, Any], where: str) -> str:
    if label is None:
        inner = ", ".join(
            f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}" for key, value in values.items()
        )
        return f"{sampler}({inner})" if inner else sampler
    try:
        return str(label).format(**values)
    except (KeyError, IndexError, ValueError):
        raise InputError(f"{where}: label {label!r} names a parameter this arm does not have") from None
