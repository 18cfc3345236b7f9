"""YAML that a person has written, read with errors that name the line."""

import re
from typing import Any

import yaml

from mhpe.errors import InputError
from mhpe.validation import short


class _Reader(yaml.SafeLoader):
    """Plain data alone, and no key twice.

    Values mean what YAML 1.2 says. PyYAML reads YAML 1.1, where ``no`` is false, ``1:30`` is 90, ``020`` is 16, and
    ``1e3`` is text. Here ``no`` and ``1:30`` are text, ``020`` is 20, ``1e3`` is 1000, and a date is text.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012, as PyYAML has it
        first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith((":null", ":merge"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_mapping_node(self, anchor: dict[Any, yaml.Node]) -> yaml.MappingNode:
        mapping = super().compose_mapping_node(anchor)
        seen: dict[tuple[str, str], yaml.ScalarNode] = {}
        for key, _ in mapping.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag.endswith(":merge"):
                continue
            first = seen.setdefault((key.tag, key.value), key)
            if first is not key:
                problem = f"key {short(key.value)} is in line {first.start_mark.line + 1} already"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
        return mapping


for _tag, _pattern, _first in (
    ("bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9][0-9_]*", "-+0123456789"),
    ("float", r"[-+]?([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+."),
):
    _Reader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))
_Reader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(str(node.value)))


def read_yaml(text: str, where: str) -> Any:
    """What a YAML text says; an InputError, which begins with ``where`` and names the line, if it is not valid."""
    try:
        return yaml.load(text, _Reader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        raise InputError(f"{where}: not valid YAML: {line}{problem}") from None
    except RecursionError:
        raise InputError(f"{where}: not valid YAML: lists or mappings are nested too deep") from None
    except yaml.YAMLError as error:
        raise InputError(f"{where}: not valid YAML: {' '.join(str(error).split())}") from None
    except (ValueError, LookupError, AttributeError):  # such as "!!int x"
        raise InputError(f"{where}: not valid YAML: a number is too long, or a value does not fit its tag") from None
