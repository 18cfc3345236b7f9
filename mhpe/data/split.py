"""A training set in two parts that share no identity: one to fit, one to validate on."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mhpe.data import dataset
from mhpe.data.dataset import HeadPoseSet
from mhpe.errors import InputError

VERSION = 1  # part of every fingerprint: raised when another rule gives other parts
CHUNK = 1024


class Split(NamedTuple):
    """The two parts of a set, prepared data sets named ``NAME_fit`` and ``NAME_validation``."""

    fit: HeadPoseSet
    validation: HeadPoseSet


def split(data: HeadPoseSet, share: float, seed: int, folder: Path) -> Split:
    """Split a set unless that was done before.

    Whole identities go to one part or the other, so that near-copies of a face (the views of a photograph in
    300W-LP, the frames of a person in BIWI) are never on both sides.

    Args:
        data: the set.
        share: of its images to validate on, in (0, 1); met as nearly as whole identities allow.
        seed: chooses the identities.
        folder: where prepared sets are kept.

    Raises:
        InputError: if the set shows fewer than two identities, or ``folder`` cannot be written.
    """
    held_out = _held_out(data, share, seed)
    masks = {"fit": ~held_out, "validation": held_out}
    return Split(*(_part(data, name, np.flatnonzero(mask), share, seed, folder) for name, mask in masks.items()))


def _held_out(data: HeadPoseSet, share: float, seed: int) -> NDArray[np.bool_]:
    """Mask (N,) of the images to validate on: those of the first identities in random order."""
    identities, images = np.unique(data.identities, return_counts=True)
    if len(identities) < 2:
        raise InputError(f"{data.name}: cannot be split by identity, all of its images show the same one")
    order = np.random.default_rng(seed).permutation(len(identities))
    reached = images[order].cumsum()[:-1]  # one identity is left to fit
    count = 1 + int(np.abs(reached - share * len(data)).argmin())
    return np.isin(data.identities, identities[order[:count]])


def _part(
    data: HeadPoseSet, name: str, chosen: NDArray[np.int64], share: float, seed: int, folder: Path
) -> HeadPoseSet:
    text = f"split|{VERSION}|{data.fingerprint}|{share}|{seed}|{name}"
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    target = folder / f"{data.name}_{name}-{data.size}px-{fingerprint[:12]}"

    def write(temporary: Path) -> None:
        images = dataset.allocate_images(temporary, len(chosen), data.size)
        for start in range(0, len(chosen), CHUNK):
            images[start : start + CHUNK] = data.images[chosen[start : start + CHUNK]]
        meta = {key: data.meta[key] for key in ("synthetic", "crop_rule") if key in data.meta} | {
            "name": f"{data.name}_{name}",
            "fingerprint": fingerprint,
            "found": len(data),
            "unreadable": [],
            "split": {"of": data.fingerprint, "share": share, "seed": seed},
        }
        rotations, angles = data.rotations[chosen].astype(np.float64), data.angles[chosen].astype(np.float64)
        ids = [data.image_ids[i] for i in chosen]
        dataset.save(temporary, images, rotations, angles, ids, data.identities[chosen].tolist(), meta)

    dataset.create_once(target, write)
    return HeadPoseSet.load(target)
