"""Node classes by name, and what /object_info says about them."""

from __future__ import annotations

import importlib.util
import inspect
import logging
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

NodeClass = type[Any]
_log = logging.getLogger(__name__)


class Registry:
    """The node classes of one server.

    Parameters
    ----------
    classes : dict
        Name -> class, in ComfyUI's classic node API.
    display_names : dict
        Name -> title for people.
    stand_in : bool
        Whether loaders take models that are not here.
    """

    def __init__(self, classes: dict[str, NodeClass], display_names: dict[str, str], *, stand_in: bool = False) -> None:
        self.stand_in = stand_in
        self.classes = dict(classes)
        self._display_names = dict(display_names)
        self._modules = {name: getattr(cls, "RELATIVE_PYTHON_MODULE", "nodes") for name, cls in classes.items()}

    def load(self, path: Path) -> None:
        """Add the NODE_CLASS_MAPPINGS (and NODE_DISPLAY_NAME_MAPPINGS) of a Python file.

        Raises
        ------
        ValueError
            When the file cannot be run or has no such mapping; the message names the file and the reason.
        """
        module_name = f"custom_nodes.{path.stem}"
        spec = importlib.util.spec_from_file_location(module_name, path)
        if spec is None or spec.loader is None or not path.is_file():
            raise ValueError(f"The custom node file {path} is not a Python file that exists.")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise ValueError(
                f"The custom node file {path} could not be loaded: {type(error).__name__}: {error}"
            ) from error
        mappings = getattr(module, "NODE_CLASS_MAPPINGS", None)
        if not isinstance(mappings, dict):
            raise ValueError(f"The custom node file {path} has no dict NODE_CLASS_MAPPINGS.")
        self.classes.update(mappings)
        self._display_names.update(getattr(module, "NODE_DISPLAY_NAME_MAPPINGS", {}))
        self._modules.update(dict.fromkeys(mappings, module_name))

    def is_output(self, class_type: str) -> bool:
        """Tell whether a class is an output node."""
        return bool(getattr(self.classes[class_type], "OUTPUT_NODE", False))

    def info(self, class_type: str, *, newest: bool = True) -> dict[str, Any]:
        """Return one node's entry in /object_info, with the keys of the newest ComfyUI or without them."""
        cls = self.classes[class_type]
        inputs: dict[str, dict[str, Any]] = cls.INPUT_TYPES()
        outputs = tuple(cls.RETURN_TYPES)
        info: dict[str, Any] = {
            "input": inputs,
            "input_order": {section: list(names) for section, names in inputs.items()},
            "output": outputs,
            "output_is_list": list(getattr(cls, "OUTPUT_IS_LIST", [False] * len(outputs))),
            "output_name": list(getattr(cls, "RETURN_NAMES", outputs)),
            "name": class_type,
            "display_name": self._display_names.get(class_type, class_type),
            "description": getattr(cls, "DESCRIPTION", ""),
            "python_module": self._modules[class_type],
            "category": getattr(cls, "CATEGORY", "sd"),
            "output_node": self.is_output(class_type),
        }
        if newest:
            info["is_input_list"] = bool(getattr(cls, "INPUT_IS_LIST", False))
            info["has_intermediate_output"] = bool(getattr(cls, "HAS_INTERMEDIATE_OUTPUT", False))
            info["search_aliases"] = list(getattr(cls, "SEARCH_ALIASES", ()))
            if hasattr(cls, "ESSENTIALS_CATEGORY"):
                info["essentials_category"] = cls.ESSENTIALS_CATEGORY
        if hasattr(cls, "OUTPUT_TOOLTIPS"):
            info["output_tooltips"] = cls.OUTPUT_TOOLTIPS
        for flag in ("deprecated", "experimental"):
            if getattr(cls, flag.upper(), False):
                info[flag] = True
        return info

    def all_info(self, *, newest: bool = True) -> dict[str, dict[str, Any]]:
        """Return /object_info: every class whose definition does not raise."""
        infos: dict[str, dict[str, Any]] = {}
        for class_type in self.classes:
            try:
                infos[class_type] = self.info(class_type, newest=newest)
            except Exception as error:
                _log.warning("The node class %s has no valid definition: %s", class_type, error)
        return infos


def input_specs(cls: NodeClass) -> Iterable[tuple[str, str, Any, dict[str, Any]]]:
    """Yield (section, name, type, options) for the required and optional inputs of a class."""
    types: dict[str, dict[str, Any]] = cls.INPUT_TYPES()
    for section in ("required", "optional"):
        for name, spec in types.get(section, {}).items():
            options = spec[1] if len(spec) > 1 else {}
            yield section, name, spec[0], options if isinstance(options, dict) else {}


def hidden_inputs(cls: NodeClass) -> dict[str, str]:
    """Return name -> kind ("PROMPT", "EXTRA_PNGINFO", "UNIQUE_ID", ...) of a class's hidden inputs."""
    hidden: dict[str, str] = cls.INPUT_TYPES().get("hidden", {})
    return hidden


def lazy_inputs(cls: NodeClass) -> set[str]:
    """Return the names of the inputs that are only computed when the node asks for them."""
    return {name for _, name, _, options in input_specs(cls) if options.get("lazy")}


@cache
def accepted_arguments(function: Callable[..., Any]) -> tuple[frozenset[str], bool]:
    """Return the argument names of a function, and whether it takes any name (``**kwargs``)."""
    parameters = inspect.signature(function).parameters.values()
    names = frozenset(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
    return names, any(p.kind is p.VAR_KEYWORD for p in parameters)
