"""The data sets by name, and the way to a prepared one."""

from pathlib import Path

from mhpe.data.aflw2000 import AFLW2000
from mhpe.data.biwi import BIWI
from mhpe.data.dataset import HeadPoseSet
from mhpe.data.prepare import prepare
from mhpe.data.progress import Progress, no_progress
from mhpe.data.source import Source
from mhpe.data.split import split_name
from mhpe.data.w300lp import W300LP
from mhpe.errors import InputError
from mhpe.paths import cache_folder
from mhpe.synthheads.generate import generate
from mhpe.synthheads.sets import SETS, SynthConfig
from mhpe.validation import nearest

SOURCES: dict[str, Source] = {source.name: source for source in (W300LP(), AFLW2000(), BIWI())}
TITLES = {name: source.title for name, source in SOURCES.items()} | {
    name: f"SynthHeads {name.removeprefix('synth_')}" for name in SETS
}
"""What each data set is called in tables and messages."""


PUBLISHED_IMAGES = {name: source.published_images for name, source in SOURCES.items()}
"""Images of each real set that published results are about."""


def title(name: str) -> str:
    """What a data set or a part of one is called; the name itself for one that this version lacks."""
    whole, part = split_name(name)
    return TITLES.get(whole, whole) + (f", {part} part" if part else "")


def check_name(name: str) -> str:
    """The name of a data set as the catalog writes it.

    Raises:
        InputError: if there is no such data set.
    """
    if name.lower() not in TITLES:
        raise InputError(f"no data set {name!r}; {nearest(name.lower(), list(TITLES))}")
    return name.lower()


def prepared(
    name: str,
    size: int,
    data_root: Path | None = None,
    synth: SynthConfig | None = None,
    jobs: int = 1,
    progress: Progress = no_progress,
) -> HeadPoseSet:
    """A data set at one image size, converted or rendered first if need be.

    Without a data root, or where the root lacks the set, an earlier conversion in the cache is enough.

    Args:
        name: of the data set.
        size: side of the images in pixels.
        data_root: folder that holds the real sets' folders.
        synth: sizes and seed of SynthHeads.
        jobs: number of processes.
        progress: told how far it is.

    Raises:
        InputError: if the set is nowhere to be found, or as :func:`mhpe.data.prepare.prepare`.
    """
    name = check_name(name)
    folder = cache_folder() / "prepared"
    if name in SETS:
        return HeadPoseSet.load(generate(name, synth or SynthConfig(), size, folder, jobs, progress))
    source = SOURCES[name]
    if data_root is not None and (data_root / source.folder).is_dir():
        return HeadPoseSet.load(prepare(source, data_root, size, folder, jobs, progress))
    earlier = sorted(folder.glob(f"{name}-{size}px-*"))
    if len(earlier) == 1:
        return HeadPoseSet.load(earlier[0])
    if earlier:
        raise InputError(f"{source.title}: {len(earlier)} prepared versions in {folder}; name one with --data-root")
    if data_root is None:
        raise InputError(
            f"{source.title} needs a data folder: pass --data-root DIR (or set MHPE_DATA) that holds {source.folder}/"
        )
    source.root(data_root)
    raise AssertionError("unreachable: root() raises for a missing folder")
