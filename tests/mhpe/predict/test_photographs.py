"""Photographs that belong to no data set."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mhpe.data.crops import read_crop
from mhpe.data.images import UnreadableError
from mhpe.errors import InputError
from mhpe.predict.photographs import crop_for, face_square, find_images, read_photograph


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_folders_stand_for_their_images(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.gif", "c.HEIC", "d.svg", "notes.txt"):
        (tmp_path / name).write_text("")
    said: list[str] = []
    found = find_images([tmp_path, tmp_path / "notes.txt"], said.append)
    assert found == [tmp_path / n for n in ("a.gif", "b.JPG", "notes.txt")]
    assert len(said) == 1
    assert "2 other image file(s), which are not read (c.HEIC, d.svg)" in said[0]
    with pytest.raises(InputError, match="no such image or folder"):
        find_images([tmp_path / "c.png"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no image"):
        find_images([tmp_path / "empty"])


def test_camera_orientation_is_heeded(tmp_path: Path) -> None:
    upright = noise(40, 20)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 270 degrees to see it upright
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(np.asarray(read_photograph(tmp_path / "a.png")), np.asarray(upright))


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n broken"])
def test_broken_files_are_unreadable(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UnreadableError):
        read_photograph(tmp_path / "a.png")


def test_square_of_a_photograph() -> None:
    photograph = noise(60, 40)
    assert face_square(photograph, None) == (10, 0, 50, 40)
    assert face_square(photograph, (5, 6, 25, 26)) == (5, 6, 25, 26)
    assert face_square(photograph, (10, 10, 20, 30)) == (5, 10, 25, 30)  # the shorter side made longer
    assert face_square(photograph, (-5, -5, 20, 20)) == (-5, -5, 20, 20)
    with pytest.raises(InputError, match="box 60,0,80,20 lies outside an image of 60 x 40 pixels"):
        face_square(photograph, (60, 0, 80, 20))
    assert face_square(photograph, (49, 0, 69, 20)) == (49, 0, 69, 20)
    with pytest.raises(InputError, match="box 51,0,71,20 lies mostly outside an image of 60 x 40 pixels"):
        face_square(photograph, (51, 0, 71, 20))


def test_crop_is_what_the_training_sees(tmp_path: Path) -> None:
    """The same rule as the data sets' loaders; black beyond the picture."""
    noise(60, 40).save(tmp_path / "a.png")
    box = (-8.5, -4.25, 31.5, 35.75)
    crop = crop_for(read_photograph(tmp_path / "a.png"), box, 32)
    assert crop.shape == (3, 32, 32)
    assert np.array_equal(crop.transpose(1, 2, 0), read_crop(tmp_path / "a.png", box, 32)[0])
    assert crop[:, :, :6].max() == 0
