"""A sampler's own source, as part of a trial's identity."""

import ast
import hashlib
import inspect
import sys
from types import ModuleType

from samplers.base import Sampler


def source_digest(cls: type[Sampler]) -> str:
    """Digest of everything that a sampler's draws depend on.

    That is the source of the class's module, of its bases' modules, and of all modules of this package
    they import. Comments, docstrings and layout do not count.
    """
    modules: dict[str, ModuleType] = {}
    for base in cls.__mro__:
        module = sys.modules[base.__module__]
        if issubclass(base, Sampler):
            _collect(module, modules)
    digest = hashlib.sha256()
    for name in sorted(modules):
        digest.update(normalised(inspect.getsource(modules[name])).encode())
    return digest.hexdigest()


def normalised(source: str) -> str:
    """Python source without comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _collect(module: ModuleType, modules: dict[str, ModuleType]) -> None:
    """The module and what it imports of this package, transitively."""
    if module.__name__ in modules:
        return
    modules[module.__name__] = module
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("samplers."):
            _collect(sys.modules[str(node.module)], modules)
