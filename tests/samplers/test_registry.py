"""Finding samplers, and the part of a trial's identity that their source is."""

import re
from pathlib import Path

import pytest

from mhpe.errors import InputError
from samplers.gaussian import Gaussian
from samplers.registry import Registry, load_file
from samplers.reverse_gaussian import ReverseGaussian
from samplers.source import normalised, source_digest

NEAREST = '''
from samplers import Sampler

class Nearest(Sampler):
    """The K candidates nearest in yaw."""
    name = "nearest"
    power: float = 1.0

    def draw(self, query, k, generator):
        way = (query.yaw[:, None] - self.candidates.yaw).abs() ** self.power
        return way.topk(k, largest=False).indices
'''


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_built_in_samplers_are_found_without_a_list() -> None:
    assert {"random", "bins", "gaussian", "reverse_gaussian", "uniform"} <= set(Registry().classes)
    assert Registry().broken == {}


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("gausian", {}, "no sampler 'gausian'; did you mean 'gaussian'?"),
        ("gaussian", {"sigm": 3}, "unknown key 'sigm'; did you mean 'sigma'?"),
        ("gaussian", {"sigma": 0}, "sigma: input should be greater than 0, not 0"),
        ("gaussian", {"sigma": -5}, "sigma: input should be greater than 0"),
        ("gaussian", {"sigma": float("nan")}, "sigma: input should be a finite number"),
        ("gaussian", {"sigma": "wide"}, "sigma: input should be a valid number"),
        ("bins", {"bin_width": 7}, "bin_width: a bin width must divide 360, not 7"),
        ("bins", {"bin_width": 0}, "bin_width: input should be greater than 0"),
        ("bins", {"empty_bin": "neares"}, "empty_bin: input should be 'nearest' or 'populated_only'"),
    ],
)
def test_wrong_parameters_are_explained(name: str, parameters: dict, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        Registry().build(name, parameters, "study.yaml: arms[1]")


def test_a_file_of_the_users(tmp_path: Path) -> None:
    registry = Registry([write(tmp_path / "mine.py", NEAREST)])
    assert registry.build("nearest", {"power": 2}, "x").power == 2
    assert registry.file_of("nearest") == tmp_path / "mine.py"
    assert registry.file_of("gaussian") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nothing_of_that_name", "import failed with ModuleNotFoundError"),
        ("def broken(:", "import failed with SyntaxError"),
        ("x = 1", "defines no sampler"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "mine.py", text)
    with pytest.raises(InputError, match=re.escape(str(path)) + ".*" + message):
        Registry([path])
    with pytest.raises(InputError, match="cannot read"):
        Registry([tmp_path / "missing.py"])


def test_comments_and_docstrings_do_not_change_the_source_digest(tmp_path: Path) -> None:
    def digest(text: str, name: str) -> str:
        module = load_file(write(tmp_path / f"{name}.py", text))
        return source_digest(module.Nearest)

    original = digest(NEAREST, "a")
    commented = NEAREST.replace('"""The K candidates nearest in yaw."""', '"""Other words."""\n    # a comment\n')
    assert digest(commented.replace("\n\n", "\n\n\n"), "b") == original
    assert digest(NEAREST.replace("largest=False", "largest=True"), "c") != original


def test_source_digest_follows_bases_and_helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    import inspect

    from samplers import drawing, source

    before = {cls: source_digest(cls) for cls in (Gaussian, ReverseGaussian)}
    assert before[Gaussian] != before[ReverseGaussian]
    original = inspect.getsource

    def changed(thing: object) -> str:
        text = original(thing)
        return text.replace("1e-4", "2e-4") if thing is drawing else text

    monkeypatch.setattr(source.inspect, "getsource", changed)
    for cls, digest in before.items():
        assert source_digest(cls) != digest


def test_normalised_source_still_runs() -> None:
    scope: dict = {}
    exec(normalised('"""Doc."""\ndef f():\n    """Only a docstring."""\n\n# comment\nx = f()\n'), scope)
    assert scope["x"] is None
