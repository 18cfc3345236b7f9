"""What a reader must know of results: on what they were computed, and how a test set differs from the published."""

from collections.abc import Sequence

from benchmark.report.labels import counted
from benchmark.store.reading import Machine, TestSet
from mhpe.datasets import PUBLISHED_IMAGES, title


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


def machines_note(machines: Sequence[Machine]) -> str:
    """A sentence on what a study's trainings ran on, and a warning where their number formats differ."""
    if not machines:
        return ""
    places = (f"{device} in {precision} ({counted(count, 'training')})" for device, precision, count in machines)
    note = f"Computed on {', on '.join(places)}."
    if len({machine.precision for machine in machines}) > 1:
        note += " Trainings in different number formats differ by more than their arms: compare them with care."
    return note
