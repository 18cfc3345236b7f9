"""The public Python interface: run, results, compare and predictions."""

import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import benchmark
from benchmark.statistics import compare, seed_table
from benchmark.store.schema import METRICS
from mhpe.errors import InputError
from tests.benchmark.conftest import TINY

OWN = """
from samplers import Sampler

class Own(Sampler):
    name = "own"

    def draw(self, query, k, generator):
        return torch.arange(k).expand(len(query.index), k) + (query.index[:, None] < k) * k
"""


def test_import_loads_no_heavy_module() -> None:
    code = "import benchmark, sys; print(*sorted({'torch', 'pandas', 'matplotlib', 'scipy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


@pytest.mark.slow
def test_a_study_from_python(tmp_path: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.py").write_text(f"import torch\n{OWN}")
    study = tmp_path / "tiny.yaml"
    study.write_text(TINY.replace("sigma: [15, 30]", "sigma: 30") + "  - sampler: own\n")
    store = tmp_path / "results.sqlite"
    call = {"samplers": [tmp_path / "own.py"], "data_root": data_root, "jobs": 1, "store": store}
    done = benchmark.run(study, **call)
    assert (done.trials, done.totals.trained, done.failed) == (6, 6, {})
    assert "6 trained" in str(done)
    assert benchmark.run(study, **call, arms="random", seeds=1).totals.done == 1

    monkeypatch.setenv("BENCH_STORE", str(store))
    frame = benchmark.results("tiny")
    assert frame["arm"].tolist() == ["random"] * 2 + ["gaussian(sigma=30)"] * 2 + ["own"] * 2
    assert frame[list(METRICS)].notna().all(axis=None)
    table = benchmark.compare(frame, baseline="random", margin=1.0)
    assert table["difference"].tolist() == compare(seed_table(frame), "random", 1.0)["difference"].tolist()
    assert table.columns[:3].tolist() == ["preset", "protocol", "arm"]

    images = benchmark.predictions(study, "own", 1)
    row = frame[(frame["arm"] == "own") & (frame["seed"] == 1)].iloc[0]
    assert images["mae"].mean() == pytest.approx(row["mae"], abs=1e-4)
    assert images["geodesic"].mean() == pytest.approx(row["geodesic_mean"], abs=1e-4)
    assert np.allclose(images[["error_yaw", "error_pitch", "error_roll"]].mean(axis=1), images["mae"])
    for wrong in (
        lambda: benchmark.results("tinny"),
        lambda: benchmark.compare(frame, baseline="randm"),
        lambda: benchmark.compare(frame, baseline={"gaussian 30": None}),
        lambda: benchmark.predictions("tiny", "owm", 0),
        lambda: benchmark.predictions("tiny", "own", 7),
        lambda: benchmark.run("tinny"),
        lambda: benchmark.run(study, **call | {"jobs": 5000}),
    ):
        with pytest.raises(InputError, match=r"tinny|randm|None|owm|7|5000"):
            wrong()


def test_a_sampler_without_a_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    main = types.ModuleType("__main__")  # of a notebook
    exec(f"import torch\n{OWN}", vars(main))
    monkeypatch.setitem(sys.modules, "__main__", main)
    for wrong in (vars(main)["Own"], dict, 3):
        with pytest.raises(InputError, match=r"samplers: .*\.py file"):
            benchmark.run("gaussian_sigma", samplers=[wrong])  # type: ignore[list-item]
