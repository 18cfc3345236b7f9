"""Arms: samplers with their parameters, written out from a study's grids."""

import hashlib
import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from benchmark.study.names import check_label, label_of
from mhpe import CORE_VERSION
from mhpe.config import CORES, CoreConfig
from mhpe.errors import InputError
from mhpe.paths import PRETRAINED
from mhpe.validation import Section, nearest, parse, short
from samplers.base import Sampler
from samplers.support.registry import Registry
from samplers.support.source_digest import source_digest

LARGEST_OFFSET = 10**9  # of an arm's seeds: a database keeps them in 32 bits
MOST_ARMS = 1000  # arms of one entry: each is a row of the tables and at least one training


@dataclass(frozen=True)
class Arm:
    """A sampler with its parameters, and the core it runs with."""

    label: str  # name in tables and of --arm
    sampler: Sampler  # unfitted
    core: CoreConfig  # complete configuration
    sampler_file: Path | None = None  # file of the user's that defines the sampler, if any
    baseline: str | None = None  # label of the arm it is compared with; None for the study's baseline
    seed_offset: int = 0  # added to each seed of its trainings

    @cached_property
    def identity(self) -> dict[str, Any]:
        """The part of its trials' identities that all of them share; computed once, as it reads files and sources."""
        core = self.core
        weights = PRETRAINED if core.init == "synthheads" else core.encoder.backbone_weights
        return {
            "core_version": CORE_VERSION,
            "core": core.used(),
            "first_weights": _content(str(weights), Path(weights).stat().st_mtime_ns) if weights else None,
            "sampler": self.sampler.name,
            "parameters": self.sampler.model_dump(mode="json"),
            "sampler_source": source_digest(type(self.sampler)),
        }


@cache  # many arms begin with the same weights
def _content(path: str, _changed: int) -> str:
    """Digest of a file's content."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


class _Entry(Section):
    """An entry of a study's arms; its other keys are parameters of the sampler."""

    model_config = ConfigDict(extra="allow")
    sampler: str
    label: str = ""
    baseline: str = ""
    core: dict[str, Any] = Field(default_factory=dict)
    seed_offset: Annotated[
        list[Annotated[int, Field(ge=0, le=LARGEST_OFFSET, strict=True)]],
        BeforeValidator(lambda value: value if isinstance(value, list) else [value]),
    ] = Field(default_factory=list)


def write_out(entry: dict[str, Any], core: Mapping[str, Any], registry: Registry, where: str) -> Iterator[Arm]:
    """All arms of one entry of a study file, as :class:`benchmark.study.study_file.StudyFile` describes them.

    ``core`` is what preset and study change of the core. Errors of unknown samplers or keys and wrong values begin with
    ``where``.
    """
    read = parse(_Entry, entry, where)
    name, given = read.sampler, read.model_fields_set
    parameter_values = read.model_extra or {}
    offsets = {"seed_offset": read.seed_offset} if "seed_offset" in given else {}
    lists = [values for values in (parameter_values | read.core | offsets).values() if isinstance(values, list)]
    if (count := math.prod(map(len, lists))) > MOST_ARMS:
        raise InputError(f"{where}: its lists make {count} arms; at most {MOST_ARMS} can be compared in a table")
    grids = _grid(parameter_values, where), _grid(read.core, f"{where}: core"), _grid(offsets, where)
    for parameters, change, offset in itertools.product(*grids):
        values = parameters | change | offset
        arm = Arm(
            _filled_in("label", read.label, values, where) if "label" in given else label_of(name, values),
            registry.build(name, parameters, where),
            build_core(change_core(core, change, f"{where}: core"), f"{where}: core"),
            registry.files.get(name),
            _filled_in("baseline", read.baseline, values, where) if "baseline" in given else None,
            offset.get("seed_offset", 0),
        )
        check_label(arm.label, f"{where}: label")
        yield arm


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with changes applied, sections within sections."""
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merge(result[key], value) if both else value
    return result


def change_core(core: Mapping[str, Any], changes: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A core with a study's or an arm's changes; ``like`` among them names a core that goes under the others."""
    changes = dict(changes)
    like = changes.pop("like", None)
    if like is None:
        return merge(core, changes)
    if not isinstance(like, str) or like not in CORES:
        raise InputError(f"{where}: like: no core {short(like)}; {nearest(str(like), list(CORES))}")
    return merge(merge(core, CORES[like]), changes)


def _grid(values: dict[str, Any], where: str) -> list[dict[str, Any]]:
    """Every combination of the values that are lists."""
    for key, value in values.items():
        if value == []:
            raise InputError(f"{where}: {key}: an empty list makes no arm; name at least one value")
        if isinstance(value, list) and (twice := [each for i, each in enumerate(value) if each in value[:i]]):
            raise InputError(f"{where}: {key}: {short(twice[0])} is in the list twice")
    lists = [value if isinstance(value, list) else [value] for value in values.values()]
    return [dict(zip(values, combination, strict=True)) for combination in itertools.product(*lists)]


def build_core(values: Mapping[str, Any], where: str) -> CoreConfig:
    """The checked core of a study or an arm; an InputError for a wrong value, or a weights file that does not fit."""
    core = parse(CoreConfig, values, where)
    if core.encoder.backbone is not None:
        try:
            _check_backbone(core.encoder.backbone, core.encoder.backbone_weights)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
    if core.init == "synthheads":
        from mhpe.train.warm_start import check_warm_start  # with PyTorch, which few studies need this early

        check_warm_start(core, where)
    return core


@cache
def _check_backbone(name: str, weights: str | None) -> None:
    from mhpe.model.backbones import backbone  # torchvision takes a second to import, and few studies name one

    backbone(name, weights)


def _filled_in(key: str, text: str, values: dict[str, Any], where: str) -> str:
    """The text with parameters in place of their names in braces, each with a format of two digits at most."""
    if re.search(r"\{\w*([.\[]|(!\w)?:[^}]*\d{3})", text):
        raise InputError(f"{where}: {key} {short(text)} cannot be filled in: braces hold a parameter's name alone")
    try:
        return text.format(**values)
    except LookupError:
        raise InputError(f"{where}: {key} {short(text)} names a parameter this arm does not have") from None
    except (ValueError, TypeError, ArithmeticError) as error:
        raise InputError(f"{where}: {key} {short(text)} cannot be filled in: {error}") from None
