"""The data sets that a study needs, made ready when they are first asked for."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from benchmark.study.search_space import SPLIT_SEED, VALIDATION_SHARE, SearchConfig
from mhpe.data.dataset import HeadPoseSet, Progress
from mhpe.data.split import Split, split
from mhpe.datasets import REAL_SETS, prepared
from mhpe.errors import DataSetError, InputError
from mhpe.names import PUBLISHED_IMAGES, SETS, TITLES, split_name
from mhpe.paths import cache_folder
from mhpe.rotations import from_euler
from mhpe.synthheads.generate import content_key
from mhpe.synthheads.sets import SynthConfig

UNREADABLE_NAMED = 5  # unreadable images whose paths are printed


@dataclass
class StudyData:
    """Prepared data sets by name and image size; ``NAME_fit`` and ``NAME_validation`` are parts of a training set."""

    synthheads: SynthConfig  # sizes and seed of SynthHeads
    data_root: Path | None  # holds the real sets' folders
    jobs: int  # number of processes that prepare
    progress: Callable[[str], AbstractContextManager[Progress]]  # shows the preparation of a set of this title
    warn: Callable[[str], None]  # receives what a user should know of a set
    search: SearchConfig | None = None  # says how training sets are split
    prepare: bool = True  # sets that are not prepared yet; otherwise an empty set of that name stands for each
    _sets: dict[tuple[str, int], HeadPoseSet] = field(default_factory=dict)
    _splits: dict[tuple[str, int], Split] = field(default_factory=dict)

    def __call__(self, name: str, size: int) -> HeadPoseSet:
        """A data set, or a part of one; an InputError if it cannot be prepared or split."""
        if not self.prepare and (name, size) not in self._sets:
            found = self._found(name, size)
            if found is not None:
                self._report_what_is_missing(found)
            self._sets[name, size] = found or grey_set(name, size, f"{name} at {size} pixels, not prepared")
        if (name, size) in self._sets:
            return self._sets[name, size]
        whole, part = split_name(name)
        if part is not None:
            parts = self.parts(whole, size)
            return parts.fit if part == "fit" else parts.validation
        with self.progress(TITLES[name]) as progress:
            data = prepared(name, size, self.data_root, self.synthheads, self.jobs, progress, self.warn)
        self._report_what_is_missing(data)
        self._sets[name, size] = data
        return data

    def parts(self, train_set: str, size: int) -> Split:
        """A training set's part to fit and its part to validate on."""
        if (train_set, size) not in self._splits:
            whole = self(train_set, size)
            rule = (self.search.validation_share, self.search.seed) if self.search else (VALIDATION_SHARE, SPLIT_SEED)
            self._splits[train_set, size] = split(whole, *rule, cache_folder() / "prepared")
        return self._splits[train_set, size]

    def _found(self, name: str, size: int) -> HeadPoseSet | None:
        """The set if it is prepared, with one content; an InputError if it is a real set whose folder is missing."""
        folders = list((cache_folder() / "prepared").glob(f"{name}-{size}px-*"))
        if name in SETS:
            key = content_key(name, self.synthheads, size)
            folders = [folder for folder in folders if folder.name.endswith(key[:12])]
        elif not folders and name in REAL_SETS:
            if self.data_root is None:
                raise InputError(f"{TITLES[name]} is not prepared yet: pass --data-root DIR (or set MHPE_DATA)")
            REAL_SETS[name].root(self.data_root)
        found: dict[str, HeadPoseSet] = {}
        for folder in folders:
            with suppress(DataSetError):  # damaged, or of another version: as if there were none
                data = HeadPoseSet.load(folder)
                found[data.fingerprint] = data
        return next(iter(found.values())) if len(found) == 1 else None

    def _report_what_is_missing(self, data: HeadPoseSet) -> None:
        facts = list(data.meta.get("missing", ()))
        if len(data) != (published := PUBLISHED_IMAGES.get(data.name, len(data))):
            facts.append(f"{len(data):,} images, not the {published:,} of published results")
        if facts:
            self.warn(f"{data.name}: {', '.join(facts)}")
        problems = data.meta.get("unreadable", [])
        for problem in problems[:UNREADABLE_NAMED]:
            self.warn(f"left out: {problem}")
        if problems:
            self.warn(f"{data.name}: {len(problems)} unreadable image(s) left out, {len(data)} used")


def grey_set(name: str, size: int, fingerprint: str, count: int = 0) -> HeadPoseSet:
    """A set that stands for one that is not prepared: ``count`` times the same grey image, in random poses."""
    images = torch.full((1, 3, size, size), 128, dtype=torch.uint8).expand(count, -1, -1, -1).numpy()
    angles = torch.randn(count, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([30.0, 15.0, 10.0])
    rotations, names = from_euler(angles).numpy(), tuple(map(str, range(count)))
    return HeadPoseSet(name, Path(), images, rotations, angles.numpy(), names, np.arange(count), fingerprint, {})
