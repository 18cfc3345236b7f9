"""Studies with their grids written out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.study.arms import Arm, build_core, change_core, merge, write_out
from benchmark.study.presets import PRESETS, default_preset
from benchmark.study.protocols import Protocol, protocol
from benchmark.study.search_space import SearchedSampler, read_searched
from benchmark.study.study_file import StudyFile, read_study
from mhpe.errors import InputError
from mhpe.synthheads.sets import PRETRAINING_SEED, SynthConfig
from mhpe.validation import nearest, parse, short
from samplers.support.registry import Registry

MOST_CELLS = 1_000_000  # arms x protocols x seeds: a plan is held in memory


@dataclass(frozen=True)
class Study:
    """A study with its grids written out."""

    name: str  # the file's name without suffix
    file: StudyFile  # what the file says
    protocols: tuple[Protocol, ...]  # to run
    preset: str
    synthheads: SynthConfig  # sizes and seed of SynthHeads
    arms: tuple[Arm, ...]  # in the file's order
    searched: tuple[SearchedSampler, ...] = ()  # the samplers whose parameters are searched; none for most studies

    @property
    def definition(self) -> dict[str, Any]:
        """What the store keeps: the file's keys, and ``baselines``, the label each arm's label is compared with."""
        baselines = {arm.label: arm.baseline or self.file.baseline for arm in self.arms}
        return self.file.model_dump(mode="json", by_alias=True) | {"baselines": baselines}

    def select(self, wanted: Sequence[str]) -> tuple[Arm, ...]:
        """The arms that names choose, by label or by sampler, all for no name.

        An InputError if a name chooses none, or for any name in a study that searches.
        """
        if wanted and self.searched:
            raise InputError("--arm: a study that searches runs the arms it finds beside its own; leave --arm out")
        for name in wanted:
            if not any(name in (arm.label, arm.sampler.name) for arm in self.arms):
                known = list(dict.fromkeys(word for arm in self.arms for word in (arm.sampler.name, arm.label)))
                raise InputError(f"study {self.name}: no arm {short(name)}; {nearest(name, known)}")
        return tuple(arm for arm in self.arms if not wanted or {arm.label, arm.sampler.name} & set(wanted))


def load_study(
    name_or_file: str,
    preset: str | None = None,
    protocols: tuple[str, ...] = (),
    sampler_files: tuple[Path, ...] = (),
    seeds: int | None = None,
) -> Study:
    """Read and check a study, the name of a shipped one or the path of a YAML file.

    Preset, protocols and paired seeds are by default what fits the protocols, and the file's. Of ``seeds`` only the
    number is checked here. ``sampler_files`` are those that the file does not name.

    Raises:
        InputError: for an unknown study, preset, protocol, arm, sampler or key, or a wrong value.
    """
    name, where, file = read_study(name_or_file)
    names = protocols or file.protocols
    if twice := [name for i, name in enumerate(names) if name in names[:i]]:
        raise InputError(f"{where}: protocol {twice[0]!r} is named twice")
    run_on = tuple(protocol(name) for name in names)
    preset = preset or default_preset(run_on, file.core)
    if preset not in PRESETS:
        raise InputError(f"no preset {preset!r}; {nearest(preset, list(PRESETS))}")
    own_files = tuple((Path(name_or_file).parent / path) for path in file.sampler_files)
    for path in own_files:
        if not path.is_file():
            raise InputError(f"{where}: sampler_files: no file {path}; names are relative to the study file")
    registry = Registry((*own_files, *sampler_files))
    changes = change_core(PRESETS[preset].core, file.core, f"{where}: core")
    synthheads = parse(SynthConfig, merge(PRESETS[preset].synthheads, file.synthheads), f"{where}: synthheads")
    if file.search is not None or any("core" not in entry for entry in file.arms):
        core = build_core(changes, f"{where}: core")  # a fault of all arms is the study's
    arms = tuple(
        arm for i, entry in enumerate(file.arms) for arm in write_out(entry, changes, registry, f"{where}: arms[{i}]")
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
        searched = tuple(
            read_searched(sampler, entries, core, search, registry, f"{where}: search")
            for sampler, entries in search.samplers.items()
        )
    cores = [arm.core for arm in arms] + [sampler.core for sampler in searched]
    rendered = [protocol.name for protocol in run_on if any(protocol.synthetic)]
    if rendered and synthheads.seed == PRETRAINING_SEED and any(core.init == "synthheads" for core in cores):
        raise InputError(
            f"{where}: synthheads.seed: {PRETRAINING_SEED} draws the persons that init: synthheads was trained on, and "
            f"protocol {rendered[0]} shows them; choose another seed"
        )
    return Study(name, file, run_on, preset, synthheads, arms, searched)
