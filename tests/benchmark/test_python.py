"""The public Python interface: run, results, compare and predictions."""

import linecache
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import benchmark
from benchmark.statistics import compare, seed_table
from benchmark.store.schema import METRICS
from mhpe.errors import InputError
from samplers.gaussian import Gaussian
from samplers.support.notebook import sampler_file
from tests.benchmark.conftest import TINY

CELL = "/tmp/ipykernel_1/1.py"
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


def cell(text: str, monkeypatch: pytest.MonkeyPatch, **others: object) -> type:
    """The class ``Own`` of a cell, as IPython makes it, beside what other cells define."""
    import types

    main = types.ModuleType("__main__")
    vars(main).update(others)
    monkeypatch.setitem(sys.modules, "__main__", main)
    _keep_source(text, monkeypatch)
    exec(compile(text, CELL, "exec"), vars(main))
    return vars(main)["Own"]


def _keep_source(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a text the source that Python keeps of the cell."""
    monkeypatch.setitem(linecache.cache, CELL, (len(text), None, text.splitlines(keepends=True), CELL))


def test_a_sampler_of_a_cell_is_written_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from mhpe.rotations import wrap_degrees

    text = OWN.replace("+ (query", "+ helper(wrap_degrees(query.yaw)) * LIMIT + (query")
    text = f"LIMIT = 3\n{text}\ndef helper(x):\n    return x\n\nprint('done')\n"
    cls = cell(text, monkeypatch, torch=torch, wrap_degrees=wrap_degrees)
    path = sampler_file(cls, tmp_path)
    written = path.read_text()
    assert "import torch as torch" in written
    assert "from mhpe.rotations import wrap_degrees as wrap_degrees" in written
    assert "print" not in written
    assert sampler_file(cls, tmp_path) == path
    namespace: dict[str, object] = {"__name__": "elsewhere"}
    exec(written, namespace)
    assert namespace["LIMIT"] == 3


def test_the_code_of_a_cell_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts and statements over several lines; statements that only look constant are left out."""
    import torch

    text = f'LINES = """a\nb\n"""\nLONG = \\\n    3\n{OWN}'
    cls = cell(text, monkeypatch, torch=torch)
    namespace: dict[str, object] = {"__name__": "elsewhere"}
    exec(sampler_file(cls, tmp_path).read_text(), namespace)
    assert (namespace["LINES"], namespace["LONG"]) == ("a\nb\n", 3)
    _keep_source(f"BAD = {{[]: 1}}\n{OWN}", monkeypatch)
    assert "BAD" not in sampler_file(cls, tmp_path).read_text()
    _keep_source(f"%timeit x\n{OWN}", monkeypatch)
    with pytest.raises(InputError, match=r"Own.*syntax.*\.py file"):
        sampler_file(cls, tmp_path)


def test_what_another_cell_defines_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    cls = cell(OWN.replace("+ (query", "+ secret * (query"), monkeypatch, torch=torch, secret=3)
    with pytest.raises(InputError, match=r"needs secret.*\.py file"):
        sampler_file(cls, tmp_path)
    with pytest.raises(InputError, match="no subclass"):
        sampler_file(dict, tmp_path)  # type: ignore[arg-type]
    assert sampler_file(Gaussian, tmp_path).name == "gaussian.py"
