"""The state of a training after its last finished epoch, in one file: a training that was killed goes on from it."""

import hashlib
import io
import os
import pickle
import time
from pathlib import Path
from typing import Any

import torch

DIGEST_BYTES = hashlib.sha256().digest_size


class Checkpoint:
    """A training's checkpoint: the state dictionaries of its parts, the finished epochs and the time they took.

    A file that is damaged or of another context is not used, and a checkpoint that cannot be written does not end a
    training: both leave a note in ``notes``.

    Args:
        path: of the file; its folder is made when it is needed.
        context: what else the numbers depend on: the trial, versions and device.
    """

    def __init__(self, path: Path, context: str) -> None:
        self.path, self.context = path, context
        self.notes: list[str] = []
        self._before, self._started = 0.0, time.perf_counter()

    @property
    def seconds(self) -> float:
        """Duration of the training, the part before it was killed included."""
        return self._before + time.perf_counter() - self._started

    def save(self, state: dict[str, Any]) -> None:
        """Write tensors and plain data after an epoch, in one step: never half a file."""
        buffer = io.BytesIO()
        torch.save({"context": self.context, "seconds": self.seconds, "state": state}, buffer)
        content = buffer.getvalue()
        temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(hashlib.sha256(content).digest() + content)
            temporary.replace(self.path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            self._note(f"no checkpoint in {self.path.parent}: {error.strerror or error}")

    def load(self) -> dict[str, Any] | None:
        """What :meth:`save` was given last, its tensors on the CPU; None if there is no usable file."""
        if not self.path.exists():
            return None
        try:
            with self.path.open("rb") as file:
                digest, content = file.read(DIGEST_BYTES), file.read()
            if hashlib.sha256(content).digest() != digest:
                raise ValueError("its content has changed")
            stored = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            if stored["context"] != self.context:
                raise ValueError("it is of another trial, version or device")
        except (OSError, ValueError, pickle.UnpicklingError) as error:
            self._note(f"checkpoint {self.path} not used: {error}")
            return None
        self._before = stored["seconds"]
        state: dict[str, Any] = stored["state"]
        return state

    def remove(self) -> None:
        """Delete the file, and what killed processes left half written."""
        for path in self.path.parent.glob(f"{self.path.stem}.*"):
            path.unlink(missing_ok=True)

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
