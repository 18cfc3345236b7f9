"""Odd surroundings: output that cannot be encoded, written or is closed; control characters; names too long."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmark.cli.terminal import printable
from tests.benchmark.conftest import TINY, Bench

BENCH = f"{sys.executable} -m benchmark"
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full and a shell")


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    checkout = str(Path(__file__).parents[3])
    variables = os.environ | {"PYTHONPATH": checkout} | environment
    return subprocess.run(
        command, shell=True, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )  # fmt: skip


@linux
def test_output_that_is_full_is_one_line_with_status_2(tmp_path: Path) -> None:
    result = shell(f"{BENCH} protocols > /dev/full", tmp_path)
    assert result.returncode == 2
    assert result.stderr == "bench: cannot write the output: No space left on device\n"


@linux
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_output_that_is_closed_stops_nothing(tmp_path: Path, closed: str) -> None:
    result = shell(f"{BENCH} protocols {closed}", tmp_path)
    assert result.returncode == 0
    assert result.stderr == ""


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_every_verb_can_be_interrupted(bench: Bench, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def interrupted(**_: object) -> None:
        os.kill(os.getpid(), number)
        time.sleep(10)

    monkeypatch.setattr("benchmark.cli.studies.studies_verb.callback", interrupted)
    result = bench("studies")
    assert result.status == 130
    assert "bench: interrupted" in result.err


@linux
def test_a_reader_that_has_enough_stops_nothing_loudly(tmp_path: Path) -> None:
    result = shell(f"{BENCH} studies | true", tmp_path)
    assert result.stderr == ""


@pytest.mark.slow
def test_characters_that_cannot_be_encoded_stop_nothing(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        'from samplers.random import Random\n\nclass Own(Random):\n    """Größer."""\n\n    name = "own"\n', "utf-8"
    )
    result = shell(f"{BENCH} samplers --sampler-file own.py", tmp_path, PYTHONIOENCODING="ascii")
    assert result.returncode == 0, result.stderr
    assert r"Gr\xf6\xdfer." in result.stdout


@pytest.mark.slow
def test_control_characters_do_not_reach_the_terminal(bench: Bench, tmp_path: Path) -> None:
    assert printable("a\x1b[31m\u202eb\tc\nd\x9b") == "a\\x1b[31m\\u202eb\tc\nd\\x9b"
    Path("own.py").write_text(
        'from samplers.random import Random\n\nclass Own(Random):\n    """Red \\x1b[31m."""\n\n    name = "own"\n'
    )
    for words in (("samplers",), ("samplers", "own")):
        result = bench(*words, "--sampler-file", "own.py")
        assert "\x1b" not in result.out
        assert "\\x1b[31m" in result.out
    Path("raises.py").write_text(
        Path("own.py").read_text() + "\n    def draw(self, *_):\n        raise OSError('\\x1b')\n"
    )
    result = bench("check-sampler", "raises.py")
    assert "it raised OSError: \\x1b (raises.py, line 9)" in result.out


def test_a_store_of_a_name_too_long_is_one_line(bench: Bench) -> None:
    for verb in (("run", "--study", "aa", "--dry-run"), ("report",), ("plan", "--study", "aa")):
        result = bench(*verb, "--store", f"{'x' * 300}.sqlite")
        assert result.status == 2
        assert result.err.count("\n") == 1
        assert "xxx" in result.err


def test_a_dry_run_writes_nothing_and_checks_everything(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("MHPE_CACHE", str(cache))
    study = tmp_path / "study.yaml"
    study.write_text(TINY.replace("aflw2000_to_biwi", "synth_1"))
    result = bench("run", "--study", study, "--dry-run")
    assert result.status == 0, result.err
    assert "6 trials for 6 cells of the table, 6 to train" in result.out
    assert "not prepared yet" in result.out
    assert not list(Path().iterdir())
    assert not cache.exists()
    study.write_text(TINY.replace("m: 8", "m: 8, backbone: resnet_18"))
    result = bench("run", "--study", study, "--dry-run")
    assert result.status == 2
    assert "did you mean 'resnet18'?" in result.err


def test_a_dry_run_knows_data_that_were_prepared_twice(
    bench: Bench, tmp_path: Path, tiny_study: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MHPE_CACHE", str(tmp_path / "cache"))
    for image in sorted((data_root / "AFLW2000").glob("*.jpg"))[:2]:
        assert bench("data", "prepare", "aflw2000", "--size", 32, "--data-root", data_root).status == 0
        image.touch()  # the same content, but the state of a file tells that it may have changed
    assert bench("data", "prepare", "biwi", "--size", 32, "--data-root", data_root).status == 0
    assert len(list((tmp_path / "cache" / "prepared").glob("aflw2000-32px-*"))) == 2
    result = bench("run", "--study", tiny_study, "--data-root", data_root, "--dry-run")
    assert result.status == 0, result.err
    assert "not prepared yet" not in result.out


def test_studies_run_in_turn_and_all_are_read_before_the_first(bench: Bench, tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.yaml" for name in "ab"]
    for path in paths:
        path.write_text(TINY.replace("aflw2000_to_biwi", "synth_1"))
    result = bench("run", "--study", paths[0], "--study", paths[1], "--dry-run")
    assert result.status == 0, result.err
    assert result.out.index("a, preset quick_scratch") < result.out.index("b, preset quick_scratch")
    paths[1].write_text("titel: x")
    result = bench("run", "--study", paths[0], "--study", paths[1])
    assert (result.status, result.out) == (2, "")
    assert "b.yaml" in result.err


@pytest.mark.parametrize(
    "words",
    [
        ("samplers", "--yaw", "40"),
        ("samplers", "gaussian", "--yaw", "40"),
        ("samplers", "gaussian", "--jobs", "2"),
        ("samplers", "gaussian", "--data-root", "."),
        ("samplers", "gaussian", "--out", "there"),
        ("run", "--study", "aa", "--wide"),
        ("run", "--study", "aa", "--dry-run", "--protocol", "synth_1", "--data-root", "."),
        ("plan", "--study", "aa", "--protocol", "synth_1", "--data-root", "."),
    ],
)
def test_options_that_would_do_nothing_are_refused(bench: Bench, words: tuple[str, ...]) -> None:
    result = bench(*words)
    assert (result.status, result.out) == (2, "")
    assert "does nothing without" in result.err


@pytest.mark.parametrize(("option", "value"), [("--seeds", 10**9), ("--jobs", 10**9)])
def test_counts_have_a_limit(bench: Bench, option: str, value: int) -> None:
    result = bench("run", "--study", "aa", option, value)
    assert result.status == 2
    assert "is not in the range" in result.err
