"""Real data sets in their original layouts: images, each with a label file and a face square."""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from mhpe.data.images import folder_files, not_read
from mhpe.errors import InputError
from mhpe.rotations import from_euler


@dataclass(frozen=True)
class Record:
    """One image with its label file."""

    image: Path
    label: Path
    image_id: str  # path of the image inside the data set, without suffix; the name results are stored under
    identity: str  # the person, or the photograph, that several images share; never split across two sets


@dataclass(frozen=True)
class Label:
    """A record's label."""

    # (3,) yaw, pitch, roll in degrees as the set states them. They can leave the range of
    # mhpe.rotations.to_euler: 300W-LP has yaws beyond 90
    angles: NDArray[np.float64]
    # face square (left, top, right, bottom) in pixels, or None when the image already is the crop
    box: tuple[float, float, float, float] | None
    # (3, 3) canonical rotation, float64, or None when the set states angles alone, which mean one
    rotation: NDArray[np.float64] | None = None


def rotations_of(labels: Sequence[Label]) -> NDArray[np.float64]:
    """Canonical rotations (N, 3, 3) of N labels."""
    rotations = from_euler(torch.from_numpy(np.stack([label.angles for label in labels]))).numpy()
    for i, label in enumerate(labels):
        if label.rotation is not None:
            rotations[i] = label.rotation
    return rotations


class RealSet(ABC):
    """A real data set in its original layout under a data root."""

    name: ClassVar[str]
    title: ClassVar[str]
    folder: ClassVar[str]
    crop_rule: ClassVar[str]  # the crop rule in words and numbers; part of a prepared set's key
    parts: ClassVar[tuple[str, ...]] = ()  # folders that hold the images; without any, they lie in the set's own folder
    stem: ClassVar[str]  # regular expression of the name that an image and its label share, before the two endings
    endings: ClassVar[tuple[str, str]]  # of the images and of the label files, lower case; either case is found
    example: ClassVar[str]  # path of an image, for messages
    folder_file: ClassVar[str] = ""
    """Name of a file that the images of a folder share and that their crops depend on, if there is one."""

    def root(self, data_root: Path) -> Path:
        """The set's folder under ``data_root``; an InputError if it does not exist."""
        root = data_root / self.folder
        if not root.is_dir():
            raise InputError(
                f"{self.title}: no folder {root}; put the set there in its original layout or pass another --data-root"
            )
        return root

    def records(self, data_root: Path) -> list[Record]:
        """All images by part and name, their labels unread.

        Raises:
            InputError: if the folder is missing or holds no image, or two images differ in the case of their suffix.
        """
        records, others = [], []
        for part, folder in self._folders(data_root).items():
            images, labels, rest = self._files(folder)
            others += rest
            for stem, image in images.items():
                label = labels.get(stem, folder / f"{stem}{self.endings[1]}")
                image_id = f"{part}/{stem}" if part else stem
                records.append(Record(image, label, image_id, self.identity(part, stem)))
        if not records:
            found = "; ".join((f"{self.root(data_root)} holds no {self.example}", *not_read(others)))
            raise InputError(f"{self.title}: {found}; is it the original layout?")
        return records

    def missing(self, data_root: Path) -> list[str]:
        """Words for missing folders and files, and for images that are not read, as far as their names tell."""
        folders = self._folders(data_root)
        absent = [part for part in self.parts if part not in folders]
        names = ", ".join(absent[:3]) + (", ..." if len(absent) > 3 else "")
        found = [f"{len(absent)} of {len(self.parts)} folders missing ({names})"] if absent else []
        files = [self._files(folder) for folder in folders.values()]
        counts = {
            "image(s) without label file": sum(len(images.keys() - labels.keys()) for images, labels, _ in files),
            "label file(s) without image": sum(len(labels.keys() - images.keys()) for images, labels, _ in files),
        }
        found += [f"{count:,} {what}" for what, count in counts.items() if count]
        return found + not_read([file for _, _, others in files for file in others])

    def identity(self, part: str, stem: str) -> str:  # noqa: ARG002
        """The person or photograph that the image ``stem`` in the folder ``part`` shows: by default its own."""
        return stem

    @abstractmethod
    def label(self, record: Record) -> Label:
        """Read one record's label; an InputError if the file is missing, unreadable or incomplete."""

    def _folders(self, data_root: Path) -> dict[str, Path]:
        """The folders that hold images, by part; their names in either case."""
        root = self.root(data_root)
        if not self.parts:
            return {"": root}
        folders = {path.name.lower(): path for path in sorted(root.iterdir(), reverse=True) if path.is_dir()}
        return {part: folders[part.lower()] for part in self.parts if part.lower() in folders}

    def _files(self, folder: Path) -> tuple[dict[str, Path], dict[str, Path], list[Path]]:
        """Images and label files of a folder by their stem, and all other files."""
        images: dict[str, Path] = {}
        labels: dict[str, Path] = {}
        others: list[Path] = []
        image, label = (re.escape(ending) for ending in self.endings)
        pattern = re.compile(f"({self.stem})(?i:({image})|{label})")
        for path in folder_files(folder):
            if not (match := pattern.fullmatch(path.name)):
                others.append(path)
                continue
            files = images if match[2] else labels
            if match[1] in files:
                raise InputError(f"{path}: {files[match[1]].name} is there, too; keep one of them")
            files[match[1]] = path
        return images, labels, others
