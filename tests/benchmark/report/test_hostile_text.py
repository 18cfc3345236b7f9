"""Names and messages with marks of HTML, LaTeX, Markdown and the terminal: shown as they are, never obeyed."""

from pathlib import Path

import pytest

from tests.benchmark.conftest import Bench

LABEL = "<script>alert(1)</script> [red]x[/] $y^2$ & {z} | `q`"
STUDY = f"""
title: '{LABEL} title'
question: '{LABEL} question?'
baseline: '{LABEL.replace("{z}", "z")}'
protocols: [aflw2000_to_biwi]
core: {{image_size: 16, k: 2, epochs: 1, batch_size: 16, precision: float32, encoder: {{m: 4, widths: [8]}}}}
arms:
  - {{sampler: random, label: '{LABEL.replace("{z}", "z")}'}}
  - {{sampler: random, label: '[/] fails', core: {{learning_rate: 1.0e+30}}}}
"""


@pytest.mark.slow
def test_text_is_escaped_everywhere(bench: Bench, tmp_path: Path, data_root: Path) -> None:
    study = tmp_path / "hostile.yaml"
    study.write_text(STUDY)
    call = ("run", "--study", study, "--data-root", data_root, "--seeds", 1, "--jobs", 1)
    assert LABEL.replace("{z}", "z") in bench(*call, "--dry-run").out
    run = bench(*call)
    assert run.status == 1
    assert "bench: failed: [/] fails, aflw2000, seed 0: NotFiniteError" in run.err
    report = bench("report")
    assert report.status == 0, report.err
    folder = Path("results/report")
    page = (folder / "index.html").read_text()
    assert "<script>alert(1)" not in page
    assert "alert(1)</script>" not in page
    assert "&lt;script&gt;alert(1)" in page
    for figure in folder.rglob("*.svg"):
        assert "<script>alert(1)" not in figure.read_text()
    assert r"[red]x[/] \$y" in (folder / "tables" / "hostile.tex").read_text()
