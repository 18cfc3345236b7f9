"""What a second report costs: nothing is drawn again, and PyTorch is never loaded."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmark.report import analysis, build
from benchmark.report.build import build_report
from tests.benchmark.fake_results import MadeUp, fill, filled_store

pytestmark = pytest.mark.slow


def test_only_a_study_that_changed_is_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = MadeUp(seeds=2, images=6, protocols=("synth_1",), predictions=False)
    other = MadeUp(name="second", seeds=2, images=6, protocols=("synth_2",), predictions=False)
    store = fill(filled_store(tmp_path, small), other)
    build_report(store, (), tmp_path / "one")
    drawn: Counter[str] = Counter()
    forest = analysis.FIGURES["differences"]
    monkeypatch.setitem(
        analysis.FIGURES, "differences", (forest[0], lambda m: (drawn.update([m.study]), forest[1](m))[1])
    )
    build_report(store, (), tmp_path / "two")
    assert not drawn
    for path in (tmp_path / "one").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()
    more = MadeUp(name="second", seeds=3, images=6, protocols=("synth_2",), predictions=False)
    build_report(fill(store, more), (), tmp_path / "three")
    assert drawn == {"second": 1}


def test_a_change_of_code_or_of_published_numbers_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "__file__", str(tmp_path / "benchmark" / "report" / "build.py"))
    versions = [build._versions.__wrapped__()]
    for name in ("benchmark/report/published/slides.csv", "benchmark/store/reading.py", "mhpe/poses.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("changed")
        versions.append(build._versions.__wrapped__())
    assert len(set(map(str, versions))) == 4


def test_png_files_are_written_on_demand(tmp_path: Path) -> None:
    store = filled_store(tmp_path, MadeUp(seeds=2, images=6, protocols=("synth_1",), predictions=False))
    build_report(store, (), tmp_path)
    assert not list(tmp_path.rglob("*.png"))
    build_report(store, (), tmp_path, png=True)
    assert len(list(tmp_path.rglob("*.png"))) == len(list(tmp_path.rglob("*.svg"))) > 2


def test_a_report_loads_no_pytorch_and_a_second_one_no_matplotlib(tmp_path: Path) -> None:
    filled_store(tmp_path, MadeUp(seeds=2, images=6, protocols=("synth_1",)))
    code = "import sys; from benchmark.cli.main import main\ntry: main()\nfinally: print(*sys.modules, sep='\\n')"
    words = ("report", "--store", f"sqlite:///{tmp_path}/made_up.sqlite", "--out", tmp_path)
    for unwanted in ({"torch", "roma", "seaborn", "matplotlib.pyplot"}, {"torch", "matplotlib", "optuna"}):
        call = [sys.executable, "-c", code, *map(str, words)]
        done = subprocess.run(
            call, capture_output=True, text=True, env=os.environ | {"MPLBACKEND": "nowhere"}, check=True
        )
        assert not unwanted & set(done.stdout.split())
    assert (tmp_path / "index.html").exists()


def test_searches_are_read_without_pytorch() -> None:
    code = "import sys, benchmark.report.search, benchmark.search.storage; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
