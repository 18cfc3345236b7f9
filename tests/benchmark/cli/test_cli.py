"""The command line: lists, help, and mistakes in one clear line with status 2."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.cli import main
from tests.benchmark.conftest import Bench

STUDY = ("run", "--study", "gaussian_sigma", "--protocol", "aflw2000_to_biwi")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run",), "missing option '--study'"),
        (("runn",), "no command 'runn'; did you mean 'run'?"),
        (("run", "--study", "gausian_sigma"), "no study 'gausian_sigma'; did you mean 'gaussian_sigma'?"),
        ((*STUDY, "--preset", "big"), "'big' is not one of"),
        ((*STUDY, "--protocol", "protocol_3"), "no protocol 'protocol_3'; did you mean"),
        ((*STUDY, "--arm", "gausian"), "no arm 'gausian'; did you mean 'gaussian'?"),
        ((*STUDY, "--seeds", "0"), "0 is not in the range"),
        ((*STUDY, "--sampler-file", "missing.py"), "missing.py: cannot read this sampler file"),
        (STUDY, "needs a data folder: pass --data-root DIR (or set MHPE_DATA)"),
        ((*STUDY, "--data-root", "nowhere"), "--data-root nowhere (or MHPE_DATA): no such folder"),
        (("samplers", "gausian"), "no sampler 'gausian'; did you mean 'gaussian'?"),
        (("studies", "gausian_sigma"), "no study 'gausian_sigma'"),
        (("protocols", "protocol_3"), "no protocol 'protocol_3'"),
        (("protocols", ""), "no protocol ''"),
        (("data", "prepare", "aflw"), "no data set 'aflw'"),
        (("data", "prepare", "aflw2000"), "needs a data folder"),
    ],
)
def test_mistakes_are_one_line_with_status_2(bench: Bench, words: tuple[str, ...], message: str) -> None:
    result = bench(*words)
    assert result.status == 2
    assert result.out == ""
    assert result.err.startswith("bench: ")
    assert result.err.count("\n") == 1
    assert message.lower() in result.err.lower()


@pytest.mark.parametrize(
    "words",
    [("report",), ("export", "a.onnx", "--trial", "a"), ("predict", ".", "--trial", "a")],
)
def test_verbs_that_read_make_no_store(bench: Bench, words: tuple[str, ...]) -> None:
    for url in ("sqlite:///results/bench.sqlite", "other.sqlite"):
        result = bench(*words, "--store", url)
        assert (result.status, result.out) == (2, "")
        path = url.removeprefix("sqlite:///")
        assert result.err == f"bench: no store at {path}; bench run makes one\n"
    assert not list(Path().iterdir())


@pytest.mark.parametrize("verb", [("run", "--study", "aa"), ("plan", "--study", "aa")])
def test_a_device_that_is_not_there_is_refused(
    bench: Bench, verb: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    result = bench(*verb, "--device", "cuda")
    assert result.status == 2
    assert result.out == ""
    assert result.err == "bench: --device cuda: PyTorch finds no CUDA device here; cpu would work\n"


def test_unwritable_store_is_named_before_anything_is_trained(bench: Bench, tiny_study: Path, data_root: Path) -> None:
    Path("file").write_text("")
    result = bench("run", "--study", tiny_study, "--data-root", data_root, "--store", "sqlite:///file/results.sqlite")
    assert result.status == 2
    assert re.fullmatch(r"bench: store sqlite:///file/results.sqlite: .*\n", result.err)


@pytest.mark.parametrize(("group", "verb"), [((), "predict"), (("data",), "prepare"), (("store",), "copy")])
def test_a_group_without_a_verb_shows_its_help(bench: Bench, group: tuple[str, ...], verb: str) -> None:
    result = bench(*group)
    assert re.search(rf"^  {verb} ", result.out + result.err, re.MULTILINE)


def fail_unexpectedly(*_: object) -> None:
    raise RuntimeError("two\nlines " + "x" * 5000)


def test_an_unexpected_error_is_one_line_with_status_70(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.cli.studies.study_names", fail_unexpectedly)
    result = bench("studies")
    assert result.status == 70
    assert result.err.startswith("bench: unexpected error: RuntimeError: two lines xxx")
    assert result.err.endswith("; set BENCH_TRACEBACK=1 for the traceback; please report it\n")
    assert result.err.count("\n") == 1
    assert len(result.err) < 1200


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_interruption_promises_no_more_than_is_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mhpe.datasets.prepared", interrupt)
    result = bench("data", "prepare", "synth_train", "--count", 16)
    assert (result.status, result.out) == (130, "")
    line = "bench: interrupted; finished trials and data sets are kept"
    assert result.err.strip() == line


def test_the_traceback_of_an_unexpected_error_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.cli.studies.study_names", fail_unexpectedly)
    monkeypatch.setattr("sys.argv", ["bench", "studies"])
    monkeypatch.setenv("BENCH_TRACEBACK", "1")
    with pytest.raises(RuntimeError, match="two\nlines"):
        main()


def test_lists(bench: Bench, data_root: Path) -> None:
    assert "gaussian_sigma" in bench("studies").out
    assert "reverse_gaussian" in bench("samplers").out
    assert "sigma: degrees" in bench("samplers", "gaussian").out
    assert "Protocol 1" in bench("protocols").out
    assert bench("studies", "gaussian_sigma").out.startswith("title: Gaussian distribution")
    check = bench("data", "check", "--data-root", data_root)
    assert re.search(r"aflw2000 +48 ", check.out)
    assert re.search(r"aflw2000 +48 +1,969 ", check.out)
    assert re.search(r"300w_lp +122,415 .*no folder", check.out)
    assert "24 folders" in check.out
    for wrong in ("nowhere", data_root / "AFLW2000" / "image00002.jpg"):
        problem = bench("data", "check", "--data-root", wrong)
        assert (problem.status, problem.out) == (2, "")
        assert problem.err.startswith(f"bench: --data-root {wrong} ")
        assert problem.err.endswith(": no such folder\n")


@pytest.mark.slow
def test_prepare_says_what_it_did(bench: Bench, data_root: Path) -> None:
    result = bench("data", "prepare", "biwi", "--data-root", data_root, "--size", 32)
    assert (
        "BIWI: 24 of 24 images at 32 px (0 full frames, 24 already cropped, 0 beyond 99 degrees, 0 unreadable, "
        in result.out
    )
    assert "biwi-32px" in bench("data", "check").out


def test_help_does_not_wait_for_pytorch() -> None:
    code = """
import sys
from benchmark.cli import main
sys.argv = ["bench", "--help"]
try:
    main()
finally:
    assert "torch" not in sys.modules
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "report" in result.stdout


@pytest.mark.slow
def test_installed_wheel_works_from_another_folder(tmp_path: Path, tiny_study: Path, data_root: Path) -> None:
    """The wheel holds all packages, the studies and the templates; nothing of the checkout is needed."""
    checkout = Path(__file__).parents[3]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    wheel = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path / "wheel"), str(checkout)]
    subprocess.run([*pip, *wheel], check=True)
    (built,) = (tmp_path / "wheel").glob("*.whl")
    site = tmp_path / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(built)], check=True)
    folder = tmp_path / "elsewhere"
    folder.mkdir()

    def bench(*words: object) -> str:
        result = subprocess.run(
            [sys.executable, str(site / "bin" / "bench"), *map(str, words)],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    where = subprocess.run(
        [sys.executable, "-c", "import benchmark; print(benchmark.__file__)"],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(site)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(site))
    assert "gaussian_sigma" in bench("studies")
    assert "3 trained" in bench("run", "--study", tiny_study, "--data-root", data_root, "--seeds", 1)
    assert "gaussian(sigma=30)" in bench("report")
    assert (folder / "results" / "report" / "index.html").exists()
