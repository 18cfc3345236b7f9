"""The layout: which package may import which, and how few modules lie loose at the packages' roots."""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("benchmark", "samplers", "mhpe")
ROOMS = {
    "benchmark.cli": {"report", "search", "run", "store", "study", "statistics"},
    "benchmark.report": {"search", "run", "store", "study", "statistics"},
    "benchmark.search": {"run", "store", "study", "statistics"},
    "benchmark.run": {"store", "study"},
    "benchmark.store": {"study", "statistics"},
    "benchmark.study": set(),
    "benchmark.statistics": set(),
}
"""What each room of the benchmark may import from the others."""
LOOSE = {"benchmark": 2, "mhpe": 9}
"""The most modules at a package's root, beside ``__init__.py``."""


@cache
def modules() -> dict[str, Path]:
    """Files of all modules of the three packages by dotted name."""
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


@cache
def imports(module: str) -> frozenset[str]:
    """The modules of these packages that a module imports, wherever in it the statement stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(modules()[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            names |= {node.module or ""}
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names & modules().keys())


def room(module: str) -> str:
    """The first two parts of a module's name."""
    return ".".join(module.split(".")[:2])


@pytest.mark.parametrize("module", [name for name in modules() if not name.startswith("benchmark")])
def test_packages_import_in_one_direction(module: str) -> None:
    package = module.partition(".")[0]
    allowed = {"mhpe": ("mhpe",), "samplers": ("samplers", "mhpe")}[package]
    assert not [name for name in imports(module) if not name.startswith(allowed)]
    if package == "samplers":
        outside = {name for name in imports(module) if name.startswith("mhpe")}
        assert outside <= {"mhpe", "mhpe.poses", "mhpe.rotations", "mhpe.errors", "mhpe.validation"}


@pytest.mark.parametrize("module", [name for name in modules() if room(name) in ROOMS])
def test_rooms_of_the_benchmark_import_in_one_direction(module: str) -> None:
    own = room(module)
    allowed = {own, "benchmark"} | {f"benchmark.{name}" for name in ROOMS[own]}
    assert {room(name) for name in imports(module) if name.startswith("benchmark")} <= allowed


@pytest.mark.parametrize("module", [name for name in modules() if room(name) in ("mhpe.model", "mhpe.data")])
def test_models_and_data_know_no_training(module: str) -> None:
    above = ("mhpe.train", "mhpe.predict")
    assert not [name for name in imports(module) if name.startswith(above)]


def test_training_knows_no_prediction() -> None:
    training = (name for name in modules() if room(name) == "mhpe.train")
    assert not [name for module in training for name in imports(module) if name.startswith("mhpe.predict")]


def test_no_module_imports_itself_through_others() -> None:
    graph = {module: imports(module) - {module.rpartition(".")[0], module} for module in modules()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"circle of imports: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize("package", LOOSE)
def test_few_modules_lie_at_a_root(package: str) -> None:
    loose = {path.name for path in (ROOT / package).glob("*.py")} - {"__init__.py"}
    assert len(loose) <= LOOSE[package], sorted(loose)
