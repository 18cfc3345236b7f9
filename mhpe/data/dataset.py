"""A prepared data set: memory-mapped crops with rotations, in one folder."""

import json
import os
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mhpe.errors import InputError

FORMAT = 2
"""Version of the folder's layout; part of every key."""


@dataclass(frozen=True)
class HeadPoseSet:
    """N face crops with their rotations.

    Attributes:
        name: the data set's name.
        folder: where it lies.
        images: (N, 3, S, S) uint8 RGB, memory-mapped, copy on write.
        rotations: (N, 3, 3) canonical rotations, float32.
        angles: (N, 3) yaw, pitch, roll in degrees as the labels state them, float32.
        image_ids: N names.
        identities: (N,) number of the person or photograph an image shows.
        fingerprint: digest of the content: files, labels, crop rule and size. Equal on every machine.
        meta: what the set was made from, and what was left out.
    """

    name: str
    folder: Path
    images: NDArray[np.uint8]
    rotations: NDArray[np.float32]
    angles: NDArray[np.float32]
    image_ids: tuple[str, ...]
    identities: NDArray[np.int64]
    fingerprint: str
    meta: dict[str, Any]

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
            InputError: if a part is missing or damaged.
        """
        try:
            meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
            index = pd.read_csv(folder / "index.csv", dtype={"image_id": str, "identity": str}, keep_default_na=False)
            images = np.load(folder / "images.npy", mmap_mode="c")
            rotations = np.load(folder / "rotations.npy").astype(np.float32)
            angles = np.load(folder / "angles.npy").astype(np.float32)
            count, name, fingerprint = meta["count"], meta["name"], meta["fingerprint"]
        except (OSError, EOFError, ValueError, KeyError) as error:
            raise InputError(f"{folder}: not a prepared data set ({error}); delete it and prepare again") from error
        if not len(index) == len(images) == len(rotations) == len(angles) == count:
            raise InputError(f"{folder}: a damaged prepared data set; delete it and prepare again")
        identities = pd.factorize(index["identity"])[0].astype(np.int64)
        image_ids = tuple(index["image_id"])
        return cls(name, folder, images, rotations, angles, image_ids, identities, fingerprint, meta)


def save(
    folder: Path,
    images: NDArray[np.uint8],
    rotations: NDArray[np.float64],
    angles: NDArray[np.float64],
    index: pd.DataFrame,
    meta: dict[str, Any],
) -> None:
    """Write a prepared set's parts into an existing folder; images that are already there stay.

    Args:
        folder: the (temporary) folder.
        images: (N, 3, S, S) uint8.
        rotations: (N, 3, 3).
        angles: (N, 3) degrees.
        index: columns image_id and identity.
        meta: must hold name and fingerprint.
    """
    if not (folder / "images.npy").exists():
        np.save(folder / "images.npy", images)
    np.save(folder / "rotations.npy", rotations)
    np.save(folder / "angles.npy", angles)
    index.to_csv(folder / "index.csv", index=False)
    meta = {**meta, "format": FORMAT, "count": len(images), "size": images.shape[2]}
    (folder / "meta.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")


def allocate_images(folder: Path, count: int, size: int) -> "np.memmap[Any, np.dtype[np.uint8]]":
    """A new memory-mapped ``images.npy`` (count, 3, size, size) whose room on the disk is reserved.

    Raises:
        OSError: if the disk has not enough room. (Without the reservation a full disk would kill the process.)
    """
    path = folder / "images.npy"
    images = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(count, 3, size, size))
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return images


@contextmanager
def created_once(target: Path) -> Iterator[Path | None]:
    """Make a folder once, even if several processes ask at the same time.

    Yields a temporary folder beside ``target``, which becomes ``target`` in one step or vanishes on an error;
    None if ``target`` is there already, or another process has made it while this one waited.

    Raises:
        InputError: if the folder cannot be written.
    """
    if target.is_dir():
        yield None
        return
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target.with_name(f".{target.name}.lock")):
            if target.is_dir():
                yield None
                return
            for abandoned in target.parent.glob(f".{target.name}.????????"):
                shutil.rmtree(abandoned)  # of a process that was killed: the lock is ours
            temporary.mkdir()
            yield temporary
            temporary.replace(target)
    except (OSError, sqlite3.OperationalError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot write {target.parent}: {reason}; set MHPE_CACHE to a folder with room") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock among processes: an exclusive transaction of SQLite, which a process's death ends, too."""
    with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as database:
        while not database.in_transaction:
            try:
                database.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
        yield
