"""Stubs that tell an editor which nodes a server has."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterator

from ._specs import InputSpec, NodeSpec, NodeSpecs

_HEADER = '''"""The nodes of a ComfyUI server, for editors and type checkers.

    if TYPE_CHECKING:
        from {module} import Nodes
    g: Nodes = Graph(client.object_info())  # type: ignore[assignment]
"""

from typing import Any, Literal

from comfy_widgets.workflow.graph import Graph, Output, Outputs

'''
_MOST_CHOICES = 60
_PYTHON = {
    "int": "int",
    "seed": "int",
    "float": "float",
    "bool": "bool",
    "string": "str",
    "text": "str",
    "image": "str",
    "color": "str",
}


def stubs(specs: NodeSpecs, module: str = "nodes") -> str:
    """Return the text of a ``.pyi`` file with a class ``Nodes`` that has a method for each node class.

    Each socket type becomes a class, so that a MODEL where a CLIP belongs is marked while it is written.
    """
    nodes = [specs[name] for name in specs if _is_name(name)]
    types = sorted({name for node in nodes for name in _type_names(node)})
    lines = [_HEADER.format(module=module)]
    lines += [f"class {name}(Output): ..." for name in types]
    lines += ["", "class Nodes(Graph):"]
    for node in nodes:
        lines += _method(node)
    return "\n".join(lines) + "\n"


def _method(node: NodeSpec) -> Iterator[str]:
    named = [spec for spec in node.inputs if _is_name(spec.name)]
    arguments = ["self"] + ["*"] * bool(named)
    arguments += [f"{spec.name}: {_argument(spec)}{_default(spec)}" for spec in named]
    if len(named) < len(node.inputs) or any(spec.dynamic is not None for spec in node.inputs):
        arguments.append("**inputs: Any")
    yield f"    def {node.class_type}({', '.join(arguments)}) -> {_result(node)}:"
    yield f"        {json.dumps(node.description or node.display_name, ensure_ascii=False)}"


def _argument(spec: InputSpec) -> str:
    if not spec.is_widget:
        return "Any" if spec.dynamic is not None else " | ".join(_class(name) for name in spec.types)
    linked = "Output"
    if spec.kind == "choice" and spec.choices and len(spec.choices) <= _MOST_CHOICES:
        if all(isinstance(choice, (str, int, bool)) for choice in spec.choices):
            return f"Literal[{', '.join(map(repr, spec.choices))}] | {linked}"
        return "Any"
    return f"{_PYTHON[spec.kind]} | {linked}" if spec.kind in _PYTHON else "Any"


def _default(spec: InputSpec) -> str:
    return " = ..." if not spec.required or (spec.is_widget and spec.choices != ()) else ""


def _result(node: NodeSpec) -> str:
    names = [_class(output.type) for output in node.outputs]
    if len(names) == 1:
        return names[0]
    return f"tuple[{', '.join(names)}]" if names else "Outputs"


def _type_names(node: NodeSpec) -> Iterator[str]:
    sockets = [name for spec in node.inputs if not spec.is_widget and spec.dynamic is None for name in spec.types]
    for name in (*sockets, *(output.type for output in node.outputs)):
        if _class(name) != "Any":
            yield _class(name)


def _class(type_name: str) -> str:
    if type_name in ("*", ""):
        return "Any"
    cleaned = re.sub(r"\W", "_", type_name)
    return f"_{cleaned}" if cleaned[0].isdigit() or keyword.iskeyword(cleaned) else cleaned


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)
