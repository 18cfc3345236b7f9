"""What makes a protocol's numbers comparable: images, crop and labels."""

import hashlib

import pandas as pd

from benchmark.report.text import protocol_title
from benchmark.store import Store
from benchmark.store.reading import TestSet
from mhpe.names import MAX_ANGLE
from mhpe.names import title as set_title

SHOWN = 16  # hexadecimal digits of a digest


def fingerprints(store: Store, cells: pd.DataFrame) -> list[dict[str, str]]:
    """Properties of each protocol and test set in some cells, as :meth:`benchmark.store.Store.results` gives them."""
    found = []
    for protocol, train_set, fingerprint in cells[["protocol", "train_set", "test_set"]].drop_duplicates().values:
        trained_on = set_title(train_set) if isinstance(train_set, str) else "not known yet"
        tested_on = _tested_on(fingerprint, store.test_set(fingerprint))
        found.append({"Protocol": protocol_title(protocol), "Trained on": trained_on, **tested_on})
    return found


def _tested_on(fingerprint: str, test_set: TestSet | None) -> dict[str, str]:
    if test_set is None:
        return {"Tested on": "its labels are not in this store", "Content": fingerprint[:SHOWN]}
    meta, images = test_set.meta, len(test_set.image_ids)
    size = f", {meta['size']} × {meta['size']} pixels" if "size" in meta else ""
    left_out = [
        f"{count:,} {why}"
        for count, why in (
            (meta.get("beyond_max_angle", 0), f"beyond {MAX_ANGLE:g} degrees"),
            (len(meta.get("unreadable") or ()), "unreadable"),
        )
        if count
    ]
    counted = f"{images:,} of {meta['found']:,} images found" if "found" in meta else f"{images:,} images"
    because = f" ({' and '.join(left_out)} left out)" if left_out else ""
    crop = str(meta.get("crop_rule", "not recorded"))
    if cropped := meta.get("already_cropped", 0):
        used = f"{cropped:,} of {images:,} images were cropped before and are used as they are"
        crop = used if cropped == images else f"{used}; the others: {crop}"
    return {
        "Tested on": f"{set_title(test_set.name)}, {counted}{because}{size}",
        "Image list": hashlib.sha256("\n".join(test_set.image_ids).encode()).hexdigest()[:SHOWN],
        "Content": f"{fingerprint[:SHOWN]} (images, labels, crop rule and size)",
        "Crop": crop,
    }
