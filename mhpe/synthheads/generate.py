"""Generation of a SynthHeads set into a prepared folder, once."""

import hashlib
import json
from functools import cache, partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from numpy.typing import NDArray

from mhpe.data import dataset
from mhpe.data.dataset import Progress
from mhpe.rotations import from_euler
from mhpe.synthheads.renderer import Renderer
from mhpe.synthheads.sets import SynthConfig, SynthSet

VERSION = 2  # part of every set's key: raised when a change of this package changes a set's content

BATCH = 16
LARGE = 256  # side in pixels from which on fewer images are rendered at once; each takes 50 MB of memory there


def parameters(name: str, config: SynthConfig, size: int) -> dict[str, Any]:
    """Everything that a set's content depends on."""
    return {
        "format": dataset.FORMAT,
        "version": VERSION,
        "name": name,
        "size": size,
        "count": config.count(name),
        "seed": config.seed,
    } | ({} if config.appearance == "standard" else {"appearance": config.appearance})


def content_key(name: str, config: SynthConfig, size: int) -> str:
    """Fingerprint of the set, known before it is rendered."""
    return hashlib.sha256(json.dumps(parameters(name, config, size), sort_keys=True).encode()).hexdigest()


def generate(name: str, config: SynthConfig, size: int, folder: Path, jobs: int, progress: Progress) -> Path:
    """Render one of :data:`mhpe.names.SETS` unless that was done before; returns the prepared folder.

    Images have sides of ``size`` pixels; prepared sets are kept in ``folder``.

    Raises:
        InputError: if ``folder`` cannot be written.
    """
    key = content_key(name, config, size)
    target = folder / f"{name}-{size}px-{key[:12]}"
    dataset.create_once(target, partial(_render, name, config, size, key, jobs, progress))
    return target


def _render(name: str, config: SynthConfig, size: int, key: str, jobs: int, progress: Progress, folder: Path) -> None:
    count = config.count(name)
    source = SynthSet(name, config, size)
    images = dataset.allocate_images(folder, count, size)
    angles = np.stack([source.angles(i) for i in range(count)])
    done, batch = 0, max(1, min(BATCH, BATCH * LARGE**2 // size**2))
    progress("rendering", 0, count)
    tasks = [joblib.delayed(_batch)(name, config, size, i, min(i + batch, count)) for i in range(0, count, batch)]
    for part in joblib.Parallel(n_jobs=jobs, return_as="generator")(tasks):
        images[done : done + len(part)] = part.transpose(0, 3, 1, 2)
        done += len(part)
        progress("rendering", done, count)
    ids = [f"{name.removeprefix('synth_')}{i:06d}" for i in range(count)]
    identities = [source.identity(i) for i in range(count)]
    meta = {
        "name": name,
        "fingerprint": key,
        "synthetic": True,
        "crop_rule": "box of the face's vertices as landmarks, like 300W-LP and AFLW2000-3D",
        "found": count,
        "unreadable": [],
        "parameters": parameters(name, config, size),
    }
    dataset.save(folder, images, from_euler(torch.from_numpy(angles)).numpy(), angles, ids, identities, meta)


def _batch(name: str, config: SynthConfig, size: int, start: int, end: int) -> NDArray[np.uint8]:
    torch.set_num_threads(1)
    source = SynthSet(name, config, size)
    return _renderer(size).render([source.scene(i) for i in range(start, end)])


_renderer = cache(Renderer)
