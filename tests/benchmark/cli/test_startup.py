"""Verbs that only list or explain start at once: they load none of the libraries that take seconds."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.cli.main import VERBS
from benchmark.cli.samplers import ENTRY_POINTS as LISTED_ENTRY_POINTS
from benchmark.cli.samplers import summaries
from samplers.support.registry import ENTRY_POINTS, Registry
from tests.benchmark.conftest import Bench

HEAVY = ("torch", "torchvision", "roma", "matplotlib", "optuna", "pandas", "scipy", "sqlalchemy", "sklearn")
LIGHT = [
    (),
    ("--help",),
    ("studies",),
    ("studies", "gaussian_sigma"),
    ("protocols",),
    ("samplers",),
    *((verb, "--help") for verb in VERBS),
    *(("data", verb, "--help") for verb in ("prepare", "show", "check")),
]


@pytest.mark.slow
@pytest.mark.parametrize("words", LIGHT, ids=" ".join)
def test_light_verbs_load_no_heavy_module(words: tuple[str, ...]) -> None:
    code = f"""
import sys
from benchmark.cli import main
sys.argv = ["bench", *{words!r}]
try:
    main()
finally:
    loaded = [name for name in {HEAVY!r} if name in sys.modules]
    print("loaded:", *loaded, file=sys.stderr)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode in (0, 2 if not words else 0)
    assert result.stderr.splitlines()[-1] == "loaded:"


def test_the_list_from_the_source_is_what_the_classes_say() -> None:
    assert LISTED_ENTRY_POINTS == ENTRY_POINTS
    assert summaries() == {
        name: (cls.__doc__ or "").partition("\n")[0].replace("`", "")
        for name, cls in Registry().classes.items()
        if cls.__module__.startswith("samplers.")
    }


def test_packages_of_another_installation_are_refused(tmp_path: Path) -> None:
    (tmp_path / "samplers").mkdir()
    (tmp_path / "samplers" / "__init__.py").write_text("")
    code = f"import sys; from benchmark.cli import main; sys.path.insert(0, {str(tmp_path)!r}); main()"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith("bench: not of one installation: benchmark from ")
    assert str(tmp_path) in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [("studies",), ("protocols",), ("samplers",)])
def test_lists_fit_80_columns_and_wide_ones_hold_more(bench: Bench, words: tuple[str, ...]) -> None:
    lines = bench(*words).out.splitlines()
    assert max(map(len, lines)) <= 80
    if words != ("protocols",):
        assert max(map(len, bench(*words, "--wide").out.splitlines())) > 80
