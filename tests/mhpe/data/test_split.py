"""A training set in two parts that share no identity."""

from pathlib import Path

import numpy as np
import pytest

from mhpe.data import HeadPoseSet
from mhpe.data.split import split
from mhpe.datasets import prepared
from mhpe.errors import InputError
from mhpe.synthheads.sets import SynthConfig
from tests.fake_data import write_300w_lp


@pytest.fixture
def faces(tmp_path: Path) -> HeadPoseSet:
    """300W-LP of 12 photographs with 4 views and their mirror images each."""
    write_300w_lp(tmp_path / "data", photographs=3, views=4)
    return prepared("300w_lp", 16, tmp_path / "data", SynthConfig(), 1)


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_near_copies_of_a_face_are_on_one_side(faces: HeadPoseSet, tmp_path: Path, share: float) -> None:
    parts = split(faces, share, 0, tmp_path / "parts")
    photographs = [{name.split("/")[1].rpartition("_")[0] for name in part.image_ids} for part in parts_of(parts)]
    assert not photographs[0] & photographs[1]
    assert sorted(parts.fit.image_ids + parts.validation.image_ids) == sorted(faces.image_ids)
    assert len(parts.validation) == pytest.approx(share * len(faces), abs=4)  # half an identity


def parts_of(parts) -> tuple[HeadPoseSet, HeadPoseSet]:
    return parts.fit, parts.validation


def test_parts_hold_the_sets_images(faces: HeadPoseSet, tmp_path: Path) -> None:
    for part in parts_of(split(faces, 0.3, 0, tmp_path / "parts")):
        at = [faces.image_ids.index(name) for name in part.image_ids]
        np.testing.assert_array_equal(part.images, faces.images[at])
        np.testing.assert_array_equal(part.rotations, faces.rotations[at])
        np.testing.assert_array_equal(part.angles, faces.angles[at])
        same = part.identities[:, None] == part.identities
        np.testing.assert_array_equal(same, faces.identities[at][:, None] == faces.identities[at])


def test_fingerprints_follow_what_a_part_is_made_of(faces: HeadPoseSet, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    base = split(faces, 0.3, 0, folder)
    again = split(faces, 0.3, 0, tmp_path / "elsewhere")
    assert (again.fit.fingerprint, again.fit.image_ids) == (base.fit.fingerprint, base.fit.image_ids)
    others = [split(faces, 0.4, 0, folder), split(faces, 0.3, 1, folder)]
    prints = {part.fingerprint for parts in (base, *others) for part in parts_of(parts)} | {faces.fingerprint}
    assert len(prints) == 7


def test_one_identity_cannot_be_split(faces: HeadPoseSet, tmp_path: Path) -> None:
    same = HeadPoseSet(**(vars(faces) | {"identities": np.zeros(len(faces), np.int64)}))
    with pytest.raises(InputError, match="300w_lp: cannot be split by identity, all of its images show the same one"):
        split(same, 0.2, 0, tmp_path / "parts")
