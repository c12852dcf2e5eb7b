"""The parameters of a workflow as the fields of a form, and their values as plain JSON; see `_schema`."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from ._schema import Field, Frame, Kind, SeedMode

if TYPE_CHECKING:
    from ..workflow import Param

_MAX_SAFE = 2**53
_SLIDER_STEPS = 200
_MAX_SEED = 2**64 - 1

ONE_IMAGE: Frame = {"width": 1, "height": 1, "count": 1}
"""The frame where nothing is known of the images."""


def kind_of(param: Param) -> Kind:
    """Return the control that a parameter gets in the browser."""
    if param.kind == "json" and param.choices and isinstance(param.value, (str, list, tuple)):
        return "many"
    if param.options.get("display") == "color" and param.kind in ("int", "string"):
        return "color"
    if param.kind == "choice" and param.choices is None:
        return "string" if isinstance(param.value, str) else "json"
    if param.kind == "int" and param.guessed and isinstance(param.value, int) and abs(param.value) < _MAX_SAFE:
        # An 8 in a file may be the 8.0 of a decimal number: without definitions nobody knows.
        return "float"
    if param.kind == "int" and param.takes_random:
        return "seed"
    return "image" if param.kind == "file" else cast(Kind, param.kind)


def _accept(param: Param) -> str:
    """Return what the browser's file chooser offers."""
    if param.kind == "image":
        return "image/*"
    return next((f"{kind}/*" for kind in ("video", "audio") if param.options.get(f"{kind}_upload")), "")


def field(param: Param) -> Field:
    """Describe a parameter for the form."""
    kind = kind_of(param)
    words = [param.options.get("label_on"), param.options.get("label_off")]
    return {
        "name": param.name,
        "label": param.label,
        "kind": kind,
        "group": param.group,
        "primary": param.primary,
        "tooltip": param.tooltip,
        "min": _number(kind, param.min),
        "max": _number(kind, param.max),
        "step": _number(kind, param.step),
        "slider": kind in ("int", "float") and _is_slider(param),
        "choices": [_plain(choice) for choice in param.choices] if param.choices is not None else None,
        "accept": _accept(param),
        "words": (str(words[0]), str(words[1])) if all(words) else None,
        "locked": False,
    }


def to_wire(param: Param, value: Any) -> Any:
    """Return a value as it travels to the browser."""
    kind = kind_of(param)
    if kind in ("int", "seed"):
        return str(value)
    if kind == "json":
        return json.dumps(value, ensure_ascii=False)
    if kind == "many":
        return json.dumps([value] if isinstance(value, str) else [*(value or ())], ensure_ascii=False)
    if kind == "color" and param.kind == "int" and isinstance(value, int):
        return f"#{value:06x}"
    return _plain(value)


def from_wire(param: Param, value: Any) -> Any:
    """Return a value from the browser, checked.

    Raises
    ------
    WorkflowError
        It does not fit.
    """
    kind = kind_of(param)
    if kind == "color" and param.kind == "int":
        return param.check(_number_of(param, str(value)))
    if kind in ("json", "many"):
        try:
            value = json.loads(value)
        except (TypeError, ValueError) as error:
            raise param.error(f"is not JSON: {error}") from None
    return param.check(value)


def _number_of(param: Param, text: str) -> int:
    found = re.fullmatch(r"#?([0-9a-f]{6})", text.strip().lower())
    if found is None:
        raise param.error(f"is {text!r:.40}, but must be a colour such as #ff8800.")
    return int(found[1], 16)


def is_random(param: Param, value: Any) -> bool:
    """Tell whether a value asks for a new seed at each run."""
    return param.takes_random and value == "random"


def new_seed(param: Param) -> int:
    """Draw a seed within a parameter's bounds."""
    low = int(param.min) if param.min is not None else 0
    high = int(param.max) if param.max is not None else _MAX_SEED
    return random.SystemRandom().randint(low, high)


def next_seed(param: Param, mode: SeedMode, value: Any) -> int:
    """Return what a mode makes of a seed that has run; at its bounds it stays, as in ComfyUI's editor."""
    if mode == "randomize":
        return new_seed(param)
    try:
        # A file may have it as text or as a decimal number, which the server takes too.
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return new_seed(param)
    low = int(param.min) if param.min is not None else 0
    high = int(param.max) if param.max is not None else _MAX_SEED
    step = max(1, int(param.step or 1))
    return min(high, max(low, number + {"increment": step, "decrement": -step}.get(mode, 0)))


def frame(params: Mapping[str, Param], values: Mapping[str, Any], outputs: int = 1) -> Frame:
    """Return the images that a run will make, as far as the form knows: the browser keeps their place free.

    Parameters
    ----------
    params, values : Mapping
        By name.
    outputs : int
        Nodes that keep images.
    """
    nodes: dict[str, dict[str, Any]] = {}
    for name, param in params.items():
        nodes.setdefault(param.node_id, {})[param.input_name] = values.get(name)
    return _frame(nodes.values(), outputs)


def frame_of_prompt(prompt: Mapping[str, Any]) -> Frame:
    """Return the same for a prompt in API format."""
    return _frame((node.get("inputs", {}) for node in prompt.values()), outputs_of(prompt))


def outputs_of(prompt: Mapping[str, Any]) -> int:
    """Return how many nodes of a prompt keep images: those that save; where none does, those that preview."""
    classes = [str(node.get("class_type")) for node in prompt.values()]
    saving = sum(name in ("SaveImage", "SaveImageWebsocket") for name in classes)
    return saving or classes.count("PreviewImage") or 1


def _frame(nodes: Iterable[Mapping[str, Any]], outputs: int) -> Frame:
    for node in nodes:
        # A node with a batch size makes the images; others with width and height crop or scale.
        width, height, batch = (node.get(name) for name in ("width", "height", "batch_size"))
        if isinstance(width, int) and isinstance(height, int) and isinstance(batch, int):
            return {"width": max(1, width), "height": max(1, height), "count": max(1, batch) * outputs}
    return {"width": 1, "height": 1, "count": outputs}


def _number(kind: str, value: int | float | None) -> str | float | None:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return str(int(value)) if kind in ("int", "seed") else value


def _is_slider(param: Param) -> bool:
    if param.min is None or param.max is None or not param.step:
        return False
    steps = (param.max - param.min) / param.step
    return steps <= _SLIDER_STEPS or (param.options.get("display") == "slider" and steps <= 10_000)


def _plain(value: Any) -> Any:
    """NaN is no JSON, and would make the whole message unreadable for the browser."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
