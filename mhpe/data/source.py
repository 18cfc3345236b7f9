"""What a data set on disk is to the suite: records with a label and a face box."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from mhpe.errors import InputError
from mhpe.rotations import from_euler

MAX_ANGLE = 99.0
"""Samples with any |angle| above this are left out, as all published results on these sets do (degrees)."""


@dataclass(frozen=True)
class Record:
    """One image with its label file.

    Attributes:
        image: path of the image.
        label: path of the label file.
        image_id: path of the image inside the data set, without suffix; the name results are stored under.
        identity: the person, or the photograph, that several images share; never split across two sets.
    """

    image: Path
    label: Path
    image_id: str
    identity: str


@dataclass(frozen=True)
class Label:
    """A record's label.

    Attributes:
        angles: (3,) yaw, pitch, roll in degrees as the set states them. They can leave the range of
            :func:`mhpe.rotations.to_euler`: 300W-LP has yaws beyond 90.
        box: face square (left, top, right, bottom) in pixels, or None when the image already is the crop.
        rotation: (3, 3) canonical rotation, float64, or None when the set states angles alone, which mean one.
    """

    angles: NDArray[np.float64]
    box: tuple[float, float, float, float] | None
    rotation: NDArray[np.float64] | None = None


def rotations_of(labels: Sequence[Label]) -> NDArray[np.float64]:
    """Canonical rotations (N, 3, 3) of N labels."""
    rotations = from_euler(torch.from_numpy(np.stack([label.angles for label in labels]))).numpy()
    for i, label in enumerate(labels):
        if label.rotation is not None:
            rotations[i] = label.rotation
    return rotations


class Source(ABC):
    """A data set in its original layout under a data root."""

    name: ClassVar[str]
    title: ClassVar[str]
    folder: ClassVar[str]
    licence: ClassVar[str]
    published_images: ClassVar[int]
    """Images that published results are about, those beyond ``MAX_ANGLE`` left out."""
    crop_rule: ClassVar[str]
    """The crop rule in words and numbers; part of a prepared set's key."""
    folder_file: ClassVar[str] = ""
    """Name of a file that the images of a folder share and that their crops depend on, if there is one."""

    def root(self, data_root: Path) -> Path:
        """The set's folder under ``data_root``.

        Raises:
            InputError: if it is not there.
        """
        root = data_root / self.folder
        if not root.is_dir():
            raise InputError(
                f"{self.title}: no folder {root}; put the set there in its original layout or pass another --data-root"
            )
        return root

    @abstractmethod
    def records(self, data_root: Path) -> list[Record]:
        """All records in a fixed order, their labels unread.

        Raises:
            InputError: if the folder is missing or holds no record.
        """

    def lacking(self, data_root: Path) -> list[str]:  # noqa: ARG002
        """In words, which of its parts are missing as far as their folders tell."""
        return []

    @abstractmethod
    def label(self, record: Record) -> Label:
        """Read one record's label.

        Raises:
            InputError: if the label file is missing, unreadable or incomplete.
        """

    def _need(self, records: list[Record], pattern: str, data_root: Path) -> list[Record]:
        if not records:
            raise InputError(f"{self.title}: {self.root(data_root)} holds no {pattern}; is it the original layout?")
        return records
