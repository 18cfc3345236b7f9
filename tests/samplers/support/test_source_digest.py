"""What a sampler's digest follows, and what it does not."""

import importlib
from pathlib import Path

import pytest

from samplers.support import source_digest as source
from samplers.support.registry import Registry
from samplers.support.source_digest import module_source, normalised, not_followed, source_digest

OWN = '''"""My sampler."""

import torch
from samplers import Sampler

SCALE = 3.0
"""Of something."""


def way(first, second):
    """How far apart."""
    return (first[:, None] - second).abs() * SCALE


class Own(Sampler):
    """Draws by way."""

    name = "own"
    power: float = 1.0
    """Of the way."""

    def draw(self, query, k, generator):
        """Draw."""
        return (way(query.yaw, self.candidates.yaw) ** self.power).topk(k, largest=False).indices
'''
BY_BINS = {"bins", "gaussian", "reverse_gaussian", "uniform"}


def digests() -> dict[str, str]:
    return {name: source_digest(cls) for name, cls in Registry().classes.items()}


def changed_by(edit: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Samplers whose digest changes when a text in a module is replaced."""
    module, old, new = edit
    before = digests()
    original = module_source
    changed = importlib.import_module(module)
    assert old in original(changed)

    def edited(of: object) -> str:
        text = original(of)
        return text.replace(old, new) if of is changed else text

    monkeypatch.setattr(source, "module_source", edited)
    after = digests()
    monkeypatch.undo()
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    "edit",
    [
        ("samplers.gaussian", '"""The Gaussian\'s exponent."""', '"""Other words."""\n        # a comment\n'),
        ("samplers.gaussian", "References near the input's yaw.", "Something else."),
        ("samplers.gaussian", "sigma: degrees.", "sigma: in degrees."),
        ("samplers.gaussian", "    def log_weights", "\n\n    # a comment\n    def log_weights"),
        ("samplers.support.counts", "# a rounding error below", "# an error below"),
        ("samplers.base", "Draw references", "Make draws"),
        ("samplers.support.diagnostics", "DISTANCE_WIDTH = 5.0", "DISTANCE_WIDTH = 6.0"),
        ("samplers.support.registry", "ENTRY_POINTS = ", "ENTRY_POINTS = 'x' + "),
    ],
)
def test_words_and_other_parts_change_no_digest(edit: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert changed_by(edit, monkeypatch) == set()


def test_a_samplers_code_changes_its_own_digest_only(monkeypatch: pytest.MonkeyPatch) -> None:
    edit = ("samplers.gaussian", "query.yaw), self.sigma", "query.yaw), 2 * self.sigma")
    assert changed_by(edit, monkeypatch) == {"gaussian"}


def test_shared_bins_change_all_samplers_that_use_them(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = changed_by(("samplers.yaw_bins", "+ 0.5) * width", "+ 0.4) * width"), monkeypatch)
    assert changed >= BY_BINS
    assert "random" not in changed
    assert changed_by(("samplers.support.counts", "1e-4", "2e-4"), monkeypatch) >= BY_BINS
    assert "random" in changed_by(("samplers.support.groups", "float64", "float32"), monkeypatch)
    assert changed_by(
        ("samplers.base", "arbitrary_types_allowed=True", "arbitrary_types_allowed=False"), monkeypatch
    ) == set(Registry().classes)


def own_digest(folder: Path, text: str) -> str:
    path = folder / "own.py"
    path.write_text(text)
    return source_digest(Registry([path]).classes["own"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SCALE = 3.0", "SCALE = 4.0"),
        (".abs() * SCALE", ".abs()"),
        ("1.0\n", "2.0\n"),
        ("largest=False", "largest=True"),
    ],
)
def test_constants_and_functions_of_the_users_file_count(tmp_path: Path, old: str, new: str) -> None:
    assert old in OWN
    assert own_digest(tmp_path, OWN) != own_digest(tmp_path, OWN.replace(old, new))


@pytest.mark.parametrize(
    "old", ['"""My sampler."""', "Of something", "How far apart", "Draws by way", "Of the way", '"""Draw."""']
)
def test_words_of_the_users_file_do_not(tmp_path: Path, old: str) -> None:
    new = '"""Other words."""' if old.startswith('"') else "Other words"
    assert old in OWN
    edited = OWN.replace(old, new).replace("\ndef way", "\n# a comment\n\ndef way")
    assert own_digest(tmp_path, OWN) == own_digest(tmp_path, edited)


def test_place_of_the_users_file_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    assert own_digest(tmp_path, OWN) == own_digest(tmp_path / "elsewhere", OWN)


def test_the_text_that_was_loaded_counts(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN)
    cls = Registry([path]).classes["own"]
    before = source_digest(cls)
    path.write_text(OWN.replace("3.0", "5.0"))
    assert source_digest(cls) == before
    path.unlink()
    assert source_digest(cls) == before


@pytest.mark.parametrize(
    "line",
    [
        "from samplers.yaw_bins import YawBins",
        "from samplers import yaw_bins",
        "import samplers.yaw_bins",
        "import samplers.yaw_bins as bins",
    ],
)
@pytest.mark.parametrize("place", ["module", "function"])
def test_every_way_to_import_is_followed(
    tmp_path: Path, line: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = OWN.replace("SCALE = 3.0", f"{line}\nSCALE = 3.0") if place == "module" else OWN.replace('"""Draw."""', line)
    before = own_digest(tmp_path, text)
    original = module_source
    edited = lambda module: original(module).replace("+ 0.5", "+ 0.6")  # noqa: E731
    monkeypatch.setattr(source, "module_source", edited)
    assert own_digest(tmp_path, text) != before


@pytest.mark.slow
def test_a_packages_own_modules_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin of several modules, with relative imports."""
    package = tmp_path / "made_up_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "helper.py").write_text("from . import deep\n\ndef largest():\n    return deep.LARGEST\n")
    (package / "deep.py").write_text("LARGEST = False\n")
    (package / "own.py").write_text("from .helper import largest\n" + OWN.replace("largest=False", "largest=largest()"))
    monkeypatch.syspath_prepend(tmp_path)
    from made_up_package import deep, own

    before = source_digest(own.Own)
    assert not_followed(own.Own) == []
    original = module_source
    monkeypatch.setattr(
        source, "module_source", lambda of: original(of).replace("False", "True") if of is deep else original(of)
    )
    assert source_digest(own.Own) != before


@pytest.mark.slow
def test_a_helper_beside_the_file_is_not_followed_and_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made_up_helper.py").write_text("X = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "own.py"
    path.write_text("import json\nimport numpy as np\nimport made_up_helper\nfrom mhpe.poses import Poses\n" + OWN)
    assert not_followed(Registry([path]).classes["own"]) == ["made_up_helper"]


def test_normalised_source_still_runs() -> None:
    scope: dict = {}
    exec(
        normalised(
            '"""Doc."""\ndef f():\n    """Only a docstring."""\n\n# comment\nx = f()\n"""Of x."""\ny = "kept"\n'
        ),
        scope,
    )
    assert scope["x"] is None
    assert scope["y"] == "kept"


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("from math import sin as f\nf(1)", "from math import cos as f\nf(1)", False),
        ("from math import log\nlog(1)", "from torch import log\nlog(1)", False),
        ("from mhpe.rotations import a as f\nf(1)", "from mhpe.rotations import b as f\nf(1)", False),
        ("from mhpe.rotations import f\nf(1)", "from mhpe.model.rotations import f\nf(1)", True),
        ("from samplers.a import f\nf(1)", "from .b import f\nf(1)", True),
        ("import torch\nx = 1", "x = 1", True),
    ],
)
def test_imports_count_by_what_their_names_mean(before: str, after: str, same: bool) -> None:
    assert (normalised(before) == normalised(after)) is same
