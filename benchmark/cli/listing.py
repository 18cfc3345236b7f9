"""The built-in samplers as their source states them: to import them takes PyTorch, and seconds."""

import ast
from dataclasses import dataclass
from pathlib import Path

ENTRY_POINTS = "mhpe_bench.samplers"
"""Entry point group of installed plugins, as in :mod:`samplers.support.registry`, which this module cannot import."""


@dataclass(frozen=True)
class Listed:
    """A sampler in a list."""

    name: str  # the name studies use
    summary: str  # first line of its docstring
    parameters: dict[str, str]  # their defaults as Python writes them, by name; "required" where there is none


def built_in_samplers() -> list[Listed]:
    """All samplers of the package ``samplers``, by name."""
    files = (Path(__file__).parents[2] / "samplers").rglob("*.py")
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    classes = {node.name: node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)}
    found = []
    for cls in classes.values():
        for node in cls.body:
            match node:
                case ast.Assign(targets=[ast.Name(id="name")], value=ast.Constant(value=str(name))):
                    summary = (ast.get_docstring(cls) or "").partition("\n")[0]
                    found.append(Listed(name, summary, _parameters(cls, classes)))
    return sorted(found, key=lambda listed: listed.name)


def _parameters(cls: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> dict[str, str]:
    """Annotated attributes of a class and of its bases in the package, with their defaults."""
    found: dict[str, str] = {}
    for base in cls.bases:
        if isinstance(base, ast.Name) and base.id in classes:
            found |= _parameters(classes[base.id], classes)
    for node in cls.body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                if not name.startswith("_") and "ClassVar" not in ast.unparse(annotation):
                    if isinstance(value, ast.Call):  # Field(default, ...)
                        value = value.args[0] if value.args else None
                    found[name] = "required" if value is None else str(ast.literal_eval(value))
    return found
