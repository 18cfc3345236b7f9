"""Arrays as bytes for the store, without pickles."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_bytes(array: NDArray[Any]) -> bytes:
    """The array in .npy format."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def from_bytes(content: bytes) -> NDArray[Any]:
    """An array of the .npy format.

    Raises:
        ValueError: in one line, if it is anything else, such as pickled objects or a .npz archive.
    """
    file = io.BytesIO(content)
    try:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    except Exception as error:  # the header is parsed as Python, which can fail in any way
        raise ValueError(" ".join(f"no .npy array: {error}".split())) from None
    if file.read(1):
        raise ValueError("no .npy array: it goes on after its end")
    return array
