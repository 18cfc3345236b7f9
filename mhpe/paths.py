"""Where files live on this machine: derived ones, and the network that comes with the package."""

import os
import sys
from pathlib import Path

NAME = "mhpe-bench"

PRETRAINED = Path(__file__).parent / "pretrained" / "synthheads.safetensors"
"""The network that comes with the package, trained on SynthHeads alone; see ORIGIN.md beside it."""


def cache_folder() -> Path:
    """Folder of everything that can be made again: ``MHPE_CACHE``, or one in the user's cache folder."""
    if chosen := os.environ.get("MHPE_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / NAME / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / NAME
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / NAME
