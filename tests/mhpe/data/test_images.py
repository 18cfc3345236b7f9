"""The one decoder of image files."""

import io
import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mhpe.data.crops import read_crop
from mhpe.data.images import UnreadableError, opened, read_file, to_rgb
from mhpe.errors import InputError
from mhpe.predict.photographs import find_images, read_photograph

GREY = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)
GREY[0, 0] = 255
DEEP = GREY.astype(np.uint16)


def png16(channels: np.ndarray, colour_type: int) -> bytes:
    """A PNG of 16 bits a channel, which Pillow cannot write in colours."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in channels)
    header = struct.pack(">IIBBBBB", channels.shape[1], channels.shape[0], 16, colour_type, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def decoded(content: bytes) -> np.ndarray:
    with opened(content) as image:
        return np.asarray(to_rgb(image))


COLOURS = np.stack([GREY, GREY[::-1], GREY.T], -1)


def test_colours_of_any_mode_are_the_same() -> None:
    image = Image.fromarray(COLOURS)
    for content in (
        saved(image, "PNG"),
        saved(image.convert("RGBA"), "PNG"),
    ):
        np.testing.assert_array_equal(decoded(content), COLOURS)
    np.testing.assert_allclose(decoded(saved(image.convert("CMYK"), "TIFF")), COLOURS, atol=1)
    np.testing.assert_allclose(decoded(saved(image.convert("YCbCr"), "TIFF")), COLOURS, atol=4)
    palette = image.convert("P", palette=Image.Palette.ADAPTIVE)
    np.testing.assert_array_equal(decoded(saved(palette, "PNG")), np.asarray(palette.convert("RGB")))
    black_and_white = decoded(saved(Image.fromarray(GREY).convert("1"), "PNG"))
    assert set(np.unique(black_and_white)) == {0, 255}


def test_transparent_pixels_lie_on_black() -> None:
    image = Image.fromarray(COLOURS).convert("RGBA")
    alpha = np.full((40, 40), 255, dtype=np.uint8)
    alpha[:10] = 0
    image.putalpha(Image.fromarray(alpha))
    found = decoded(saved(image, "PNG"))
    assert found[:10].max() == 0
    np.testing.assert_array_equal(found[10:], COLOURS[10:])
    palette = Image.fromarray(COLOURS).convert("P", palette=Image.Palette.ADAPTIVE)
    with warnings.catch_warnings(action="error"):
        found = decoded(saved(palette, "PNG", transparency=bytes([0] * 256)))
    assert found.max() == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (saved(Image.fromarray(DEEP.astype(np.float32)), "TIFF"), "pixels of mode F"),
        (saved(Image.fromarray(DEEP * 257), "PNG"), "8 bits a channel"),
        (saved(Image.fromarray(DEEP * 257), "TIFF"), "8 bits a channel"),
        (b"P5 40 40 65535\n" + (DEEP * 257).astype(">u2").tobytes(), "8 bits a channel"),
        (png16(np.stack([DEEP * 257, np.full_like(DEEP, 65535)], -1), 4), "16 bits a channel"),
        (saved(Image.fromarray(DEEP.astype(np.int32) * 2**20), "TIFF"), "8 bits a channel"),
        (saved(Image.new("LAB", (9, 9)), "TIFF"), "mode LAB"),
        (png16(COLOURS.astype(np.uint16) * 257, 2), "16 bits a channel"),
        (b"", "empty"),
        (bytes(500), "500 zeros"),
        (b"<!DOCTYPE html>", "begins with b'<!DOCTYPE"),
        (saved(Image.fromarray(COLOURS), "PNG")[:900], "not complete"),
    ],
)
def test_what_cannot_be_decoded_for_certain_is_refused(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(content)
    for read in (read_photograph, lambda path: read_crop(path, None, 32)):
        with pytest.raises(UnreadableError, match=words) as error:
            read(tmp_path / "a.png")
        assert "BytesIO" not in str(error.value)


def test_what_is_no_file_is_unreadable_without_a_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(2**40)
    for name, words in (
        ("pipe", "no regular file"), ("gone", "missing"), ("loop", "missing"), ("huge", "MiB"), ("none", "no such")
    ):  # fmt: skip
        with pytest.raises(UnreadableError, match=words):
            read_file(tmp_path / f"{name}.jpg")


def test_a_failing_disk_is_no_unreadable_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")

    def fail(_: Path) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(InputError, match="Input/output error"):
        read_file(tmp_path / "a.jpg")


def test_hidden_files_and_folders_are_no_images(tmp_path: Path) -> None:
    for name in ("._a.jpg", ".hidden.png", "b.JPG"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.jpg").mkdir()
    assert find_images([tmp_path]) == [tmp_path / "b.JPG"]
    with pytest.raises(InputError, match="no such"):
        find_images([tmp_path / ("a" * 300)])
