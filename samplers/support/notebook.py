"""Samplers that are defined in a cell of a notebook, or in a script, as files that other processes can load."""

import ast
import builtins
import hashlib
import inspect
import linecache
import sys
from collections.abc import Iterator
from pathlib import Path
from symtable import SymbolTable, symtable
from types import FunctionType, ModuleType

from mhpe.errors import InputError
from samplers.base import Sampler

ADVICE = "write the sampler with all it needs to a .py file and name that file"
KEPT = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef


def sampler_file(cls: type[Sampler], folder: Path) -> Path:
    """The file that defines a sampler class; one is written to ``folder`` for a class of a notebook.

    Of the cell the imports, functions, classes and constants are taken, and what they need of other cells as long as it
    can be imported.

    Raises:
        InputError: if the class is no sampler, its source cannot be found or read, or it needs what cannot be imported.
    """
    if not (inspect.isclass(cls) and issubclass(cls, Sampler)):
        raise InputError(f"samplers: {cls!r} is no subclass of samplers.Sampler")
    if cls.__module__ != "__main__":
        return Path(inspect.getfile(cls))
    try:
        tree = ast.parse("".join(linecache.getlines(_cell(cls))))
    except SyntaxError as error:
        raise InputError(f"samplers: the cell of class {cls.__name__} is no plain Python: {error}; {ADVICE}") from None
    tree.body = [node for node in tree.body if isinstance(node, KEPT) or _is_constant(node)]
    text = f"{_imports(tree, cls)}{ast.unparse(tree)}\n"
    path = folder / f"{cls.__name__.lower()}-{hashlib.sha256(text.encode()).hexdigest()[:8]}.py"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _cell(cls: type[Sampler]) -> str:
    """Name under which Python keeps the source of the cell or script that defines a class."""
    functions = (
        each for each in vars(cls).values() if isinstance(each, FunctionType) and each.__module__ == "__main__"
    )
    name = next((function.__code__.co_filename for function in functions), "")
    if not linecache.getlines(name):
        raise InputError(f"samplers: the source of class {cls.__name__} cannot be found; {ADVICE}")
    return name


def _is_constant(node: ast.stmt) -> bool:
    """Whether a statement gives a name to numbers and texts alone."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return False
    try:
        ast.literal_eval(node.value)
    except (TypeError, ValueError):
        return False
    return True


def _imports(tree: ast.Module, cls: type[Sampler]) -> str:
    """Import statements of what the code needs of other cells."""
    cell = symtable(ast.unparse(tree), "cell", "exec")
    defined = {symbol.get_name() for symbol in cell.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    lines = ""
    for name in sorted(set(_global_names(cell)) - defined - set(vars(builtins))):
        value = getattr(sys.modules["__main__"], name, None)
        if isinstance(value, ModuleType):
            lines += f"import {value.__name__} as {name}\n"
            continue
        module, own_name = getattr(value, "__module__", None), getattr(value, "__name__", "")
        if module in (None, "__main__") or getattr(sys.modules.get(module), own_name, None) is not value:
            raise InputError(
                f"samplers: class {cls.__name__} needs {name}, which is not defined in its cell; define it there, or "
                f"{ADVICE}"
            )
        lines += f"from {module} import {own_name} as {name}\n"
    return lines


def _global_names(table: SymbolTable) -> Iterator[str]:
    """Names that code, and the functions and classes in it, look up in the module."""
    yield from (symbol.get_name() for symbol in table.get_symbols() if symbol.is_global())
    for inner in table.get_children():
        yield from _global_names(inner)
