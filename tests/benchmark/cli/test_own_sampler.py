"""A sampler of the user's, from its file to the table, as the README shows it."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from benchmark.run.task import Task
from benchmark.study.arms import Arm
from benchmark.study.trial import Trial
from mhpe.config import CoreConfig
from samplers.support.registry import Registry
from tests.benchmark.conftest import TINY, TINY_CORE, Bench
from tests.samplers.support.test_registry import install_plugin

pytestmark = pytest.mark.slow

README = Path(__file__).parents[3] / "README.md"
OWN = '''
from samplers.gaussian import Gaussian

WIDER = 2.0

class Own(Gaussian):
    """A wider Gaussian."""

    name = "own"

    def log_weights(self, query, bins):
        return super().log_weights(query, bins) / WIDER
'''
ARMS = TINY.partition("arms:")[0].replace("seeds: 2", "seeds: 1") + "arms: [{sampler: random}, {sampler: own}]\n"


def example(language: str) -> str:
    """The first block of a language in README's section on samplers."""
    section = README.read_text(encoding="utf-8").partition("\n## Add a sampler\n")[2]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def own(tmp_path: Path) -> tuple[Path, Path]:
    """A sampler file, and a study of two arms that does not name the file."""
    file, study = tmp_path / "own.py", tmp_path / "own.yaml"
    file.write_text(OWN)
    study.write_text(ARMS)
    return file, study


def test_readme_example_from_the_file_to_the_table(bench: Bench, data_root: Path) -> None:
    code = example("python")
    assert len(code.splitlines()) <= 15
    Path("laplace.py").write_text(code)
    checked = bench("check-sampler", "laplace.py")
    assert checked.status == 0, checked.out
    assert checked.out.startswith("laplace\n  pass  ")
    assert "FAIL" not in checked.out
    on_aflw = ("--protocol", "aflw2000_to_biwi", "--data-root", data_root, "--jobs", 1)
    shown = bench("samplers", "laplace", "--sampler-file", "laplace.py", *on_aflw)
    assert "laplace(bin_width=20, empty_bin=nearest, scale=20) on AFLW2000-3D: 48 images" in shown.out

    study = yaml.safe_load(example("yaml")) | {"core": yaml.safe_load(TINY_CORE), "seeds": 1}
    Path("laplace.yaml").write_text(yaml.safe_dump(study))
    ran = bench("run", "--study", "laplace.yaml", *on_aflw)
    assert ran.status == 0, ran.err
    assert "4 trials: 4 trained" in ran.out
    Path("laplace.py").unlink()
    report = bench("report")  # which reads the store alone
    assert report.status == 0, report.err
    assert re.search(r"laplace\(scale=20\) +\d", report.out)


def test_only_what_changed_trains(bench: Bench, own: tuple[Path, Path], data_root: Path) -> None:
    file, study = own
    call = ("run", "--study", study, "--sampler-file", file, "--data-root", data_root, "--jobs", 1)
    assert "2 trials: 2 trained, 0 reused" in bench(*call).out
    file.write_text("# a comment\n" + OWN.replace("A wider Gaussian", "Wide"))
    assert "2 trials: 0 trained, 2 reused" in bench(*call).out
    file.write_text(OWN.replace("WIDER = 2.0", "WIDER = 3.0"))
    assert "2 trials: 1 trained, 1 reused" in bench(*call).out


def test_an_installed_plugin_trains(
    bench: Bench, own: tuple[Path, Path], tmp_path: Path, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_plugin(tmp_path / "site", "own = made_up_own", made_up_own=OWN)
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert "A wider Gaussian." in bench("samplers").out
    result = bench("run", "--study", own[1], "--data-root", data_root, "--jobs", 1)
    assert "2 trials: 2 trained" in result.out, result.err


def test_a_broken_plugin_is_named_and_the_rest_goes_on(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_plugin(tmp_path / "site", "bad = made_up_bad", made_up_bad="import nothing_of_that_name")
    monkeypatch.syspath_prepend(tmp_path / "site")
    listed = bench("samplers")
    assert listed.status == 0
    assert "gaussian" in listed.out
    assert (
        "bench: made_up_bad cannot be used: ModuleNotFoundError: No module named 'nothing_of_that_name'" in listed.err
    )
    assert bench("check-sampler", "random").status == 0


def test_a_trial_trains_with_the_source_it_was_planned_with(own: tuple[Path, Path]) -> None:
    """The user goes on editing while a study runs."""
    file, _ = own
    sampler = Registry([file]).build("own", {}, "test")
    trial = Trial(Arm("own", sampler, CoreConfig(), file), "train", "f" * 64, 0)
    key = trial.key
    file.write_text(OWN.replace("2.0", "9.0"))
    train_set = SimpleNamespace(folder=Path())
    task = Task.of(SimpleNamespace(trials={key: trial}, train_sets={"f" * 64: train_set}, tests={key: ()}), key)
    assert task.sampler_source == (file, OWN)
    again = Trial(Arm("own", task.build_sampler(), CoreConfig(), file), "train", "f" * 64, 0)
    assert again.key == key


def test_a_sampler_that_fails_while_it_trains_is_a_row(bench: Bench, own: tuple[Path, Path], data_root: Path) -> None:
    file, study = own
    file.write_text(
        OWN + "\n    def draw(self, query, k, generator):\n        return super().draw(query, k - 1, generator)\n"
    )
    result = bench("run", "--study", study, "--sampler-file", file, "--data-root", data_root, "--jobs", 1)
    assert result.status == 1
    assert "2 trials: 1 trained, 0 reused, 1 failed" in result.out
    assert "shape (16, 1), not (16, 2)" in result.err


def test_check_sampler_says_what_is_broken(bench: Bench, own: tuple[Path, Path]) -> None:
    file, _ = own
    file.write_text(
        OWN + "\n    def draw(self, query, k, generator):\n        return super().draw(query, k, generator).int()\n"
    )
    result = bench("check-sampler", file)
    assert result.status == 1
    assert re.search(r"FAIL  Positions are int64: they are torch.int32\n", result.out)
    assert result.out.count("FAIL") == 1
    assert bench("check-sampler", "own", "--sampler-file", file).out.count("FAIL") == 1
    assert result.err == ""


@pytest.mark.parametrize(
    ("lines", "failed"),
    [
        ("return bins.offset(query.yaw)", 15),
        ("return super().log_weights(query, bins).mean(1)", 15),
        ("if len(query) > 1:\n            return bins.offset\n        return bins.offset", 15),  # in two lines
    ],
)
def test_check_sampler_says_each_reason_once(bench: Bench, own: tuple[Path, Path], lines: str, failed: int) -> None:
    own[0].write_text(OWN.replace("return super().log_weights(query, bins) / WIDER", lines))
    checked = bench("check-sampler", own[0])
    assert checked.status == 1
    reasons = re.findall(r"FAIL  .*: (it raised .*|log_weights .*)\n", checked.out)
    others = re.findall(r"FAIL  (\d+) other checks?", checked.out)
    assert len(reasons) == len(set(reasons)) == 1 + lines.count("if")
    assert len(reasons) + sum(map(int, others)) == failed
    assert all("own.py, line" in reason or "shape (300,), not (300, 18)" in reason for reason in reasons)


def test_other_sizes_are_no_other_reason(bench: Bench, own: tuple[Path, Path]) -> None:
    file, _ = own
    file.write_text(
        OWN + "\n    def draw(self, query, k, generator):\n        return query.index[:, None].expand(-1, k)\n"
    )
    assert bench("check-sampler", file).out.count("as their own reference") == 1


def test_check_sampler_takes_parameters(bench: Bench) -> None:
    assert bench("check-sampler", "gaussian", "--set", "sigma=5", "--set", "empty_bin=populated_only").status == 0


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        (None, (), "own.py: cannot read this sampler file"),
        ("def broken(:", (), "own.py: import failed with SyntaxError"),
        ("raise SystemExit(0)", (), "own.py: import failed with SystemExit"),
        ("x = 1", (), "own.py: defines no sampler"),
        (OWN, ("--set", "sigm=3"), "unknown key 'sigm'; did you mean 'sigma'?"),
        (OWN, ("--set", "sigma"), "--set sigma: KEY=VALUE is wanted"),
        (OWN, ("--set", "sigma=[1"), "--set sigma: not valid YAML: line 1: while parsing"),
        (OWN, ("--set", "sigma=!!int x"), "--set sigma: not valid YAML: a number is too long"),
        (OWN, ("--set", "sigma={a: 1, a: 2}"), "--set sigma: not valid YAML: line 1: key 'a' is in line 1 already"),
        (OWN, ("--set", f"sigma={'[' * 5000}"), "nested too deep"),
        (OWN, ("--set", "sigma=2024-13-45"), "not '2024-13-45'"),
        (OWN.replace("name =", "needed: float\n    name ="), (), "needed is missing"),
    ],
)
def test_a_file_that_cannot_be_used_is_status_2(
    bench: Bench, own: tuple[Path, Path], text: str | None, words: tuple[str, ...], message: str
) -> None:
    file, _ = own
    file.unlink() if text is None else file.write_text(text)
    result = bench("check-sampler", file, *words)
    assert result.status == 2
    assert result.out == ""
    assert result.err.startswith("bench: ")
    assert result.err.count("\n") == 1
    assert message in result.err


def test_the_example_of_shared_references_runs(bench: Bench) -> None:
    folder = Path(__file__).parents[3] / "examples" / "shared_references"
    checked = bench("check-sampler", folder / "overlap.py")
    assert checked.status == 0, checked.out
    assert "FAIL" not in checked.out
    planned = bench("run", "--study", folder / "shared_references.yaml", "--dry-run")
    assert "32 trials" in planned.out, planned.err
