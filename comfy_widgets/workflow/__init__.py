"""The Workflow document: load it from anything, see and set its parameters, check, edit, build and draw it.

Nothing here talks to a server; a server's node definitions (`/object_info`) are passed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._lazy import import_name

if TYPE_CHECKING:
    from ._check import Problem as Problem
    from ._choice import Choose as Choose
    from ._compare import fingerprint as fingerprint
    from ._convert import to_api_prompt as to_api_prompt
    from ._document import Workflow as Workflow
    from ._draw import Drawing as Drawing
    from ._draw import DrawnNode as DrawnNode
    from ._draw import DrawnWire as DrawnWire
    from ._examples import example as example
    from ._foreign import read_settings as read_settings
    from ._graph import Graph as Graph
    from ._missing import Missing as Missing
    from ._missing import ModelFile as ModelFile
    from ._missing import NodePack as NodePack
    from ._node import Node as Node
    from ._param import Param as Param
    from ._param import Params as Params
    from ._param import UnknownParam as UnknownParam
    from ._param import did_you_mean as did_you_mean
    from ._param import nearest as nearest
    from ._prompt import is_link as is_link
    from ._specs import InputSpec as InputSpec
    from ._specs import NodeClasses as NodeClasses
    from ._specs import NodeSpec as NodeSpec
    from ._specs import NodeSpecs as NodeSpecs
    from ._uploads import image_upload as image_upload
    from ._uploads import is_image as is_image
    from ._variants import prompt_variants as prompt_variants

_MODULES = {
    "Choose": "_choice",
    "Drawing": "_draw",
    "DrawnNode": "_draw",
    "DrawnWire": "_draw",
    "Graph": "_graph",
    "InputSpec": "_specs",
    "Missing": "_missing",
    "ModelFile": "_missing",
    "Node": "_node",
    "NodeClasses": "_specs",
    "NodePack": "_missing",
    "NodeSpec": "_specs",
    "NodeSpecs": "_specs",
    "Param": "_param",
    "Params": "_param",
    "Problem": "_check",
    "UnknownParam": "_param",
    "Workflow": "_document",
    "did_you_mean": "_param",
    "example": "_examples",
    "fingerprint": "_compare",
    "image_upload": "_uploads",
    "is_image": "_uploads",
    "is_link": "_prompt",
    "nearest": "_param",
    "prompt_variants": "_variants",
    "read_settings": "_foreign",
    "to_api_prompt": "_convert",
}

__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    return import_name(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted(_MODULES)
