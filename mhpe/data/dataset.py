"""A prepared data set: memory-mapped crops with rotations, in one folder."""

import json
import os
import shutil
import uuid
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock
from numpy.typing import NDArray

from mhpe.errors import DataSetError, InputError

FORMAT = 3  # version of the folder's layout and content; part of every key

FILES = ("images.npy", "rotations.npy", "angles.npy", "index.csv")
"""Files of a prepared folder beside ``meta.json``, which holds their checksum."""

ORIGIN = "made_from.txt"
"""File that names the folder a real set was made from; not in ``meta.json``, which goes into results stores."""

Images = np.memmap[Any, np.dtype[np.uint8]]

Progress = Callable[[str, int, int], None]
"""Progress callback for long data set operations: the operation's name, items done, items in total."""


@dataclass(frozen=True)
class HeadPoseSet:
    """N face crops with their rotations."""

    name: str  # the data set's name
    folder: Path  # of the prepared set
    images: NDArray[np.uint8]  # (N, 3, S, S) uint8 RGB, memory-mapped, copy on write
    rotations: NDArray[np.float32]  # (N, 3, 3) canonical rotations, float32
    angles: NDArray[np.float32]  # (N, 3) yaw, pitch, roll in degrees as the labels state them, float32
    image_ids: tuple[str, ...]  # N names
    identities: NDArray[np.int64]  # (N,) number of the person or photograph an image shows
    fingerprint: str  # digest of the content: files, labels, crop rule and size. Equal on every machine
    meta: dict[str, Any]  # what the set was made from, and what was left out

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int:
        """Side of an image in pixels."""
        return int(self.images.shape[2])

    @classmethod
    def load(cls, folder: Path) -> "HeadPoseSet":
        """Open a prepared folder.

        Raises:
            DataSetError: if it is missing, damaged or of another :data:`FORMAT`.
        """
        advice = "delete it and prepare again"
        try:
            text = (folder / "meta.json").read_text(encoding="utf-8")
            meta = json.loads(text)
            if meta["format"] != FORMAT:
                other = f"prepared in format {meta['format']} of another version, this one reads {FORMAT}"
                raise DataSetError(f"{folder}: {other}; {advice}")
            states = [(folder / name).stat() for name in FILES]
            if not _intact(folder, text, tuple((s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for s in states)):
                raise DataSetError(f"{folder}: damaged, its files are not those that were written; {advice}")
            index = pd.read_csv(folder / "index.csv", dtype={"image_id": str, "identity": str}, keep_default_na=False)
            images = np.load(folder / "images.npy", mmap_mode="c")
            rotations = np.load(folder / "rotations.npy").astype(np.float32)
            angles = np.load(folder / "angles.npy").astype(np.float32)
            name, fingerprint = meta["name"], meta["fingerprint"]
        except DataSetError:
            raise
        except FileNotFoundError as error:
            what = f"incomplete: no {error.filename}; {advice}" if folder.is_dir() else "missing; prepare it again"
            raise DataSetError(f"prepared data set {folder} is {what}") from error
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise DataSetError(f"{folder}: not a prepared data set ({error}); {advice}") from error
        identities = pd.factorize(index["identity"])[0].astype(np.int64)
        image_ids = tuple(index["image_id"])
        return cls(name, folder, images, rotations, angles, image_ids, identities, fingerprint, meta)


@cache
def _intact(folder: Path, meta: str, _: tuple[tuple[int, ...], ...]) -> bool:
    """Whether a prepared folder's files have their checksum, computed once a process for each state of the files."""
    facts = json.loads(meta)
    return bool(_checksum(folder, facts) == facts["checksum"])


def _checksum(folder: Path, meta: dict[str, Any]) -> str:
    """CRC-32 of the facts and the files of a prepared folder; five times as fast as SHA-256."""
    facts = {name: value for name, value in meta.items() if name != "checksum"}
    value = zlib.crc32(json.dumps(facts, sort_keys=True).encode())
    for name in FILES:
        with (folder / name).open("rb") as file:
            while chunk := file.read(2**20):
                value = zlib.crc32(chunk, value)
    return f"{value:08x}"


def save(
    folder: Path,
    images: Images,
    rotations: NDArray[np.float64],
    angles: NDArray[np.float64],
    image_ids: Sequence[str],
    identities: Sequence[Any],
    meta: dict[str, Any],
) -> None:
    """Write the N images of :func:`allocate_images` to the disk, and the other parts of the prepared set beside them.

    ``rotations`` are (N, 3, 3), ``angles`` (N, 3) degrees, ``meta`` holds at least name and fingerprint.
    """
    images.flush()
    np.save(folder / "rotations.npy", rotations)
    np.save(folder / "angles.npy", angles)
    pd.DataFrame({"image_id": image_ids, "identity": identities}).to_csv(folder / "index.csv", index=False)
    meta = meta | {"format": FORMAT, "count": len(image_ids), "size": images.shape[2]}
    meta["checksum"] = _checksum(folder, meta)
    (folder / "meta.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")


def allocate_images(folder: Path, count: int, size: int) -> Images:
    """A new memory-mapped ``images.npy`` (count, 3, size, size) whose room on the disk is reserved.

    Without the reservation a full disk would kill the process; with it, there is an OSError.

    Raises:
        InputError: if the disk has too little room, before anything is reserved.
    """
    needed, free = count * 3 * size**2, shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"{count:,} images of {size} x {size} pixels need {needed / 1e9:,.1f} GB, {free / 1e9:,.1f} GB are free in "
            f"{folder.parent}; fewer or smaller images would fit, or set MHPE_CACHE to a folder with room"
        )
    path = folder / "images.npy"
    images = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(count, 3, size, size))
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return images


def create_once(target: Path, make: Callable[[Path], None]) -> None:
    """Make a folder unless it exists, and once if several processes ask at the same time.

    ``make`` fills a temporary folder beside ``target``, which becomes ``target`` in one step or vanishes on an error.

    Raises:
        InputError: if the folder cannot be written.
    """
    if target.is_dir():
        return
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f".{target.name}.lock")):
            if target.is_dir():
                return
            for abandoned in target.parent.glob(f".{target.name}.????????"):
                shutil.rmtree(abandoned)  # of a process that was killed: the lock is ours
            temporary.mkdir()
            make(temporary)
            temporary.replace(target)
    except OSError as error:
        raise InputError(
            f"cannot write {target.parent}: {error.strerror or error}; set MHPE_CACHE to a folder with room"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
