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
    """An array of the .npy format; refuses pickled objects."""
    array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    return array
