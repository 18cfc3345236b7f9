"""Image files as 8-bit RGB, read in one way for data sets and photographs.

Colours are converted by Pillow. Transparent pixels lie on black, as everything beyond an image does. More than 8 bits a
channel are refused: files do not say which part of the range their values use.
"""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from mhpe.errors import InputError

LARGEST_FILE = 512 * 2**20  # bytes of an image file, which is read whole
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr")
"""Pillow's modes of at most 8 bits a channel that it converts to RGB."""
IMAGE_SUFFIXES = (
    ".arw", ".avif", ".bmp", ".cr2", ".dng", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".jxl",
    ".nef", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".psd", ".svg", ".tga", ".tif", ".tiff", ".webp",
)  # fmt: skip
"""Suffixes of files that a person takes for images."""


class UnreadableError(ValueError):
    """A file is not a complete image that can be decoded."""


def folder_files(folder: Path) -> list[Path]:
    """The files of a folder, by name; no hidden ones, such as a Mac's ``._image.jpg``."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and not path.is_dir())
    except OSError as error:
        raise InputError(f"cannot read folder {folder}: {error.strerror or error}") from None


def not_read(files: Sequence[Path]) -> list[str]:
    """A line on files that are images by their names, but of none that are read; nothing if there are none."""
    images = [file.name for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    some = ", ".join(images[:3]) + (", ..." if len(images) > 3 else "")
    return [f"{len(images):,} other image file(s), which are not read ({some})"] if images else []


def read_file(path: Path, largest: int = LARGEST_FILE) -> bytes:
    """Content of a regular file.

    Raises:
        UnreadableError: if it is missing, or has more than ``largest`` bytes.
        InputError: if the disk or the system fails.
    """
    try:
        if not path.is_file():
            if path.is_symlink():
                raise UnreadableError("a link to a file that is missing")
            raise UnreadableError("no regular file" if path.exists() else "no such file")
        size = path.stat().st_size
        if size > largest:
            raise UnreadableError(f"{size / 2**20:,.0f} MiB; at most {largest / 2**20:,.0f} MiB are read")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise UnreadableError(f"{error.strerror}") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None


def image_size(path: Path) -> tuple[int, int]:
    """Width and height of an image file, whose pixels are not read."""
    if not path.is_file():
        raise UnreadableError("no regular file")
    with opened(path) as image:
        return image.size


@contextmanager
def opened(source: bytes | Path) -> Iterator[Image.Image]:
    """An image file, or its content, as a Pillow image whose pixels are not decoded yet.

    Raises:
        UnreadableError: if it is not an image, or turns out to be damaged inside the context.
    """
    with warnings.catch_warnings(action="ignore"):  # Pillow's, of what is no harm to the pixels
        try:
            with Image.open(source if isinstance(source, Path) else io.BytesIO(source)) as image:
                yield image
        except (UnreadableError, InputError, MemoryError):
            raise
        except UnidentifiedImageError:
            raise UnreadableError(f"no image{_start(source) if isinstance(source, bytes) else ''}") from None
        except Image.DecompressionBombError:
            most = 2 * (Image.MAX_IMAGE_PIXELS or 0)
            raise UnreadableError(f"too large; at most {most:,} pixels are decoded") from None
        except Exception as error:  # Pillow raises many kinds for files that are not complete images
            raise UnreadableError(f"damaged or not complete ({error or type(error).__name__})") from None


def _start(content: bytes) -> str:
    """Words for the content of a file that is not an image."""
    if not content.strip(b"\0"):
        return f"; the file holds {len(content):,} zeros" if content else "; the file is empty"
    return f"; the file begins with {content[:16]!r}"


def to_rgb(image: Image.Image) -> Image.Image:
    """Decode the pixels of an :func:`opened` image to 8-bit RGB.

    Raises:
        UnreadableError: if it has more than 8 bits a channel, or colours that Pillow does not convert.
    """
    deep = ";16" in f"{image.mode} {getattr(image, 'tile', '')}"
    if deep or image.mode not in MODES:
        what = "16 bits a channel" if deep else f"pixels of mode {image.mode}"
        raise UnreadableError(f"{what} cannot be converted for certain; 8 bits a channel would be right")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    return image.convert("RGB")
