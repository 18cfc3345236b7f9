"""Where derived files live on this machine."""

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """Folder of everything that can be made again: ``MHPE_CACHE``, or the user's cache folder."""
    chosen = os.environ.get("MHPE_CACHE")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("mhpe-bench", appauthor=False))
