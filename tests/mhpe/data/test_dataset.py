"""Prepared folders: intact, of this version, and no larger than the disk."""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mhpe.data import HeadPoseSet, dataset
from mhpe.datasets import prepared
from mhpe.errors import DataSetError, InputError
from mhpe.synthheads.sets import SynthConfig
from tests.fake_data import draw_head, write_aflw2000


@pytest.fixture
def faces(tmp_path: Path) -> HeadPoseSet:
    """Five prepared heads."""
    write_aflw2000(tmp_path, 5)
    return prepared("aflw2000", 32, tmp_path)


def half_zeros(folder: Path) -> None:
    content = (folder / "images.npy").read_bytes()
    (folder / "images.npy").write_bytes(content[: len(content) // 2] + bytes(len(content) - len(content) // 2))


def one_bit(folder: Path) -> None:
    content = bytearray((folder / "angles.npy").read_bytes())
    content[-3] ^= 1
    (folder / "angles.npy").write_bytes(content)


def other_name(folder: Path) -> None:
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(meta | {"fingerprint": "0" * 64}))


def other_images(folder: Path) -> None:
    text = (folder / "index.csv").read_text()
    (folder / "index.csv").write_text(text.replace("image00001", "image00009"))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (half_zeros, "damaged"),
        (one_bit, "damaged"),
        (other_name, "damaged"),
        (other_images, "damaged"),
        (lambda folder: (folder / "rotations.npy").unlink(), "missing"),
        (lambda folder: (folder / "images.npy").write_bytes(b""), "damaged"),
        (lambda folder: (folder / "meta.json").write_text("{}"), "not a prepared data set"),
        (lambda folder: (folder / "meta.json").write_text("[1]"), "not a prepared data set"),
        (lambda folder: (folder / "meta.json").write_bytes(b"\xff"), "not a prepared data set"),
        (shutil.rmtree, "missing"),
    ],
)
def test_a_damaged_or_missing_set_is_recognised(faces: HeadPoseSet, damage: Callable[[Path], None], words: str) -> None:
    HeadPoseSet.load(faces.folder)
    time.sleep(0.02)  # the times of files are that coarse on some systems
    damage(faces.folder)
    with pytest.raises(DataSetError, match=words) as error:
        HeadPoseSet.load(faces.folder)
    assert str(faces.folder) in str(error.value)


def test_files_are_verified_once_a_process(faces: HeadPoseSet, monkeypatch: pytest.MonkeyPatch) -> None:
    HeadPoseSet.load(faces.folder)
    monkeypatch.setattr(dataset, "_checksum", lambda *_: pytest.fail("read again"))
    HeadPoseSet.load(faces.folder)


def test_a_set_of_another_format_is_not_loaded(faces: HeadPoseSet, tmp_path: Path) -> None:
    meta = json.loads((faces.folder / "meta.json").read_text())
    (faces.folder / "meta.json").write_text(json.dumps(meta | {"format": dataset.FORMAT - 1}))
    with pytest.raises(DataSetError, match=f"format {dataset.FORMAT - 1}"):
        prepared("aflw2000", 32)
    os.utime(tmp_path / "AFLW2000" / "image00000.jpg", (0, 0))  # so that it is prepared a second time
    prepared("aflw2000", 32, tmp_path)
    assert len(prepared("aflw2000", 32)) == 5  # the other one is passed over


def test_an_earlier_conversion_is_used_with_a_word(faces: HeadPoseSet, tmp_path: Path) -> None:
    said: list[str] = []
    for root in (None, tmp_path / "cache"):
        assert prepared("aflw2000", 32, root, say=said.append).folder == faces.folder
    assert all(str(faces.folder) in line and f"made from {tmp_path / 'AFLW2000'}" in line for line in said)
    assert len(said) == 2
    prepared("aflw2000", 32, tmp_path, say=said.append)
    assert len(said) == 2
    os.utime(tmp_path / "AFLW2000" / "image00000.jpg", (0, 0))
    prepared("aflw2000", 32, tmp_path)
    assert prepared("aflw2000", 32).fingerprint == faces.fingerprint  # two folders with one content
    draw_head(np.eye(3), 90).save(tmp_path / "AFLW2000" / "image00001.jpg")
    prepared("aflw2000", 32, tmp_path)
    with pytest.raises(InputError, match="2 prepared versions"):
        prepared("aflw2000", 32)


@pytest.mark.parametrize("name", ["aflw2000", "synth_train"])
def test_sizes_are_compared_with_the_free_disk_before_anything_is_reserved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write_aflw2000(tmp_path, 3)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**6, 10**6, 9000))
    monkeypatch.setattr(dataset.np.lib.format, "open_memmap", lambda *_, **__: pytest.fail("reserved"))
    with pytest.raises(InputError, match="GB are free"):
        prepared(name, 64, tmp_path, SynthConfig(train=1_000_000))
    assert not list((tmp_path / "cache").rglob("*.npy"))


@pytest.mark.parametrize("size", [100_000, 10**9, 0, -5])
def test_absurd_sizes_are_refused(tmp_path: Path, size: int) -> None:
    write_aflw2000(tmp_path, 3)
    for name in ("aflw2000", "synth_lab"):
        with pytest.raises(InputError, match="1024 would be right"):
            prepared(name, size, tmp_path)
