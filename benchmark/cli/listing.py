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
    found = [
        Listed(name, (ast.get_docstring(cls) or "").partition("\n")[0], _parameters(cls, classes))
        for cls in classes.values()
        if (name := _name(cls))
    ]
    return sorted(found, key=lambda listed: listed.name)


def _name(cls: ast.ClassDef) -> str | None:
    """What ``name = "..."`` in the class says."""
    for node in cls.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="name")], value=ast.Constant(value=str(text))):
                return text
    return None


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
                    found[name] = _default(value)
    return found


def _default(value: ast.expr | None) -> str:
    match value:
        case None:
            return "required"
        case ast.Call(func=ast.Name(id="Field"), args=[default, *_]):
            value = default
        case ast.Call(func=ast.Name(id="Field")):
            return "required"
    return str(ast.literal_eval(value))
