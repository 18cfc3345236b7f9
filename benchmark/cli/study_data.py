"""The data sets that a verb's study needs, made ready when they are first asked for."""

from pathlib import Path

import click

from benchmark.cli.data import say
from benchmark.cli.progress import data_progress
from benchmark.study.search_space import SPLIT_SEED, VALIDATION_SHARE, SearchConfig
from mhpe.data import HeadPoseSet
from mhpe.data.split import Split, split, split_name
from mhpe.datasets import TITLES, prepared
from mhpe.paths import cache_folder
from mhpe.synthheads.sets import SynthConfig

UNREADABLE_NAMED = 5
"""Unreadable images whose paths are printed."""


class StudyData:
    """Prepared data sets by name and image size; ``NAME_fit`` and ``NAME_validation`` are the parts of a training set.

    Args:
        synthheads: sizes and seed of SynthHeads.
        data_root: folder that holds the real sets' folders.
        jobs: number of processes that prepare.
        search: whose split rule parts follow; the rule of a search that says nothing by default.
    """

    def __init__(
        self, synthheads: SynthConfig, data_root: Path | None, jobs: int, search: SearchConfig | None = None
    ) -> None:
        self._split_rule = (search.validation_share, search.seed) if search else (VALIDATION_SHARE, SPLIT_SEED)
        self._synthheads, self._data_root, self._jobs = synthheads, data_root, jobs
        self._sets: dict[tuple[str, int], HeadPoseSet] = {}
        self._splits: dict[tuple[str, int], Split] = {}

    def __call__(self, name: str, size: int) -> HeadPoseSet:
        """A data set, or a part of one.

        Raises:
            InputError: as :func:`mhpe.datasets.prepared` and :func:`mhpe.data.split.split`.
        """
        whole, part = split_name(name)
        if part is not None:
            parts = self.parts(whole, size)
            return parts.fit if part == "fit" else parts.validation
        if (name, size) not in self._sets:
            with data_progress(TITLES[name]) as progress:
                data = prepared(name, size, self._data_root, self._synthheads, self._jobs, progress, say)
            _report_unreadable(data)
            self._sets[name, size] = data
        return self._sets[name, size]

    def parts(self, train_set: str, size: int) -> Split:
        """A training set's part to fit and its part to validate on."""
        if (train_set, size) not in self._splits:
            whole = self(train_set, size)
            self._splits[train_set, size] = split(whole, *self._split_rule, cache_folder() / "prepared")
        return self._splits[train_set, size]


def _report_unreadable(data: HeadPoseSet) -> None:
    problems = data.meta.get("unreadable", [])
    for problem in problems[:UNREADABLE_NAMED]:
        click.echo(f"bench: left out: {problem}", err=True)
    if problems:
        click.echo(f"bench: {data.name}: {len(problems)} unreadable image(s) left out, {len(data)} used", err=True)
