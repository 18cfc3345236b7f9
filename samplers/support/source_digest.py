"""A sampler's own source, as part of a trial's identity."""

import ast
import hashlib
import inspect
import sys
from functools import cache
from importlib import import_module
from importlib.metadata import packages_distributions
from importlib.util import find_spec, resolve_name
from types import ModuleType

from samplers.base import Sampler

PACKAGE = "samplers"
TEXT = "__source__"  # attribute of a module that was not imported from a file: its source


def source_digest(cls: type[Sampler]) -> str:
    """Digest of the source that a sampler's draws depend on.

    That is the source of the class's module and of its bases' modules with all their functions and
    constants, and of all modules they import, at any depth, from this package or from the sampler's own
    one. Comments, docstrings and layout do not count, nor does where in this package or in ``mhpe`` an imported
    name is defined, so that moving a module changes no digest.

    Not followed: modules of other packages (``mhpe`` has a version of its own, ``CORE_VERSION``), files
    that a sampler reads, and imports that are not ``import`` statements.
    """
    modules: dict[str, ModuleType] = {}
    for base in cls.__mro__:
        if issubclass(base, Sampler):
            _collect(sys.modules[base.__module__], {PACKAGE, _root(base.__module__)}, modules)
    sources = sorted(normalised(module_source(module)) for module in modules.values())
    return hashlib.sha256("\n".join(sources).encode()).hexdigest()


def module_source(module: ModuleType) -> str:
    """Source of a module as it was loaded, even if a user's file has changed since."""
    text: str = getattr(module, TEXT, None) or inspect.getsource(module)
    return text


def not_followed(cls: type[Sampler]) -> list[str]:
    """Top-level modules that a sampler's module imports, but no installed package has: changing them changes no key."""
    module = sys.modules[cls.__module__]
    roots = {_root(name) for name in _imported(module_source(module), module.__package__ or "")}
    known = {PACKAGE, "mhpe", _root(module.__name__), *sys.stdlib_module_names, *packages_distributions()}
    return sorted(roots - known)


@cache  # a study asks for every trial
def normalised(source: str) -> str:
    """Python source without comments, docstrings and layout, and its imports as :func:`_imported_names`."""
    tree = ast.parse(source)
    names = _imported_names(tree)
    return "\n".join((*names, ast.unparse(_WithoutStringsAndImports().visit(tree))))


def _imported_names(tree: ast.Module) -> list[str]:
    """What a module's names mean that it uses and imports: the whole origin if it is in another package.

    Of this package and ``mhpe`` only the original name of an alias counts, not the module.
    """
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
        for alias in node.names:
            name = alias.asname or (alias.name if isinstance(node, ast.ImportFrom) else _root(alias.name))
            own = bool(getattr(node, "level", 0)) or _root(module or alias.name) in (PACKAGE, "mhpe")
            if name in used and (not own or (alias.asname and module)):
                found.add(f"{name} = {'' if own else module} {alias.name}")
    return sorted(found)


class _WithoutStringsAndImports(ast.NodeTransformer):
    """Removes import statements, and strings that are statements: docstrings of modules, classes and functions."""

    def visit_Import(self, node: ast.stmt) -> None:  # noqa: ARG002
        return None

    visit_ImportFrom = visit_Import  # noqa: N815, as ast calls it

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        parts = vars(super().generic_visit(node))
        if parts.get("body") == [] and not isinstance(node, ast.Module):  # a block must not be empty
            parts["body"] = [ast.Pass()]
        return node


def _collect(module: ModuleType, packages: set[str], modules: dict[str, ModuleType]) -> None:
    """The module and what it imports of some packages, transitively."""
    if module.__name__ in modules:
        return
    modules[module.__name__] = module
    for name in _imported(module_source(module), module.__package__ or ""):
        if _root(name) in packages and name != PACKAGE:  # which defines nothing itself
            _collect(import_module(name), packages, modules)


@cache
def _imported(source: str, package: str) -> tuple[str, ...]:
    """Names of the modules that the import statements of a module in a package name, wherever they are."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            outer = resolve_name("." * node.level + (node.module or ""), package)
            for alias in node.names:
                inner = f"{outer}.{alias.name}"
                names.append(inner if hasattr(sys.modules.get(outer), "__path__") and find_spec(inner) else outer)
    return tuple(names)


def _root(name: str) -> str:
    return name.partition(".")[0]
