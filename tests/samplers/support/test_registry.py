"""Finding samplers: built in, installed, and in files of the user's."""

import re
from pathlib import Path

import pytest

from mhpe.errors import InputError
from samplers.support.registry import ENTRY_POINTS, Registry

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
        ("gaussian", {"sigma": 0}, "sigma: must be greater than 0, not 0"),
        ("gaussian", {"sigma": -5}, "sigma: must be greater than 0"),
        ("gaussian", {"sigma": float("nan")}, "sigma: must be a finite number"),
        ("gaussian", {"sigma": "wide"}, "sigma: must be a valid number"),
        ("bins", {"bin_width": 7}, "bin_width: a bin width must divide 360, not 7"),
        ("bins", {"bin_width": 0}, "bin_width: must be greater than 0"),
        ("bins", {"empty_bin": "neares"}, "empty_bin: must be 'nearest' or 'populated_only'"),
    ],
)
def test_wrong_parameters_are_explained(name: str, parameters: dict, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        Registry().build(name, parameters, "study.yaml: arms[1]")


def test_a_file_of_the_users(tmp_path: Path) -> None:
    registry = Registry([write(tmp_path / "mine.py", NEAREST)])
    assert registry.build("nearest", {"power": 2}, "x").power == 2
    assert registry.files.get("nearest") == tmp_path / "mine.py"
    assert registry.files.get("gaussian") is None


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("raise SystemExit(0)", "import failed with SystemExit"),
        ("class A(Sampler):\n    name = 'a'", r"class A needs draw\(\)"),
        ("class A(Sampler):\n    def draw(self, query, k, generator): ...", "class A needs a name"),
        (
            "class A(Sampler):\n    name: str = 'a'\n    def draw(self, query, k, generator): ...",
            "class A needs a name",
        ),
        ("class A(Sampler):\n    x = 3", "import failed with PydanticUserError"),
        ("class A(Random):\n    name = 'random'", "samplers.random has a sampler 'random' already"),
    ],
)
def test_what_a_file_needs_is_said(tmp_path: Path, text: str, message: str) -> None:
    head = "from samplers import Sampler\nfrom samplers.random import Random\n"
    path = write(tmp_path / "mine.py", head + text)
    with pytest.raises(InputError, match=f"{re.escape(str(path))}: .*{message}"):
        Registry([path])


def test_a_file_that_is_named_twice_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "mine.py", NEAREST)
    assert Registry([path, Path("mine.py")]).files.get("nearest") is not None
    with pytest.raises(InputError, match="has a sampler 'nearest' already"):
        Registry([path, write(tmp_path / "copy.py", NEAREST)])


def install_plugin(site: Path, entries: str, **modules: str) -> None:
    """Modules and the metadata of an installed package that offers them."""
    info = site / "made_up_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: made-up-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\n{entries}\n")
    for name, text in modules.items():
        (site / f"{name}.py").write_text(text)


def test_an_installed_plugin_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_plugin(tmp_path, "near = made_up_near", made_up_near=NEAREST)
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry()
    assert registry.broken == {}
    assert registry.build("nearest", {"power": 3}, "x").power == 3
    assert registry.files.get("nearest") is None


def test_a_broken_plugin_takes_nothing_else_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = "a = made_up_good\nb = made_up_ends\nc = made_up_missing\nd = made_up_empty\ne = made_up_taken"
    install_plugin(
        tmp_path,
        entries,
        made_up_good=NEAREST,
        made_up_ends="import sys\nsys.exit(0)",
        made_up_empty="",
        made_up_taken=NEAREST.replace('"nearest"', '"random"'),
    )
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry()
    assert {"nearest", "random", "gaussian"} <= set(registry.classes)
    assert registry.classes["random"].__module__ == "samplers.random"
    taken = "has a sampler 'random' already"
    assert registry.broken == {
        "made_up_ends": "SystemExit: 0",
        "made_up_missing": "ModuleNotFoundError: No module named 'made_up_missing'",
        "made_up_empty": "it is no module that defines a sampler",
        "made_up_taken": f"made_up_taken: samplers.random {taken}; class Nearest needs another name",
    }
    with pytest.raises(InputError, match="made_up_ends cannot be used: SystemExit"):
        registry.find("made_up", "x")


@pytest.mark.parametrize("name", ["3", "''", "'a/b'", "'../x'", r"'a\x1b[31mb'", "'a b'", f"'{'x' * 101}'"])
def test_names_that_no_store_and_no_file_can_have_are_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "own.py"
    file.write_text(f"from samplers.random import Random\n\nclass Own(Random):\n    name = {name}\n")
    with pytest.raises(InputError, match=r"own.py: class Own: name must be text") as error:
        Registry([file])
    assert "\x1b" not in str(error.value)


def test_two_classes_of_one_name_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        "from samplers.random import Random\n\nclass A(Random):\n    name = 'own'\n\nclass B(A):\n    k: int = 3\n"
    )
    with pytest.raises(InputError, match="'own' already; class B needs another name"):
        Registry([file])


def test_a_file_that_fails_to_import_is_named_with_the_line_and_says_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "own.py"
    file.write_text("import argparse\n\nargparse.ArgumentParser().parse_args(['--what'])\n")
    with pytest.raises(InputError, match=r"import failed with SystemExit: 2 \(own.py, line 3\)"):
        Registry([file])
    assert capsys.readouterr() == ("", "")
    file.write_text("\ufefffrom samplers.random import Random\n\nclass Own(Random):\n    name = 'own'\n")
    assert "own" in Registry([file]).classes
    file.write_text("# Größe", encoding="latin-1")
    with pytest.raises(InputError, match="UTF-8"):
        Registry([file])
