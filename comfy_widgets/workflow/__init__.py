"""The Workflow document: load it from anything, see and set its parameters, check, edit, build and draw it.

Nothing here talks to a server; a server's node definitions (`/object_info`) are passed in.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .check import Problem as Problem
    from .convert import to_api_prompt as to_api_prompt
    from .document import Workflow as Workflow
    from .examples import example as example
    from .graph import Graph as Graph
    from .param import Param as Param
    from .param import Params as Params
    from .param import UnknownParam as UnknownParam
    from .specs import InputSpec as InputSpec
    from .specs import NodeSpec as NodeSpec
    from .specs import NodeSpecs as NodeSpecs
    from .view import Node as Node

_HOMES = {
    "Graph": "graph",
    "InputSpec": "specs",
    "Node": "view",
    "NodeSpec": "specs",
    "NodeSpecs": "specs",
    "Param": "param",
    "Params": "param",
    "Problem": "check",
    "UnknownParam": "param",
    "Workflow": "document",
    "example": "examples",
    "to_api_prompt": "convert",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_HOMES)
