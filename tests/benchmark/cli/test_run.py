"""``bench run`` and ``bench report`` from end to end, on made-up data."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from benchmark.cli.progress import RunReporter
from benchmark.run import dask
from benchmark.store import Store, schema
from tests.benchmark.conftest import TINY, Bench

pytestmark = pytest.mark.slow

IDLE = """
import sys
import psutil
from benchmark.cli import main
try:
    main()
finally:
    print(psutil.Process().children() or "no processes", *sys.modules, sep="\\n")
"""


def test_study_runs_once_and_only_what_is_missing(bench: Bench, tiny_study: Path, data_root: Path) -> None:
    call = ("run", "--study", tiny_study, "--data-root", data_root, "--jobs", 2)
    first = bench(*call)
    assert first.status == 0, first.err
    assert "6 trials: 6 trained, 0 reused" in first.out
    idle = subprocess.run([sys.executable, "-c", IDLE, *map(str, call)], capture_output=True, text=True, check=True)
    assert "6 trials: 0 trained, 6 reused" in idle.stdout
    assert "no processes" in idle.stdout
    assert not {"torchvision", "roma", "matplotlib", "optuna", "sklearn", "distributed"} & set(idle.stdout.split())

    store = Store("results/bench.sqlite")
    results = store.results("tiny")
    lost = results["trial"].iloc[3]
    with store.engine.begin() as connection:
        connection.execute(sa.delete(schema.trials).where(schema.trials.c.key == lost))
    assert "1 of 6 cells of the grid" in bench("report", "--study", tiny_study).out
    assert "6 trials: 1 trained, 5 reused" in bench(*call).out
    # the same trial gives the same numbers, alone or in a study
    pd.testing.assert_series_equal(store.results("tiny")["mae"], results["mae"])

    more = bench(*call, "--seeds", 3, "--arm", "gaussian")
    assert "6 trials: 2 trained, 4 reused" in more.out


def test_versions_of_a_study_are_not_mixed(bench: Bench, tmp_path: Path, data_root: Path) -> None:
    study = tmp_path / "tiny.yaml"
    study.write_text(TINY.replace("[15, 30]", "30"))
    call = ("run", "--study", study, "--data-root", data_root, "--jobs", 1)
    assert bench(*call).status == 0
    study.write_text(TINY.replace("[15, 30]", "30").replace("k: 2", "k: 3"))
    assert "4 trials for 4 cells of the table, 4 to train" in bench("plan", *call[1:-2]).out
    changed = bench(*call, "--seeds", 1, "--arm", "gaussian")
    assert "3 cells are no longer part of the study" in changed.out
    store = Store("results/bench.sqlite")
    assert store.results("tiny")[["arm", "seed"]].to_numpy().tolist() == [["gaussian(sigma=30)", 0]]
    with store.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(schema.trials)) == 5
    # as it was before: nothing is trained again
    study.write_text(TINY.replace("[15, 30]", "30"))
    assert "4 trials: 0 trained, 4 reused" in bench(*call).out


def test_another_study_of_the_same_name_is_not_mixed_with_the_first(
    bench: Bench, tmp_path: Path, data_root: Path
) -> None:
    study = tmp_path / "tiny.yaml"
    study.write_text(TINY)
    call = ("run", "--study", study, "--data-root", data_root, "--seeds", 1)
    assert bench(*call).status == 0
    study.write_text(TINY.replace("[15, 30]", "45"))
    elsewhere = (*call, "--protocol", "biwi_to_aflw2000", "--arm", "random")
    assert "2 cells are no longer part of the study" in bench(*elsewhere).out
    store = Store("results/bench.sqlite")
    assert store.results("tiny")[["protocol", "arm"]].to_numpy().tolist() == [
        ["aflw2000_to_biwi", "random"],
        ["biwi_to_aflw2000", "random"],
    ]
    study.write_text(TINY.replace("k: 2", "k: 3"))  # the arm's name stays
    assert "1 cell is no longer part of the study" in bench(*elsewhere).out
    assert store.results("tiny")["protocol"].tolist() == ["biwi_to_aflw2000"]


def test_jobs_do_not_change_results(bench: Bench, tiny_study: Path, data_root: Path) -> None:
    maes = []
    for jobs in (1, 2):
        store = f"{jobs}.sqlite"
        assert (
            bench("run", "--study", tiny_study, "--data-root", data_root, "--jobs", jobs, "--store", store).status == 0
        )
        maes.append(Store(store).results("tiny")["mae"])
    pd.testing.assert_series_equal(*maes)


def test_arms_with_a_shared_trial_train_once(bench: Bench, tiny_study: Path, data_root: Path, tmp_path: Path) -> None:
    bench("run", "--study", tiny_study, "--data-root", data_root, "--jobs", 1)
    other = tmp_path / "other.yaml"
    other.write_text(TINY.replace("sigma: [15, 30]", "sigma: 20"))
    assert "4 trials: 2 trained, 2 reused" in bench("run", "--study", other, "--data-root", data_root, "--jobs", 1).out


def test_a_further_test_set_needs_no_training(bench: Bench, tmp_path: Path, data_root: Path, monkeypatch) -> None:
    from benchmark.study import protocols

    extra = protocols.Protocol("self", "aflw2000", "aflw2000", "AFLW2000-3D to itself")
    monkeypatch.setitem(protocols.PROTOCOLS, "self", extra)
    study = tmp_path / "tiny.yaml"
    study.write_text(TINY)
    call = ("run", "--study", study, "--data-root", data_root, "--jobs", 1)
    bench(*call)
    both = bench(*call, "--protocol", "self", "--protocol", "aflw2000_to_biwi")
    assert "6 trials: 0 trained, 0 reused, 6 evaluated" in both.out
    results = Store("results/bench.sqlite").results("tiny")
    assert results.groupby("protocol")["mae"].count().to_dict() == {"aflw2000_to_biwi": 6, "self": 6}


def test_choices_can_be_made_on_the_validation_part(bench: Bench, tiny_study: Path, data_root: Path) -> None:
    result = bench("run", "--study", tiny_study, "--protocol", "aflw2000_validation", "--data-root", data_root)
    assert result.status == 0, result.err
    cells = Store("results/bench.sqlite").results("tiny")
    assert cells["mae"].notna().all()
    assert set(cells["train_set"]) == {"aflw2000_fit"}
    report = bench("report")
    assert report.status == 0, report.err
    assert "fit part to validation part" in report.out


def test_report_is_rebuilt_from_the_store_alone(bench: Bench, tiny_study: Path, data_root: Path) -> None:
    bench("run", "--study", tiny_study, "--data-root", data_root)
    first = bench("report")
    assert first.status == 0
    assert "gaussian(sigma=15)" in first.out
    folder = Path("results/report")
    names = ["index.html", "tables/tiny.csv", "tables/tiny.md", "tables/tiny.tex", "figures/tiny-mae-standard.svg"]
    contents = {name: (folder / name).read_bytes() for name in names}
    table = pd.read_csv(folder / "tables/tiny.csv")
    results = Store("results/bench.sqlite").results("tiny")
    assert table["arm"].tolist() == ["random", "gaussian(sigma=15)", "gaussian(sigma=30)"]
    for _, row in table.iterrows():
        seeds = results.loc[results["arm"] == row["arm"], "mae"]
        assert row["mae"] == pytest.approx(seeds.mean())
        assert row["mae_hw"] == pytest.approx(12.7062 * seeds.std() / 2**0.5, rel=1e-4)  # t(0.975, 1)
        assert row["mae"] == pytest.approx((row["yaw"] + row["pitch"] + row["roll"]) / 3)
    bench("report")
    assert {name: (folder / name).read_bytes() for name in contents} == contents
    assert r"\toprule" in contents["tables/tiny.tex"].decode()
    assert b"| random" in contents["tables/tiny.md"]


def test_failed_trials_are_rows_and_the_study_goes_on(bench: Bench, tmp_path: Path, data_root: Path) -> None:
    study = tmp_path / "tiny.yaml"
    study.write_text(TINY + "  - {sampler: random, label: exploding, core: {learning_rate: 1.0e+30}}\n")
    call = ("run", "--study", study, "--data-root", data_root, "--jobs", 1, "--seeds", 1)
    result = bench(*call)
    assert result.status == 1
    assert "4 trials: 3 trained, 0 reused, 1 failed" in result.out
    # A batch system's log has a line for each trial, too.
    lines = [line for line in result.err.splitlines() if line[:4] in ("1/4 ", "2/4 ", "3/4 ", "4/4 ")]
    assert [line.split()[:2] for line in lines[:3]] == [["1/4", "done"], ["2/4", "done"], ["3/4", "done"]]
    assert lines[3].startswith("4/4 failed  exploding, aflw2000, seed 0: NotFiniteError")
    assert "MAE" in lines[0]
    assert "exploding, aflw2000, seed 0: NotFiniteError: the loss of epoch 0 is not finite" in result.err
    report = bench("report")
    assert report.status == 0
    assert re.search(r"exploding.*NotFiniteError \(seed 0\)", report.out)
    again = bench(*call)  # not tried again by itself
    assert again.status == 1
    assert "4 trials: 0 trained, 3 reused, 1 failed" in again.out
    assert again.err.splitlines()[-1] == "bench: --retry-failed tries failed ones again"
    assert bench(*call, "--retry-failed").status == 1


def test_a_cluster_needs_no_graphics_card_here(
    bench: Bench, tiny_study: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(dask, "CONNECT_SECONDS", 1)
    call = ("run", "--study", tiny_study, "--data-root", data_root, "--device", "cuda")
    assert "--device cuda" in bench(*call).err
    result = bench(*call, "--dask", "tcp://127.0.0.1:9")
    assert result.status == 2
    assert "no scheduler answers" in result.err


def test_waiting_for_other_processes_is_said_in_a_log_once(capsys: pytest.CaptureFixture[str]) -> None:
    with RunReporter("study") as reporter:
        for count in (3, 3, 2, 2):
            reporter.waiting(count)
    lines = capsys.readouterr().err.splitlines()
    assert [re.search(r"waiting for (\d)", line)[1] for line in lines] == ["3", "2"]


def test_dry_run_trains_nothing(bench: Bench, tiny_study: Path, data_root: Path) -> None:
    result = bench("run", "--study", tiny_study, "--data-root", data_root, "--dry-run")
    assert result.status == 0
    assert "6 trials for 6 cells of the table, 6 to train" in result.out
    assert not list(Path().iterdir())


def test_corrupt_image_is_reported_and_left_out(bench: Bench, tiny_study: Path, tmp_path: Path) -> None:
    from tests.fake_data import write_aflw2000, write_biwi

    write_aflw2000(tmp_path / "data", 40)
    write_biwi(tmp_path / "data", 4)
    broken = tmp_path / "data" / "AFLW2000" / "image00007.jpg"
    broken.write_bytes(b"")
    result = bench("run", "--study", tiny_study, "--data-root", tmp_path / "data", "--seeds", 1, "--arm", "random")
    assert result.status == 0
    assert str(broken) in result.err
    assert "1 unreadable image(s) left out, 39 used" in result.err
