"""Tables in terminals of any width."""

import re
from pathlib import Path

import pytest

from benchmark.cli.progress import RunReporter
from benchmark.cli.terminal import out, plain_table, print_table
from benchmark.store.outcome import Outcome
from benchmark.study.study import load_study
from tests.benchmark.conftest import Bench
from tests.benchmark.fake_results import MadeUp, fill, filled_store

NUMBER = r"\d+\.\d\d ± \d+\.\d\d"


@pytest.fixture(params=[80, 100, 160])
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(out, "_width", request.param)
    return request.param


@pytest.mark.slow
def test_no_number_of_the_report_and_the_plan_is_cut(bench: Bench, tmp_path: Path, width: int) -> None:
    study = tmp_path / "made_up.yaml"
    study.write_text(
        "{title: t, question: q, baseline: random, protocols: [synth_1], arms: [{sampler: random}, "
        "{sampler: gaussian, sigma: [15, 30], label: 'gaussian {sigma}'}]}"
    )
    core = load_study(str(study)).arms[0].core
    filled_store(tmp_path, made_up := MadeUp(protocols=("synth_1",), core=core))
    store = next(tmp_path.glob("*.sqlite"))
    report = bench("report", "--store", store)
    assert report.status == 0, report.err
    assert "…" not in report.out
    rows = re.findall(rf"^gaussian \d\d .*{NUMBER}.*$", report.out, re.MULTILINE)
    assert len(rows) == len(made_up.arms) - 1
    shortened = width < 160  # where that makes it fit
    assert ("Yaw" in report.out) != shortened
    assert ("Std dev" in report.out) == (width > 80)
    assert all(len(row) <= width for row in rows)
    for row in rows:
        assert len(re.findall(NUMBER, row)) == (1 if shortened else 4)
    wide = bench("report", "--store", store, "--wide").out
    assert all(heading in wide for heading in ("Yaw", "Std dev", "Holm p", "Interquartile mean", "MAEV"))
    plan = bench("plan", "--study", study, "--store", store, "--seeds", 4)
    assert plan.status == 0, plan.err
    assert "…" not in plan.out
    assert "common sd, one comparison" in plan.out


@pytest.mark.slow
def test_a_report_of_two_protocols_has_one_layout(bench: Bench, tmp_path: Path, width: int) -> None:
    noise = {"gaussian 15": 40.0, "gaussian 30": 4.0}
    store = filled_store(tmp_path, MadeUp(noise=noise, failed={("gaussian 15", 1): ("ValueError", "no")}))
    fill(store, MadeUp(name="other"))
    shown = bench("report", "--store", tmp_path / "made_up.sqlite", "--study", "made_up").out
    headings = [line.split() for line in shown.splitlines() if line.startswith("Result ")]
    assert len(headings) == 2
    assert headings[0] == headings[1]
    assert all(len(line) <= width for line in shown.splitlines() if "±" in line)
    assert "1 of 2 studies in the store" in shown.splitlines()[-1]
    assert "studies in the store" not in bench("report", "--store", tmp_path / "made_up.sqlite").out


def test_a_table_is_as_wide_as_its_numbers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out, "_width", 20)
    table = plain_table("a [name]", "a number", "another number", numbers_from=1)
    table.add_row("what is [so] called", "1.00 ± 0.25", "[−0.10, 0.20]")
    print_table(table)
    assert "what is [so] called  1.00 ± 0.25   [−0.10, 0.20]" in capsys.readouterr().out
    table = plain_table("name", "path", "many")
    table.add_row("name", "/a/path/that/is/long/and/has/no/space (and words)", "words " * 40)
    print_table(table)
    assert "/a/path/that/is/long/and/has/no/space" in capsys.readouterr().out
    table = plain_table("name", "text")
    table.add_row("name", "many words that a line cannot hold")
    print_table(table)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 20


def test_a_log_says_the_time_left_from_the_first_finished_trial_on(capsys: pytest.CaptureFixture[str]) -> None:
    with RunReporter("a study") as reporter:
        reporter.start(2, 0)
        reporter.finished(Outcome("a", error=("ValueError", "no")), "first")
        reporter.finished(Outcome("b", error=("ValueError", "no")), "second")
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("1/2 failed")
    assert first.endswith(" left")
    assert second.endswith("second: ValueError: no")
