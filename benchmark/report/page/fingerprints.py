"""What makes a protocol's numbers comparable: images, crop, angles, wrapping."""

import hashlib
from typing import Any

import pandas as pd

from benchmark.report.text import protocol_title
from benchmark.store import Store
from benchmark.store.reading import TestSet
from mhpe.names import MAX_ANGLE
from mhpe.names import title as set_title

ANGLES = (
    f"yaw, pitch, roll of R = Rz(roll) Ry(yaw) Rx(pitch), the convention of 300W-LP's Pose_Para; "
    f"real images beyond {MAX_ANGLE:g} degrees in any of them are left out"
)
WRAP = "differences of angles are wrapped to 180 degrees; a half-turn counts 180, not 0"
SHOWN = 16  # hexadecimal digits of a digest


def fingerprints(store: Store, cells: pd.DataFrame) -> list[dict[str, str]]:
    """Properties of each protocol and test set in some cells, as :meth:`benchmark.store.Store.results` gives them."""
    found = []
    test_sets = {each: store.test_set(each) for each in cells["test_set"].unique()}
    for protocol, train_set, fingerprint in cells[["protocol", "train_set", "test_set"]].drop_duplicates().values:
        trained_on = set_title(train_set) if isinstance(train_set, str) else "not known yet"
        tested_on = _tested_on(fingerprint, test_sets[fingerprint])
        properties = {"Protocol": protocol_title(protocol), "Trained on": trained_on, **tested_on}
        found.append(properties | {"Angles": ANGLES, "Wrapping": WRAP})
    return found


def _tested_on(fingerprint: str, test_set: TestSet | None) -> dict[str, str]:
    if test_set is None:
        return {"Tested on": "its labels are not in this store", "Content": fingerprint[:SHOWN]}
    meta = test_set.meta
    size = f", {meta['size']} × {meta['size']} pixels" if "size" in meta else ""
    images = hashlib.sha256("\n".join(test_set.image_ids).encode()).hexdigest()
    return {
        "Tested on": f"{set_title(test_set.name)}, {_images(meta, len(test_set.image_ids))}{size}",
        "Image list": images[:SHOWN],
        "Content": f"{fingerprint[:SHOWN]} (images, labels, crop rule and size)",
        "Crop": _crop(meta, len(test_set.image_ids)),
    }


def _crop(meta: dict[str, Any], images: int) -> str:
    rule = str(meta.get("crop_rule", "not recorded"))
    cropped = meta.get("already_cropped", 0)
    if not cropped:
        return rule
    used = f"{cropped:,} of {images:,} images were cropped before and are used as they are"
    return used if cropped == images else f"{used}; the others: {rule}"


def _images(meta: dict[str, Any], images: int) -> str:
    """How many images there are, of how many, and why the others are left out."""
    reasons = []
    if beyond := meta.get("beyond_max_angle"):
        reasons.append(f"{beyond:,} beyond {MAX_ANGLE:g} degrees")
    if unreadable := meta.get("unreadable"):
        reasons.append(f"{len(unreadable):,} unreadable")
    counted = f"{images:,} of {meta['found']:,} images found" if "found" in meta else f"{images:,} images"
    return f"{counted} ({' and '.join(reasons)} left out)" if reasons else counted
