"""Conversion of a data set in its original layout to a prepared folder, once."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mhpe.data import dataset
from mhpe.data.crops import DAMAGED, Box, read_crop
from mhpe.data.progress import Progress, no_progress
from mhpe.data.source import MAX_ANGLE, Label, Record, Source, rotations_of
from mhpe.errors import InputError

CHUNK = 64


def listing_key(source: Source, records: Sequence[Record], size: int) -> str:
    """Digest of what a prepared set is made from: files with their sizes, crop rule, image size, format.

    Cheap enough to be computed at every start: no file is opened. Labels often keep their size when they change, so
    of them the time of the last change counts, too.
    """
    digest = hashlib.sha256(f"{dataset.FORMAT}|{source.name}|{source.crop_rule}|{size}|{MAX_ANGLE}".encode())
    for record in records:
        digest.update(f"|{record.image_id}|{record.image.stat().st_size}|{_state(record.label)}".encode())
    for folder in sorted({record.image.parent for record in records}) if source.folder_file else ():
        digest.update(f"|{_state(folder / source.folder_file)}".encode())
    return digest.hexdigest()


def _state(path: Path) -> str:
    """Size and time of the last change of a file."""
    if not path.exists():
        return "missing"
    state = path.stat()
    return f"{state.st_size} {state.st_mtime_ns}"


def prepare(
    source: Source,
    data_root: Path,
    size: int,
    folder: Path,
    jobs: int = 1,
    progress: Progress = no_progress,
) -> Path:
    """Convert a data set unless that was done before.

    Args:
        source: the data set.
        data_root: folder that holds the set's own folder.
        size: side of the crops in pixels.
        folder: where prepared sets are kept.
        jobs: number of processes.
        progress: told how far it is.

    Returns:
        The prepared folder, ``NAME-SIZEpx-KEY``.

    Raises:
        InputError: if the set or a label is missing or malformed, no image is readable, or ``folder``
            cannot be written. A corrupt image among readable ones is left out and named in ``meta.json``.
    """
    records = source.records(data_root)
    target = folder / f"{source.name}-{size}px-{listing_key(source, records, size)[:12]}"
    with dataset.created_once(target) as temporary:
        if temporary is not None:
            _convert(source, records, size, temporary, jobs, progress)
    return target


def _convert(source: Source, records: Sequence[Record], size: int, folder: Path, jobs: int, progress: Progress) -> None:
    labels = [label for part in _parallel(jobs, _labels, source, records, "labels", progress) for label in part]
    rotations = rotations_of(labels)
    angles = np.stack([label.angles for label in labels])
    usable = np.abs(angles).max(1) <= MAX_ANGLE
    chosen = np.flatnonzero(usable).tolist()
    tasks = [(records[i].image, labels[i].box, size) for i in chosen]
    images = dataset.allocate_images(folder, len(tasks), size)
    digests: list[str] = []
    errors: dict[int, str] = {}
    for part in _parallel(jobs, _crops, None, tasks, "images", progress):
        for crop, digest in part:
            if crop is None:
                errors[len(digests)] = digest
            else:
                images[len(digests)] = crop.transpose(2, 0, 1)
            digests.append(digest)
    kept = np.array([i for i in range(len(tasks)) if i not in errors], dtype=np.int64)
    if not len(kept):
        raise InputError(f"{source.title}: none of its {len(records)} images is usable; first: {errors.get(0)}")
    images.flush()
    crops: NDArray[np.uint8] = images
    if errors:
        crops = images[kept]
        (folder / "images.npy").unlink()
    chosen = [chosen[i] for i in kept]
    index = pd.DataFrame(
        {"image_id": [records[i].image_id for i in chosen], "identity": [records[i].identity for i in chosen]}
    )
    meta: dict[str, Any] = {
        "name": source.name,
        "fingerprint": _fingerprint(
            source, size, index, rotations[chosen], [digests[i] for i in kept], [labels[i].box for i in chosen]
        ),
        "crop_rule": source.crop_rule,
        "found": len(records),
        "beyond_max_angle": int((~usable).sum()),
        "already_cropped": sum(labels[i].box is None for i in chosen),
        "unreadable": sorted(errors.values()),
    }
    dataset.save(folder, crops, rotations[chosen], angles[chosen], index, meta)


def _parallel(
    jobs: int,
    work: Callable[[Any, Sequence[Any]], list[Any]],
    context: Any,
    items: Sequence[Any],
    what: str,
    progress: Progress,
) -> Iterable[list[Any]]:
    """Results of ``work(context, chunk)`` in order."""
    chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
    done = 0
    progress(what, 0, len(items))
    parts = joblib.Parallel(n_jobs=jobs, return_as="generator")(joblib.delayed(work)(context, c) for c in chunks)
    for chunk, part in zip(chunks, parts, strict=True):
        done += len(chunk)
        progress(what, done, len(items))
        yield part


def _labels(source: Source, records: Sequence[Record]) -> list[Label]:
    return [source.label(record) for record in records]


def _crops(_: None, tasks: Sequence[tuple[Path, Box | None, int]]) -> list[tuple[NDArray[np.uint8] | None, str]]:
    """Crop and file digest of each task; for an unreadable image None and what is wrong."""
    results: list[tuple[NDArray[np.uint8] | None, str]] = []
    for path, box, size in tasks:
        try:
            results.append(read_crop(path, box, size))
        except DAMAGED as error:
            results.append((None, f"{path}: {error}"))
    return results


def _fingerprint(
    source: Source,
    size: int,
    index: pd.DataFrame,
    rotations: NDArray[np.float64],
    digests: Sequence[str],
    boxes: Sequence[Box | None],
) -> str:
    digest = hashlib.sha256(f"{dataset.FORMAT}|{source.name}|{source.crop_rule}|{size}".encode())
    parts = zip(index["image_id"], rotations.round(6) + 0.0, digests, boxes, strict=True)
    for image_id, rotation, content, box in parts:
        square = "" if box is None else " ".join(f"{edge:.2f}" for edge in box)
        digest.update(f"|{image_id}|{content}|{square}|".encode() + rotation.tobytes())
    return digest.hexdigest()
