"""What a reader must know of a test set: how it differs from the one that published results are about."""

from benchmark.store.reading import TestSet
from mhpe.catalog import PUBLISHED_IMAGES, title


def caveat(test_set: TestSet | None) -> str:
    """A sentence on a test set that is not the published one; nothing for a rendered set or the published images."""
    if test_set is None or test_set.meta.get("synthetic"):
        return ""
    images, published = len(test_set.image_ids), PUBLISHED_IMAGES.get(test_set.name)
    reasons = []
    if published is not None and images != published:
        reasons.append(f"{images:,} images of {len(set(test_set.identities.tolist())):,} persons, not {published:,}")
    if cropped := test_set.meta.get("already_cropped"):
        all_of_them = "all" if cropped == images else f"{cropped:,}"
        reasons.append(f"{all_of_them} cropped before by another rule than this suite's")
    if not reasons:
        return ""
    return f"This is not the published test on {title(test_set.name)}: {'; '.join(reasons)}."
