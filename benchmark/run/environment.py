"""Machine and versions of a trial, for its row in the store."""

import hashlib
import os
import platform
import socket
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import mhpe
import samplers
from mhpe.model.network import resolve

PACKAGES = ("mhpe-bench", "torch", "torchvision", "numpy", "roma", "pillow")


def environment(device: str, precision: str) -> dict[str, Any]:
    """Versions, commit, host, device, threads and number format."""
    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else _processor()
    return {
        "packages": {package: version(package) for package in PACKAGES},
        "python": platform.python_version(),
        "commit": _commit(),
        "core_source": _digest(Path(mhpe.__file__).parent),
        "host": socket.gethostname(),
        "system": platform.platform(),
        "device": name,
        "threads": torch.get_num_threads(),
        "precision": str(resolve(precision, torch.device(device))).removeprefix("torch."),
        "process": os.getpid(),
    }


@cache
def _commit() -> str | None:
    """The checkout's commit, with "-dirty" for uncommitted changes; None outside a checkout."""
    folder = Path(mhpe.__file__).resolve().parents[1]
    if not (folder / ".git").exists():
        return None  # installed, perhaps somewhere inside another project's checkout
    words = ("git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
    try:
        ended = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return ended.stdout.strip()


def training_source() -> str:
    """Digest of all source that a training runs: the core's and that of the samplers that come with it."""
    return _digest(Path(mhpe.__file__).parent) + _digest(Path(samplers.__file__).parent)


@cache
def _digest(folder: Path) -> str:
    """Digest of a folder's source files: results of different ones should not be mixed unknowingly."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def _processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
