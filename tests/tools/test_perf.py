"""The speed tool: what is compared does the same work, and the table says what was measured; no speed is asserted."""

from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner

from mhpe.config import CoreConfig
from mhpe.model.encoder import normalise
from mhpe.model.heads import build
from mhpe.model.matrix_fisher import log_normalizer_of_singular_values
from mhpe.train.loop import poses_of
from samplers.gaussian import Gaussian
from samplers.yaw_bins import YawBins
from tools.perf import rows
from tools.perf.__main__ import as_frame, as_text, main
from tools.perf.rows import Row, Setting
from tools.perf.straightforward import (
    GaussianChoice,
    InputsWithReferences,
    straightforward_loop,
    straightforward_loss,
    trapezoid_log_c,
)
from tools.perf.synthetic_data import photographs, synthetic_set

CPU = torch.device("cpu")
TINY = CoreConfig(image_size=32, k=4, batch_size=8, encoder={"m": 8, "widths": (16,)})


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-3)])
def test_both_loops_have_the_same_loss_for_the_same_draws(dtype: torch.dtype, tolerance: float) -> None:
    data = synthetic_set(64, TINY.image_size)
    poses, images = poses_of(data), normalise(torch.from_numpy(data.images))
    generator = torch.Generator().manual_seed(0)
    inputs = torch.arange(TINY.batch_size)
    sampler = Gaussian()
    sampler.fit(poses, 0.0)
    references = sampler.draw(poses[inputs], TINY.k, generator)
    network = build(TINY, 0).eval()  # running statistics: the straightforward loop counts an image for every input

    distinct, position = torch.unique(torch.cat((inputs, references.flatten())), return_inverse=True)
    assert len(distinct) < references.numel()
    at, reference_at = position[: len(inputs)], position[len(inputs) :].view_as(references)
    noise = torch.Generator().manual_seed(1)
    ours = network.loss(network(images[distinct], dtype), poses[distinct], at, reference_at, noise)

    each = torch.cat((inputs[:, None], references), 1)
    noise = torch.Generator().manual_seed(1)
    theirs = straightforward_loss(network, images[each], poses.rotations[each], poses.angles[each], noise)
    torch.testing.assert_close(ours.total, theirs.total, rtol=tolerance, atol=tolerance)


def test_numpy_choice_draws_from_the_samplers_distribution() -> None:
    poses, k = poses_of(synthetic_set(2000, 1)), 8
    bins = YawBins(20)
    item = int(poses.yaw.abs().argmin())
    choice, rng = GaussianChoice(poses.yaw.numpy(), 30), np.random.default_rng(0)
    theirs = np.concatenate([choice(item, k, rng) for _ in range(1000)])
    assert len(theirs) == 8000
    assert item not in theirs
    sampler = Gaussian(sigma=30, rounding="systematic")
    sampler.fit(poses, 0.0)
    query = poses[torch.full((1000,), item)]
    ours = sampler.draw(query, k, torch.Generator().manual_seed(0)).flatten()
    counts = [torch.bincount(bins.of(poses.yaw[torch.as_tensor(drawn)]), minlength=18) for drawn in (ours, theirs)]
    assert (counts[0] - counts[1]).abs().max() < 200  # of 8,000


@pytest.mark.slow
def test_straightforward_loop_trains(tmp_path: Path) -> None:
    torch.manual_seed(0)
    data = synthetic_set(16, TINY.image_size)
    draws = GaussianChoice(data.angles[:, 0], 30)
    items = InputsWithReferences(photographs(tmp_path, 16), poses_of(data), draws, TINY)
    images, rotations, angles = items[3]
    assert images.shape == (5, 3, 32, 32)
    assert rotations.shape == (5, 3, 3)
    assert abs(angles[0]).tolist() == pytest.approx(abs(data.angles[3]).tolist())
    network = next(straightforward_loop(items, TINY, CPU))
    assert any(not torch.equal(a, b) for a, b in zip(network.parameters(), build(TINY, 0).parameters(), strict=True))


def test_the_trapezoid_gives_our_log_c() -> None:
    s = torch.tensor([[3.0, 2.0, 1.0], [8.0, 5.0, 0.5], [0.3, 0.2, 0.1]], dtype=torch.float64)
    expected = log_normalizer_of_singular_values(s)
    torch.testing.assert_close(trapezoid_log_c(s), expected, atol=1e-3, rtol=0)


def test_steps_of_the_suites_training_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = cycle(range(1000))
    monkeypatch.setattr(rows.time, "perf_counter", lambda: float(next(clock)))
    assert rows.step(TINY, synthetic_set(128, 32), CPU).median == 1
    with pytest.raises(ValueError, match="too short"):
        rows.step(TINY.model_copy(update={"epochs": 1}), synthetic_set(16, 32), CPU)


def test_a_row_compares_and_judges() -> None:
    compared = Row("speed", 2.0, "other", 30.0, ratio_goal=16)
    table = [Row("time", 3.0, seconds_goal=4), compared, Row("nothing asked", 0.001)]
    assert [row.met for row in table] == [True, False, None]
    assert as_frame(table)["ratio"].tolist()[1] == 15
    assert as_text(table)["Met"].tolist() == ["met", "NOT MET", ""]
    assert as_text(table)["Time"].tolist() == ["3 s", "2 s", "1 ms"]
    assert as_text(table)["Against"].tolist() == ["", "other: 30 s", ""]


def test_planning_counts_ten_thousand_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "once", lambda _: rows.Measurement(1, [2.0], rows.TaskSpec("", "")))
    planning = rows.planning_rows(Setting(CPU, tmp_path))
    assert next(planning) == Row("planning 10,000 trials", 2.0, seconds_goal=3)


@pytest.mark.slow
def test_the_table_is_printed_and_written(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--row", "matrix_fisher", "--out", str(tmp_path / "out")])
    assert result.exit_code in (0, 1), result.output  # as fast as this machine is
    assert "matrix Fisher" in result.output
    table = pd.read_csv(tmp_path / "out" / "perf.csv")
    assert (table["ratio"] > 0).all()
    assert "trapezoid" in (tmp_path / "out" / "perf.md").read_text()
