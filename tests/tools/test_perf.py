"""``bench perf``: what is compared does the same work, and the table says what was measured; no speed is asserted."""

from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from mhpe.config import CoreConfig
from mhpe.model.encoder import normalise
from mhpe.model.heads import build
from mhpe.model.matrix_fisher import log_normalizer_of_singular_values
from mhpe.model.scme import project
from mhpe.train.loop import poses_of
from samplers.gaussian import Gaussian
from samplers.random import Random
from samplers.yaw_bins import YawBins
from tests.benchmark.conftest import Bench
from tools.perf import growth, mathematics, preparation, stopwatch
from tools.perf.made_up import made_up_poses, made_up_set, photographs
from tools.perf.network import macs
from tools.perf.obvious_encoder import ObviousEncoder
from tools.perf.preparation import preparation_rows
from tools.perf.rows import Goal, Row, Setting
from tools.perf.stopwatch import step_seconds
from tools.perf.straightforward import (
    GaussianChoice,
    InputsWithReferences,
    Straightforward,
    straightforward_loss,
)
from tools.perf.table import as_frame, as_text
from tools.perf.timing import paired

CPU = torch.device("cpu")
TINY = CoreConfig(image_size=32, k=4, batch_size=8, encoder={"m": 8, "widths": (16,)})


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-3)])
def test_both_loops_have_the_same_loss_for_the_same_draws(dtype: torch.dtype, tolerance: float) -> None:
    data = made_up_set(64, TINY.image_size)
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
    poses, k = made_up_poses(2000), 8
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


def test_straightforward_loop_trains(tmp_path: Path) -> None:
    data = made_up_set(16, TINY.image_size)
    files = photographs(tmp_path, 16)
    items = InputsWithReferences(
        files, (100, 100, 350, 350), poses_of(data), GaussianChoice(data.angles[:, 0], 30), TINY
    )
    images, rotations, angles = items[3]
    assert images.shape == (5, 3, 32, 32)
    assert rotations.shape == (5, 3, 3)
    assert abs(angles[0]).tolist() == pytest.approx(abs(data.angles[3]).tolist())
    training = Straightforward(items, TINY, CPU, ObviousEncoder(TINY.encoder.m))
    before = [value.clone() for value in training._network.parameters()]
    training.step()
    assert any(not torch.equal(a, b) for a, b in zip(before, training._network.parameters(), strict=True))


def test_a_stopwatch_ends_the_training_after_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = cycle(range(1000))
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: float(next(clock)))
    assert step_seconds(TINY, made_up_set(64, 32), Random(), CPU, 3).tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="too short"):
        step_seconds(TINY.model_copy(update={"epochs": 1}), made_up_set(16, 32), Random(), CPU, 3)


def test_pairs_are_taken_in_turn_and_the_ratio_is_of_pairs() -> None:
    order: list[str] = []

    def fake(name: str, seconds: list[float]):
        values = iter(seconds)

        def measure() -> float:
            order.append(name)
            return next(values)

        return measure

    # The machine becomes ten times slower halfway; the ratio stays.
    found = paired(fake("ours", [9, 1, 1, 10]), fake("theirs", [9, 3, 3, 30]), turns=3)
    assert order == ["ours", "theirs"] * 4
    assert (found.ratio, found.low, found.high) == (3, 3, 3)
    assert (found.ours, found.theirs) == (1, 3)


def test_references_of_the_mathematics_are_right() -> None:
    s = torch.tensor([[3.0, 2.0, 1.0], [8.0, 5.0, 0.5], [0.3, 0.2, 0.1]], dtype=torch.float64)
    expected = log_normalizer_of_singular_values(s)
    torch.testing.assert_close(mathematics.trapezoid_log_normalizer(s), expected, atol=1e-3, rtol=0)
    assert mathematics._largest_error() < 1e-6
    raw = torch.randn(20, 3, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(mathematics.svd_procrustes(raw), project(raw), atol=1e-5, rtol=0)


def test_macs_of_a_convolution() -> None:
    assert macs(torch.nn.Conv2d(3, 8, 3, padding=1), 16) == 3 * 8 * 9 * 16 * 16


def test_goals() -> None:
    assert Goal(">=", 8).met(8)
    assert not Goal("<=", 1.15).met(1.2)
    alone = Row("time", 3.0, "s", goal=Goal("<=", 2))
    compared = Row("speed", 3.0, "s", "other", 30.0, 10.0, 9.0, 11.0, Goal(">=", 8))
    rows = [alone, compared, Row("nothing asked", 1.0, "s")]
    assert [row.met for row in rows] == [False, True, None]
    assert as_text(rows)["Met"].tolist() == ["NO", "yes", ""]
    assert as_text(rows)["Ratio (quartiles)"].tolist() == ["", "10 (9 to 11)", ""]
    assert as_frame(rows)["met"].tolist() == [False, True, None]


def test_preparing_is_compared_on_the_same_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "MADE_UP", 8)
    monkeypatch.setattr(preparation, "TURNS", 1)
    one, *_ = preparation_rows(Setting(CPU, tmp_path, None))
    assert one.what.startswith("preparing 8 made-up")
    assert one.value > 0


def test_perf_prints_and_writes_its_table(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mathematics, "BATCH", 20)
    result = bench("perf", "--row", "mathematics", "--out", "perf")
    assert result.status in (0, 1), result.err  # as fast as this machine is
    assert "Procrustes" in result.out or "nearest rotation" in result.out
    table = pd.read_csv("perf/perf.csv")
    error = table[table["what"].str.startswith("log c")].iloc[0]
    assert error["met"]
    assert (table["ratio"].dropna() > 0).all()
    assert "nearest rotation" in Path("perf/perf.md").read_text()


def test_growth_is_a_table_and_a_figure(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    series = (growth.Series("references", "k", (1, 2)), growth.Series("images", None, (100, 200)))
    monkeypatch.setattr(growth, "SERIES", series)
    monkeypatch.setattr(growth, "BASE", TINY.model_copy(update={"pool_size": 20}))
    monkeypatch.setattr(growth, "IMAGES", 200)
    monkeypatch.setattr(growth, "SECONDS", 0.01)
    monkeypatch.setattr(mathematics, "BATCH", 20)
    result = bench("perf", "--row", "mathematics", "--growth", "--out", "perf")
    assert result.status in (0, 1), result.err
    points = pd.read_csv("perf/growth.csv")
    assert len(points) == 8
    assert (points["inputs_per_second"] > 0).all()
    assert Path("perf/growth.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--row", "nothing"), "Invalid value for '--row'"),
        (("--row", "mathematics", "--out", "/proc/nothing"), "cannot write to /proc/nothing"),
    ],
)
def test_bad_calls_of_perf(bench: Bench, words: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mathematics, "BATCH", 20)
    result = bench("perf", *words)
    assert result.status == 2
    assert message in result.err
    assert result.err.count("\n") == 1
