"""Node classes made of plain functions.

A function takes a node's inputs by name and returns its outputs. What a class says of its inputs and outputs, names,
types, defaults and bounds, stands in ``specs.json``; they are those of ComfyUI 0.33's /object_info; the words are ours.
So are nodes that are marked with ``own``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from importlib import resources
from importlib.util import find_spec
from typing import Any

from .._files import Folders
from .._model.names import CHECKPOINT_NAMES, DIGIT_CHECKPOINTS, LORA_NAMES, SAMPLER_NAMES, SCHEDULER_NAMES
from .registry import NodeClass

Function = Callable[..., Any]
_MODELS = ("$checkpoints", "$loras")


class Table:
    """Functions for nodes, by the name of their class; its methods are decorators."""

    def __init__(self) -> None:
        self._plain: dict[str, Function] = {}
        self._with_files: dict[str, Function] = {}

    def node(self, *names: str) -> Callable[[Function], Function]:
        """Let a function be the node of these names."""

        def add(function: Function) -> Function:
            self._plain.update(dict.fromkeys(names, function))
            return function

        return add

    def node_with_files(self, name: str) -> Callable[[Function], Function]:
        """The same for a function whose first argument is the server's `Folders`."""

        def add(function: Function) -> Function:
            self._with_files[name] = function
            return function

        return add

    def classes(self, folders: Folders) -> dict[str, NodeClass]:
        """Return the node classes by name."""
        made = {name: _node_class(name, function, (), folders) for name, function in self._plain.items()}
        for name, function in self._with_files.items():
            made[name] = _node_class(name, function, (folders,), folders)
        return made

    def display_names(self) -> dict[str, str]:
        """Return the titles for people by name."""
        return {name: _specs()[name]["title"] for name in (*self._plain, *self._with_files)}


@cache
def _specs() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("specs.json").read_text(encoding="utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


def _method(function: Function, *first: object) -> Function:
    """Return a method that calls a function; a single output may be returned without a tuple."""

    def run(self: object, **inputs: Any) -> Any:
        output = function(*first, **inputs)
        return output if isinstance(output, (tuple, dict)) else (output,)

    return run


def _node_class(name: str, function: Function, first: tuple[object, ...], folders: Folders) -> NodeClass:
    spec = _specs()[name]

    def input_types(cls: NodeClass) -> dict[str, Any]:
        return _filled(spec["input"], folders)

    members: dict[str, Any] = {
        "RETURN_TYPES": tuple(spec["output"]),
        "RETURN_NAMES": tuple(spec["name"]),
        "FUNCTION": "run",
        "CATEGORY": spec["category"],
        "OUTPUT_NODE": spec.get("saves", False),
        "INPUT_TYPES": classmethod(input_types),
        "DESCRIPTION": (function.__doc__ or "").split("\n\n")[0].strip(),
        "run": _method(function, *first),
    }
    models = [key for inputs in spec["input"].values() for key, kind in inputs.items() if kind[0] in _MODELS]
    if spec.get("own"):
        members["RELATIVE_PYTHON_MODULE"] = "comfy_widgets.engine"
    if models:
        members["MODEL_INPUTS"] = frozenset(models)
    if "tooltips" in spec:
        members["OUTPUT_TOOLTIPS"] = tuple(spec["tooltips"])
    if "lists" in spec:
        members["OUTPUT_IS_LIST"] = tuple(spec["lists"])
    if spec.get("experimental"):
        members["EXPERIMENTAL"] = True
    if "image_upload" in json.dumps(spec["input"]):
        members["IS_CHANGED"] = classmethod(lambda cls, image, **_: folders.digest(image))
        members["VALIDATE_INPUTS"] = classmethod(lambda cls, image: folders.is_input(image))
    return type(name, (), members)


@cache
def _has_digits() -> bool:
    """Tell whether the images of the digits are here, without importing what brings them."""
    return find_spec("sklearn") is not None


def _filled(sections: Mapping[str, Any], folders: Folders) -> dict[str, Any]:
    """Return input types with the choices of this server in place of their names."""
    choices: dict[str, Callable[[], list[str]]] = {
        "$checkpoints": lambda: [*CHECKPOINT_NAMES, *(DIGIT_CHECKPOINTS if _has_digits() else ())],
        "$loras": lambda: list(LORA_NAMES),
        "$samplers": lambda: list(SAMPLER_NAMES),
        "$schedulers": lambda: list(SCHEDULER_NAMES),
        "$inputs": folders.input_files,
    }
    filled = deepcopy(dict(sections))
    for name, inputs in filled.items():
        for spec in inputs.values() if name != "hidden" else ():
            if isinstance(spec[0], str) and spec[0] in choices:
                spec[0] = choices[spec[0]]()
            elif len(spec) > 1 and isinstance(spec[1].get("options"), str):
                spec[1]["options"] = choices[spec[1]["options"]]()
    return filled
