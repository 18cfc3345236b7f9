"""Conversion of a real data set in its original layout to a prepared folder, once."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import joblib
import numpy as np
from numpy.typing import NDArray

from mhpe.data import dataset
from mhpe.data.crops import Box, read_crop
from mhpe.data.dataset import Progress
from mhpe.data.images import UnreadableError
from mhpe.data.real import RealSet, Record, rotations_of
from mhpe.errors import InputError
from mhpe.names import MAX_ANGLE

CHUNK = 64
Result = TypeVar("Result")


def _state(path: Path) -> str:
    """Size, time of the last change and permissions of a file, or that it cannot be found."""
    try:
        state = path.stat()
    except OSError:
        return "missing"
    return f"{state.st_size} {state.st_mtime_ns} {state.st_mode}"


def prepare(real: RealSet, data_root: Path, size: int, folder: Path, jobs: int, progress: Progress) -> Path:
    """Convert a data set unless that was done before; returns the prepared folder, ``NAME-SIZEpx-KEY``.

    Crops have sides of ``size`` pixels; prepared sets are kept in ``folder``. The key holds the states of the files,
    none of which is opened: it is computed at every start.

    Raises:
        InputError: if the set or a label is missing or malformed, no image is usable, or ``folder`` cannot be written.
            An unreadable image among readable ones is left out and named in ``meta.json``.
    """
    records = real.records(data_root)
    key = hashlib.sha256(f"{dataset.FORMAT}|{real.name}|{real.crop_rule}|{size}|{MAX_ANGLE}".encode())
    for record in records:
        key.update(f"|{record.image_id}|{_state(record.image)}|{_state(record.label)}".encode())
    for images in sorted({record.image.parent for record in records}) if real.folder_file else ():
        key.update(f"|{_state(images / real.folder_file)}".encode())
    target = folder / f"{real.name}-{size}px-{key.hexdigest()[:12]}"
    dataset.create_once(target, partial(_convert, real, records, data_root, size, jobs, progress))
    return target


def _convert(
    real: RealSet, records: Sequence[Record], data_root: Path, size: int, jobs: int, progress: Progress, folder: Path
) -> None:
    labels = list(_parallel(jobs, real.label, [(record,) for record in records], "labels", progress))
    rotations = rotations_of(labels)
    angles = np.stack([label.angles for label in labels])
    usable = np.flatnonzero(np.abs(angles).max(1) <= MAX_ANGLE).tolist()
    images = dataset.allocate_images(folder, len(usable), size)
    digests: list[str] = []
    kept: list[int] = []
    errors: dict[Path, str] = {}
    tasks = [(records[i].image, labels[i].box, size) for i in usable]
    for i, (crop, digest) in zip(usable, _parallel(jobs, _crop, tasks, "images", progress), strict=True):
        if crop is None:
            errors[records[i].image] = digest
        else:
            images[len(kept)] = crop.transpose(2, 0, 1)
            kept.append(i)
            digests.append(digest)
    beyond = len(records) - len(usable)
    if not kept:
        reasons = Counter(f"unreadable: {error}" for error in errors.values())
        reasons[f"beyond {MAX_ANGLE:g} degrees (labels should hold radians)"] = beyond
        commonest = "; ".join(f"{count:,} {reason}" for reason, count in reasons.most_common(2) if count)
        raise InputError(f"{real.title}: none of its {len(records):,} images is usable: {commonest}")
    images.flush()
    if len(kept) < len(usable):
        np.save(folder / "readable.npy", images[: len(kept)])
        (folder / "readable.npy").replace(folder / "images.npy")
    ids, identities = [records[i].image_id for i in kept], [records[i].identity for i in kept]
    boxes = [labels[i].box for i in kept]
    rule = f"{dataset.FORMAT}|{real.name}|{real.crop_rule}|{size}"
    meta: dict[str, Any] = {
        "name": real.name,
        "fingerprint": _fingerprint(rule, zip(ids, rotations[kept], digests, boxes, strict=True)),
        "crop_rule": real.crop_rule,
        "found": len(records),
        "missing": real.missing(data_root),
        "beyond_max_angle": beyond,
        "already_cropped": boxes.count(None),
        "unreadable": [f"{path}: {errors[path]}" for path in sorted(errors)],
    }
    dataset.save(folder, images, rotations[kept], angles[kept], ids, identities, meta)
    (folder / dataset.ORIGIN).write_text(str(real.root(data_root).absolute()), encoding="utf-8")


def _parallel(
    jobs: int, work: Callable[..., Result], items: Sequence[tuple[Any, ...]], what: str, progress: Progress
) -> Iterator[Result]:
    """Results of ``work(*item)`` in order."""
    progress(what, 0, len(items))
    parallel = joblib.Parallel(n_jobs=jobs, batch_size=CHUNK, return_as="generator")
    for done, result in enumerate(parallel(joblib.delayed(work)(*item) for item in items), 1):
        progress(what, done, len(items))
        yield result


def _crop(path: Path, box: Box | None, size: int) -> tuple[NDArray[np.uint8] | None, str]:
    """Crop and file digest; for an unreadable image None and what is wrong."""
    try:
        return read_crop(path, box, size)
    except UnreadableError as error:
        return None, str(error)


def _fingerprint(rule: str, images: Iterable[tuple[str, NDArray[np.float64], str, Box | None]]) -> str:
    """Digest of how a set was cropped, and of each image's name, rotation, file digest and face square."""
    digest = hashlib.sha256(rule.encode())
    for image_id, rotation, content, box in images:
        square = "already cropped" if box is None else " ".join(f"{edge:.2f}" for edge in box)
        digest.update(f"|{image_id}|{content}|{square}|".encode() + (rotation.round(6) + 0.0).tobytes())
    return digest.hexdigest()
