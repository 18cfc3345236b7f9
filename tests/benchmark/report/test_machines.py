"""What results were computed on stands beside them."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmark.report.build import build_report
from benchmark.store import Store, schema
from tests.benchmark.fake_results import MadeUp, fill


def lead(store: Store, folder: Path) -> str:
    """What stands before the first table."""
    build_report(store, ["made_up"], folder)
    return (folder / "tables" / "made_up.md").read_text(encoding="utf-8").split("##")[0]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return fill(Store(f"sqlite:///{tmp_path}/results.sqlite"), MadeUp(seeds=3))


def computed_on(store: Store, device: str, precision: str, seeds: list[int]) -> None:
    t = schema.trials
    with store.writing() as connection:
        connection.execute(
            sa.update(t).where(t.c.seed.in_(seeds)).values(environment={"device": device, "precision": precision})
        )


@pytest.mark.slow
def test_devices_and_number_format_are_named(store: Store, tmp_path: Path) -> None:
    computed_on(store, "a GPU", "bfloat16", [0, 1])
    computed_on(store, "a processor", "bfloat16", [2])
    text = lead(store, tmp_path / "report")
    assert "Computed on a GPU in bfloat16 (6 trainings), on a processor in bfloat16 (3 trainings)." in text
    assert "different number formats" not in text
    assert "a GPU in bfloat16" in (tmp_path / "report" / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_mixed_number_formats_are_warned_of(store: Store, tmp_path: Path) -> None:
    computed_on(store, "a processor", "bfloat16", [0, 1])
    computed_on(store, "a processor", "float32", [2])
    assert "Trainings in different number formats" in lead(store, tmp_path / "report")


def test_training_sets_of_other_images_than_the_published_ones_are_named(tmp_path: Path) -> None:
    study = MadeUp(seeds=1, protocols=("protocol_1",), predictions=False)
    store = fill(Store(f"sqlite:///{tmp_path}/results.sqlite"), study)
    assert "the published training set" not in lead(store, tmp_path / "report")  # how many were used is not known
    with store.writing() as connection:
        connection.execute(sa.update(schema.trials).values(environment={"train_images": 10}))
    text = lead(store, tmp_path / "report")
    assert "This is not the published training set: 10 images of 300W-LP, not 122,415." in text
    assert "measured here" not in (tmp_path / "report" / "tables" / "published-cost.csv").read_text(encoding="utf-8")
