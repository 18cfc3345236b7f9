"""The data sets by name, and the way to a prepared one."""

from pathlib import Path

from mhpe.data.aflw2000 import AFLW2000
from mhpe.data.biwi import BIWI
from mhpe.data.dataset import HeadPoseSet
from mhpe.data.prepare import Progress, no_progress, prepare
from mhpe.data.source import Source
from mhpe.data.w300lp import W300LP
from mhpe.errors import InputError
from mhpe.paths import cache_folder

SOURCES: dict[str, Source] = {source.name: source for source in (W300LP(), AFLW2000(), BIWI())}


def source(name: str) -> Source:
    """The data set of that name.

    Raises:
        InputError: if there is none.
    """
    found = SOURCES.get(name.lower())
    if found is None:
        raise InputError(f"no data set {name!r}; there are {', '.join(SOURCES)}")
    return found


def prepared(
    name: str, size: int, data_root: Path | None, jobs: int = 1, progress: Progress = no_progress
) -> HeadPoseSet:
    """A data set at one image size, converted first if need be.

    Without a data root, or where the root lacks the set, an earlier conversion in the cache is enough.

    Raises:
        InputError: if the set is nowhere to be found, or as :func:`mhpe.data.prepare.prepare`.
    """
    found = source(name)
    folder = cache_folder() / "prepared"
    if data_root is not None and (data_root / found.folder).is_dir():
        return HeadPoseSet.load(prepare(found, data_root, size, folder, jobs, progress))
    earlier = sorted(folder.glob(f"{found.name}-{size}px-*"))
    if len(earlier) == 1:
        return HeadPoseSet.load(earlier[0])
    if earlier:
        raise InputError(f"{found.title}: {len(earlier)} prepared versions in {folder}; name one with --data-root")
    if data_root is None:
        raise InputError(
            f"{found.title} needs a data folder: pass --data-root DIR (or set MHPE_DATA) that holds {found.folder}/"
        )
    found.root(data_root)
    raise AssertionError("unreachable: root() raises for a missing folder")
