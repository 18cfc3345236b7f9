"""Rows of the preparation: photographs to arrays, against a loop with Pillow, on one core and on two."""

import math
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.io import loadmat

from mhpe.data.crops import landmark_box
from mhpe.data.pose_para import AFLW2000
from mhpe.data.prepare import prepare
from tools.perf.made_up import made_up_aflw2000
from tools.perf.rows import Goal, Row, Setting, faster
from tools.perf.timing import Paired, paired

MADE_UP = 10_000
SIZE = 64
TURNS = 3


def preparation_rows(setting: Setting) -> Iterator[Row]:
    """AFLW2000-3D where it is there, and made-up photographs in its layout."""
    made_up = setting.folder / "made up"
    made_up_aflw2000(made_up, MADE_UP)
    roots = {f"{MADE_UP:,} made-up 450x450 photographs": made_up}
    if setting.data_root is not None and (setting.data_root / AFLW2000.folder).is_dir():
        roots = {"AFLW2000-3D": setting.data_root} | roots
    for name, root in roots.items():
        one = _paired(root, setting.folder, 1)
        yield faster(
            f"preparing {name}, one core", one, "Pillow in a loop", Goal(">=", 1), unit="images/s", per_second=True
        )
        if joblib.cpu_count() > 1:
            two = _paired(root, setting.folder, 2)
            yield Row(
                f"preparing {name}, two cores: speed-up over one",
                one.ours / two.ours,
                "times",
                "Pillow in two processes, over one",
                one.theirs / two.theirs,
            )


def _paired(root: Path, folder: Path, jobs: int) -> Paired:
    images = len(AFLW2000().records(root))
    return paired(lambda: _ours(root, folder, jobs), lambda: _pillow(root, jobs), TURNS, images)


def _ours(root: Path, folder: Path, jobs: int) -> float:
    started = time.perf_counter()
    prepared = prepare(AFLW2000(), root, SIZE, folder / "prepared", jobs)
    seconds = time.perf_counter() - started
    shutil.rmtree(prepared)
    return seconds


def _pillow(root: Path, jobs: int) -> float:
    paths = [record.image for record in AFLW2000().records(root)]
    parts = np.array_split(np.arange(len(paths)), min(32 * jobs, len(paths)))
    started = time.perf_counter()
    work = (joblib.delayed(_crops)([paths[i] for i in part]) for part in parts)
    np.concatenate(joblib.Parallel(n_jobs=jobs)(work))
    return time.perf_counter() - started


def _crops(paths: list[Path]) -> NDArray[np.uint8]:
    """Crops as they are cut first: label, whole photograph, crop, scale."""
    crops = []
    for path in paths:
        left, top, right, bottom = landmark_box(loadmat(path.with_suffix(".mat"))["pt3d_68"][:2])
        with Image.open(path) as image:
            crop = image.convert("RGB").crop((math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)))
            crops.append(np.asarray(crop.resize((SIZE, SIZE), Image.Resampling.BILINEAR)))
    return np.stack(crops)
