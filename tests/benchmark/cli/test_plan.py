"""``bench plan``: trials, hours, seeds."""

import re
import socket
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.run.environment import environment
from benchmark.run.speed import probe_speed, stored_speed
from benchmark.statistics.power import pooled, seeds_needed, smallest_detectable, spreads
from benchmark.study.study import load_study
from mhpe.config import CoreConfig
from tests.benchmark.conftest import TINY, Bench
from tests.benchmark.fake_results import MadeUp, filled_store

STUDY = """
title: A made-up study
question: How many seeds?
baseline: random
protocols: [synth_1, synth_2]
seeds: 4
arms:
  - sampler: random
  - sampler: gaussian
    sigma: [15, 30]
    label: gaussian {sigma}
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "made_up.yaml"
    path.write_text(STUDY)
    return path


def test_the_plan_counts_shared_trials_once_and_leaves_out_what_is_there(
    bench: Bench, study: Path, tmp_path: Path
) -> None:
    core = load_study(str(study)).arms[0].core
    here = environment("cpu", core.precision)
    pilot = MadeUp(host=here["host"], core=core, absent={("gaussian 30", 3)})
    store = filled_store(tmp_path, pilot)
    with store.writing() as connection:  # the made-up trials ran on this machine's processor
        connection.exec_driver_sql(
            "update bench_trials set environment = json_set(environment, '$.device', ?)", (here["device"],)
        )
    result = bench(
        "plan", "--study", study, "--seeds", 6, "--jobs", 2, "--store", f"sqlite:///{store.engine.url.database}"
    )
    assert result.status == 0, result.err
    assert "made_up, preset tiny: 3 arms, 2 protocols, 6 paired seeds" in result.out
    assert "18 trials for 36 cells of the table, 7 to train" in result.out  # 4 seeds of 3 arms but one are there
    seconds = 7 * np.median([50 + seed for arm in range(3) for seed in range(4) if (arm, seed) != (2, 3)]) / 2
    assert f"Time: {seconds // 60:.0f} min {round(seconds % 60):02d} s: 7 x" in result.out
    assert "the median of 11 trainings on this host" in result.out


def test_protocols_that_share_a_single_seed_have_no_pilot(bench: Bench, study: Path, tmp_path: Path) -> None:
    core = load_study(str(study)).arms[0].core
    absent = {(arm, seed) for arm in ("random", "gaussian 15", "gaussian 30") for seed in (1, 2, 3)}
    store = filled_store(tmp_path, MadeUp(core=core, absent=absent))
    result = bench("plan", "--study", study, "--jobs", 2, "--store", f"sqlite:///{store.engine.url.database}")
    assert result.status == 0, result.err
    assert result.out.count("no pilot") == 1
    assert "SynthHeads to SynthHeads lab, SynthHeads to SynthHeads wild" in result.out


def test_seeds_follow_from_the_pilots_own_scatter(bench: Bench, study: Path, tmp_path: Path) -> None:
    core = load_study(str(study)).arms[0].core
    store = filled_store(tmp_path, MadeUp(core=core, protocols=("synth_1",)))
    result = bench(
        "plan",
        "--study",
        study,
        "--protocol",
        "synth_1",
        "--seeds",
        4,
        "--store",
        f"sqlite:///{store.engine.url.database}",
    )
    assert "12 trials for 12 cells of the table, 0 to train" in result.out
    values = store.results("made_up").pivot(index="seed", columns="arm", values="mae")
    sds = [(values[arm] - values["random"]).std() for arm in ("gaussian 15", "gaussian 30")]
    common = float(np.sqrt(np.mean(np.square(sds))))
    assert f"common sd of the paired differences of {common:.2f}°" in result.out
    for name, sd, comparisons in (
        ("gaussian 15, n = 4", sds[0], 2),
        ("common sd, Holm over 2", common, 2),
        ("common sd, one comparison", common, 1),
    ):
        expected = [seeds_needed(sd, difference, comparisons) for difference in (0.2, 0.1)]
        line = re.search(rf"{name} +(\S+)° +(\S+) +(\S+) +(\S+)", result.out)
        assert line is not None, result.out
        assert [line[1], line[2].replace(",", ""), line[3].replace(",", "")] == [
            f"{sd:.2f}", *map(str, expected)
        ]  # fmt: skip
        assert line[4] == "nothing"  # 4 seeds reach p = 0.125 at best


@pytest.mark.slow
def test_without_a_pilot_nothing_is_claimed(bench: Bench, study: Path) -> None:
    result = bench("plan", "--study", study, "--protocol", "protocol_1", "--seeds", 2)
    assert result.status == 0
    assert "6 trials for 6 cells of the table, 6 to train" in result.out
    assert "1 short probe" in result.out  # without the data
    assert "no pilot" in result.out
    line = re.search(r"assumed, Holm over 2 +0.20° +(\d+) +(\d+) +nothing", result.out)
    assert line is not None
    assert tuple(map(int, line.groups())) == (seeds_needed(0.2, 0.2, 2), seeds_needed(0.2, 0.1, 2))


@pytest.mark.slow
def test_arms_that_were_not_chosen_count_in_the_family(bench: Bench, study: Path) -> None:
    result = bench("plan", "--study", study, "--protocol", "synth_1", "--arm", "random", "--arm", "gaussian 15")
    assert "2 arms, 1 protocol" in result.out
    assert "assumed, Holm over 2" in result.out


def test_a_probe_measures_what_no_trial_tells(bench: Bench, tiny_study: Path, data_root: Path) -> None:
    result = bench("plan", "--study", tiny_study, "--data-root", data_root, "--jobs", 1)
    assert result.status == 0, result.err
    assert re.search(r"Time: [\d.]+ s: 6 x [\d.]+ s, 1 at a time; measured by 1 short probe", result.out)
    assert not Path("results").exists()
    assert "folders missing" in result.out  # of BIWI, which the study tests on


def test_what_is_missing_of_prepared_data_is_said_once(bench: Bench, tiny_study: Path, data_root: Path) -> None:
    for name in ("aflw2000", "biwi"):
        assert bench("data", "prepare", name, "--data-root", data_root, "--size", 32).status == 0
    result = bench("plan", "--study", tiny_study, "--data-root", data_root, "--jobs", 1)
    assert result.out.count("folders missing") == 1
    assert bench("plan", "--study", tiny_study, "--data-root", data_root / "none").status == 2


@pytest.mark.slow
@pytest.mark.parametrize("core", ["learning_rate: 1.0e+30", "image_size: 512, batch_size: 100", "k: 0, head: euler"])
def test_a_probe_prepares_nothing_and_ends_soon(bench: Bench, study: Path, tmp_path: Path, core: str) -> None:
    small = "encoder: {m: 4, widths: [4]}"
    study.write_text(f"{STUDY}synthheads: {{train: 1000000}}\ncore: {{{core}, {small}}}\n")
    result = bench("plan", "--study", study, "--protocol", "synth_1", "--arm", "random", "--seeds", 1, "--jobs", 1)
    assert result.status == 0, result.err
    assert "1 short probe" in result.out
    assert not (tmp_path / "cache").exists()


def test_a_probe_counts_the_images_of_the_whole_set() -> None:
    core = CoreConfig(image_size=16, k=2, epochs=2, batch_size=16, encoder={"m": 4, "widths": [8]})
    few, many = (probe_speed(core, images, "cpu") for images in (64, 64_000))
    assert 100 < many / few < 10_000  # 1,000 times as many batches, on a machine that may be busy


def test_needs_match_the_design_notes() -> None:
    """80 % power for 0.1 degrees: 34 seeds at a standard deviation of 0.2; 11 at 0.1, where the t test says 10."""
    assert seeds_needed(0.1, 0.1) == 11
    assert seeds_needed(0.2, 0.1) == 34
    assert smallest_detectable(0.1, 10) == pytest.approx(0.1, abs=0.002)
    assert np.isinf(smallest_detectable(0.1, 5))


def test_spreads_and_their_common_value(tmp_path: Path) -> None:
    store = filled_store(tmp_path, MadeUp(seeds=3, protocols=("synth_1",), absent={("gaussian 15", 0)}))
    found = spreads(store.results("made_up"), dict.fromkeys(("random", "gaussian 15", "gaussian 30"), "random"))
    assert [*found["pairs"].items()] == [("gaussian 15", 2), ("gaussian 30", 3)]
    sd, low, high = pooled(pd.DataFrame({"pairs": [6, 6], "sd": [0.3, 0.4]}))
    assert sd == pytest.approx(np.sqrt(0.125))
    assert (low, high) == pytest.approx((np.sqrt(1.25 / 20.4832), np.sqrt(1.25 / 3.24697)), rel=1e-4)  # chi2(10)


def test_speeds_are_of_this_host_this_device_and_this_core(tmp_path: Path) -> None:
    here = environment("cpu", "auto")
    store = filled_store(tmp_path, MadeUp(host=socket.gethostname(), seeds=1))
    assert stored_speed(store, "tiny", CoreConfig(), "synth_train", "cpu") is None  # another device
    with store.writing() as connection:
        connection.exec_driver_sql(
            "update bench_trials set environment = json_set(environment, '$.device', ?)", (here["device"],)
        )
    assert stored_speed(store, "tiny", CoreConfig(), "synth_train", "cpu") == (50.0, 3)
    assert stored_speed(store, "tiny", CoreConfig(k=3), "synth_train", "cpu") is None
    assert stored_speed(store, "paper", CoreConfig(), "synth_train", "cpu") is None
    assert stored_speed(store, "tiny", CoreConfig(), "aflw2000", "cpu") is None


def test_a_study_that_searches_is_refused_in_one_line(bench: Bench) -> None:
    result = bench("plan", "--study", "sigma_bin_search", "--protocol", "synth_1")
    assert result.status == 2
    assert result.err.count("\n") == 1
    assert "bench run --dry-run" in result.err


def test_trainings_of_other_studies_are_not_planned_again(
    bench: Bench, tiny_study: Path, data_root: Path, tmp_path: Path
) -> None:
    assert bench("run", "--study", tiny_study, "--data-root", data_root, "--jobs", 1, "--seeds", 1).status == 0
    other = tmp_path / "other.yaml"
    other.write_text(TINY.replace("A tiny study", "Another one").replace("sigma: [15, 30]", "sigma: [15, 60]"))
    planned = bench("plan", "--study", other, "--seeds", 1, "--data-root", data_root)
    assert planned.status == 0, planned.err
    assert "3 trials for 3 cells of the table, 1 to train" in planned.out
    assert "1 to train" in bench("run", "--study", other, "--seeds", 1, "--data-root", data_root, "--dry-run").out
