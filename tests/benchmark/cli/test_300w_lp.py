"""A full 300W-LP run in miniature: the original's folders, both protocols of the slides, the ``paper`` preset."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from benchmark.store import Store
from benchmark.study.study import load_study
from tests.benchmark.conftest import Bench
from tests.fake_data import write_300w_lp, write_aflw2000, write_biwi

pytestmark = pytest.mark.slow

STUDY = {
    "title": "A miniature",
    "question": "Does the whole way run?",
    "baseline": "random",
    "protocols": ["protocol_1", "protocol_2"],
    "seeds": 1,
    # the preset's schedule with fewer epochs, and a network that trains in seconds
    "core": {
        "image_size": 32,
        "batch_size": 16,
        "epochs": 4,
        "schedule": {"milestones": [1, 2, 3]},
        "encoder": {"m": 8, "widths": [16]},
    },
    "arms": [{"sampler": "random"}, {"sampler": "gaussian", "sigma": 30}],
}
SUBSETS = {"AFW", "HELEN", "IBUG", "LFPW"}


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    """300W-LP (4 subsets x 2 photographs x 3 views, and their mirror images), BIWI and AFLW2000-3D."""
    root = tmp_path / "data"
    write_300w_lp(root, 2, 3)
    write_biwi(root, 4)
    write_aflw2000(root, 10)
    return root


def test_both_protocols_of_the_slides(bench: Bench, tmp_path: Path, data_root: Path) -> None:
    folders = {path.name for path in (data_root / "300W_LP").iterdir()}
    assert folders == SUBSETS | {f"{subset}_Flip" for subset in SUBSETS} | {"landmarks", "Code"}
    study = tmp_path / "miniature.yaml"
    study.write_text(yaml.safe_dump(STUDY))
    check = bench("data", "check", "--data-root", data_root)
    assert re.search(r"300w_lp +48 ", check.out)

    call = ("run", "--study", study, "--preset", "paper", "--data-root", data_root, "--jobs", 1)
    plan = bench(*call, "--dry-run")
    assert "2 trials for 4 cells of the table, 2 to train" in plan.out  # both protocols share their trainings
    result = bench(*call)
    assert result.status == 0, result.err
    assert "2 trials: 2 trained" in result.out

    results = Store("results/bench.sqlite").results("miniature")
    assert results.groupby("protocol")["mae"].count().to_dict() == {"protocol_1": 2, "protocol_2": 2}
    assert set(results["preset"]) == {"paper"}
    assert results["mae"].between(0, 90).all()
    report = bench("report")
    assert report.status == 0, report.err
    assert "300W-LP to BIWI" in report.out
    assert "300W-LP to AFLW2000-3D" in report.out
    assert set(pd.read_csv("results/report/tables/miniature.csv")["protocol"]) == {"protocol_1", "protocol_2"}


def test_paper_preset_is_the_slides_table() -> None:
    """Slides, table 1; K and the number of epochs are not in it."""
    core = load_study("gaussian_sigma", "paper", ("protocol_1",)).arms[0].core
    assert (core.batch_size, core.learning_rate, core.weight_decay) == (100, 0.01, 1e-6)
    assert core.schedule.kind == "step"
    assert core.schedule.milestones == (20, 50, 80)
    assert core.epochs > 80
