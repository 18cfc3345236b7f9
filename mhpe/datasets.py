"""The data sets by name, and their prepared form at one image size."""

from collections.abc import Callable
from pathlib import Path

from mhpe.data.biwi import BIWI
from mhpe.data.dataset import ORIGIN, HeadPoseSet, Progress
from mhpe.data.pose_para import AFLW2000, W300LP
from mhpe.data.prepare import prepare
from mhpe.data.real import RealSet
from mhpe.errors import DataSetError, InputError
from mhpe.names import LARGEST_SIZE, SETS, TITLES
from mhpe.paths import cache_folder
from mhpe.synthheads.generate import generate
from mhpe.synthheads.sets import SynthConfig
from mhpe.validation import nearest

REAL_SETS: dict[str, RealSet] = {real.name: real for real in (W300LP(), AFLW2000(), BIWI())}


def check_name(name: str) -> str:
    """The name of a data set in lower case; an :class:`InputError` if there is no such data set."""
    if name.lower() not in TITLES:
        raise InputError(f"no data set {name!r}; {nearest(name.lower(), list(TITLES))}")
    return name.lower()


def check_root(data_root: Path | None) -> None:
    """Raise an :class:`mhpe.errors.InputError` if the folder of the real sets' folders is named but not there."""
    if data_root is not None and not data_root.is_dir():
        raise InputError(f"--data-root {data_root} (or MHPE_DATA): no such folder")


def prepared(
    name: str,
    size: int,
    data_root: Path | None = None,
    synth: SynthConfig | None = None,
    jobs: int = 1,
    progress: Progress = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
) -> HeadPoseSet:
    """A data set at one image size in pixels, converted or rendered first if need be.

    Without a data root, or where the root has no folder of the set, an earlier conversion in the cache is used: ``say``
    receives a line on which one it is, and where it was made from. ``synth`` are sizes and seed of SynthHeads.

    Raises:
        InputError: if the set cannot be found, or as :func:`mhpe.data.prepare.prepare`.
    """
    name = check_name(name)
    if not 1 <= size <= LARGEST_SIZE:
        raise InputError(f"{TITLES[name]}: images of {size} x {size} pixels; 1 to {LARGEST_SIZE} would be right")
    check_root(data_root)
    folder = cache_folder() / "prepared"
    if name in SETS:
        return HeadPoseSet.load(generate(name, synth or SynthConfig(), size, folder, jobs, progress))
    real = REAL_SETS[name]
    if data_root is not None and (data_root / real.folder).is_dir():
        return HeadPoseSet.load(prepare(real, data_root, size, folder, jobs, progress))
    data = _earlier(real, size, folder, data_root)
    why = "no --data-root" if data_root is None else f"no folder {data_root / real.folder}"
    try:
        origin = (data.folder / ORIGIN).read_text(encoding="utf-8")
    except OSError:
        origin = "an unknown place"
    say(f"{real.title}: {why}; {data.folder} is used, made from {origin}")
    return data


def _earlier(real: RealSet, size: int, folder: Path, data_root: Path | None) -> HeadPoseSet:
    """The one content that earlier conversions have; an error if there is none, or several that differ."""
    found, problem = {}, None
    for place in sorted(folder.glob(f"{real.name}-{size}px-*")):
        try:
            data = HeadPoseSet.load(place)
            found[data.fingerprint] = data
        except DataSetError as error:
            problem = error
    if len(found) > 1:
        raise InputError(f"{real.title}: {len(found)} prepared versions in {folder}; name one with --data-root")
    if found:
        return next(iter(found.values()))
    if problem:
        raise problem
    if data_root is not None:
        real.root(data_root)  # raises, naming the missing folder
    raise InputError(
        f"{real.title} needs a data folder: pass --data-root DIR (or set MHPE_DATA) that holds {real.folder}/"
    )
