"""The data sets that a study needs, made ready when they are first asked for."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np

from benchmark.study.search_space import SPLIT_SEED, VALIDATION_SHARE, SearchConfig
from mhpe.data.dataset import HeadPoseSet, Progress
from mhpe.data.split import Split, split
from mhpe.datasets import REAL_SETS, prepared
from mhpe.errors import DataSetError, InputError
from mhpe.names import SETS, TITLES, split_name
from mhpe.paths import cache_folder
from mhpe.synthheads.generate import content_key
from mhpe.synthheads.sets import SynthConfig

UNREADABLE_NAMED = 5  # unreadable images whose paths are printed


class StudyData:
    """Prepared data sets by name and image size; ``NAME_fit`` and ``NAME_validation`` are the parts of a training set.

    ``synthheads`` says the sizes of rendered sets, ``data_root`` where the real ones are, and ``jobs`` how many
    processes prepare. ``progress`` shows the preparation of a set, whose title it is called with; ``warn`` receives
    what a user should know of a set. ``search`` says how training sets are split. Unless sets are to be prepared, an
    empty one stands for each that is not.
    """

    def __init__(
        self,
        synthheads: SynthConfig,
        data_root: Path | None,
        jobs: int,
        progress: Callable[[str], AbstractContextManager[Progress]],
        warn: Callable[[str], None],
        search: SearchConfig | None = None,
        prepare: bool = True,
    ) -> None:
        self._split_rule = (search.validation_share, search.seed) if search else (VALIDATION_SHARE, SPLIT_SEED)
        self._synthheads, self._data_root, self._jobs = synthheads, data_root, jobs
        self._progress, self._warn, self._prepare = progress, warn, prepare
        self._sets: dict[tuple[str, int], HeadPoseSet] = {}
        self._splits: dict[tuple[str, int], Split] = {}

    def __call__(self, name: str, size: int) -> HeadPoseSet:
        """A data set, or a part of one; an InputError if it cannot be prepared or split."""
        if not self._prepare:
            return self._found(name, size) or blank_set(name, size, f"{name} at {size} pixels, not prepared")
        whole, part = split_name(name)
        if part is not None:
            parts = self.parts(whole, size)
            return parts.fit if part == "fit" else parts.validation
        if (name, size) not in self._sets:
            with self._progress(TITLES[name]) as progress:
                data = prepared(name, size, self._data_root, self._synthheads, self._jobs, progress, self._warn)
            self._report_what_is_missing(data)
            self._sets[name, size] = data
        return self._sets[name, size]

    def parts(self, train_set: str, size: int) -> Split:
        """A training set's part to fit and its part to validate on."""
        if (train_set, size) not in self._splits:
            whole = self(train_set, size)
            self._splits[train_set, size] = split(whole, *self._split_rule, cache_folder() / "prepared")
        return self._splits[train_set, size]

    def _found(self, name: str, size: int) -> HeadPoseSet | None:
        """The set if it is prepared; an InputError if it could not be: it is a real set, and its folder is missing."""
        folders = list((cache_folder() / "prepared").glob(f"{name}-{size}px-*"))
        if name in SETS:
            key = content_key(name, self._synthheads, size)
            folders = [folder for folder in folders if folder.name.endswith(key[:12])]
        elif not folders and name in REAL_SETS:
            if self._data_root is None:
                raise InputError(f"{TITLES[name]} is not prepared yet: pass --data-root DIR (or set MHPE_DATA)")
            REAL_SETS[name].root(self._data_root)
        try:
            return HeadPoseSet.load(folders[0]) if len(folders) == 1 else None
        except DataSetError:  # damaged, or of another version: as if there were none
            return None

    def _report_what_is_missing(self, data: HeadPoseSet) -> None:
        if missing := data.meta.get("missing"):
            self._warn(f"{data.name}: {', '.join(missing)}")
        problems = data.meta.get("unreadable", [])
        for problem in problems[:UNREADABLE_NAMED]:
            self._warn(f"left out: {problem}")
        if problems:
            self._warn(f"{data.name}: {len(problems)} unreadable image(s) left out, {len(data)} used")


def blank_set(name: str, size: int, fingerprint: str) -> HeadPoseSet:
    """A set without images, which stands for one that is not prepared."""
    pixels, matrices = np.empty((0, 3, size, size), np.uint8), np.empty((0, 3, 3), np.float32)
    angles, identities = np.empty((0, 3), np.float32), np.empty(0, np.int64)
    return HeadPoseSet(name, Path(), pixels, matrices, angles, (), identities, fingerprint, {})
