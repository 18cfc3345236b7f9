"""Where files live on this machine: derived ones, and the networks that come with the package."""

import os
import sys
from pathlib import Path

NAME = "mhpe-bench"

PRETRAINED = Path(__file__).parent / "pretrained" / "synthheads.safetensors"
"""First weights of ``init: synthheads``, trained on SynthHeads alone; see ORIGIN.md beside it."""

FOR_PHOTOGRAPHS = PRETRAINED.with_name("photographs.safetensors")
"""The network of ``bench predict``, trained on from there on heads of varied appearance; see ORIGIN.md, too."""


def cache_folder() -> Path:
    """Folder of everything that can be made again: ``MHPE_CACHE``, or one in the user's cache folder."""
    if chosen := os.environ.get("MHPE_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / NAME / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / NAME
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / NAME
