"""Values in a file that no input of the server's definition takes.

A node pack's front-end script adds widgets that the server does not list: rows of LoRAs, switches, buttons. Their
values are in ``widgets_values`` all the same. Where the file itself or the pack's habit tells the name of the input,
the value is sent under it; all others are told, so that nobody's LoRAs vanish in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from .._specs_types import InputSpec, NodeSpec
from .extensions import shows_results
from .parts import Node

_CONTROL_WORDS = frozenset({"fixed", "increment", "decrement", "randomize", "increment-wrap"})
_MAX_VALUES = 1000
_PLAIN = frozenset({"int", "seed", "float", "string", "text", "bool", "choice", "image"})

#: Names in ``widgets_values_named`` that belong to the editor alone.
_OF_THE_EDITOR = frozenset({"control_after_generate", "control_filter_list", "upload", "refresh", "audioUI"})

#: Names under which packs keep what they preview.
_OF_A_PREVIEW = frozenset({"videopreview"})


def is_control_word(value: object) -> bool:
    """Whether the value is a mode of "control after generate"."""
    return isinstance(value, str) and value in _CONTROL_WORDS


def pack_inputs(
    node: Node, surplus: Sequence[Any], known: Mapping[str, Any], spec: NodeSpec | None
) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Name the values that are left over.

    Parameters
    ----------
    node : Node
    surplus : sequence
        The values that no input has taken.
    known : Mapping
        The widgets that have a value already.
    spec : NodeSpec, optional
        None for a class that the server does not have. ComfyUI's own classes have no script that adds to them: what is
        left over there comes from another version, and the server would not take it.

    Returns
    -------
    dict
        The values that can be sent, by the name of their input.
    list of (str, value)
        Those that stay behind and that a person should hear of, each with its name if the file tells it: no buttons,
        no state of a script, no results.
    """
    left = [value for value in surplus[:_MAX_VALUES] if not _is_nothing(value)]
    names = {
        name: value
        for name, value in islice(named_inputs(node.named_values, known), _MAX_VALUES)
        if name not in _OF_THE_EDITOR and value in left
    }
    if spec is None or not spec.python_module or spec.python_module.startswith("custom_nodes"):
        placed = _by_pack(node.type, left) or {name: (value, value) for name, value in names.items()}
        taken = [original for _, original in placed.values()]
        left = [value for value in left if value not in taken]
    else:
        placed = {}
    named = {name: value for name, (value, _) in placed.items()}
    if spec is not None:
        left = [] if _only_shows(spec) else [value for value in left if not _is_button(value, spec)]
    told = {name: value for name, value in names.items() if name not in named}
    return named, [(_name_of(value, told), value) for value in left]


def _name_of(value: object, names: dict[str, Any]) -> str:
    """The first name that stands for the value; it is used up."""
    name = next((name for name, named in names.items() if named == value), "")
    names.pop(name, None)
    return name


def _only_shows(spec: NodeSpec) -> bool:
    """Whether the node keeps among its values only what it showed last."""
    return shows_results(spec.class_type) or (spec.output_node and not any(item.is_widget for item in spec.inputs))


def _is_button(value: object, spec: NodeSpec) -> bool:
    uploads = any(item.upload or item.options.get("file_upload") for item in spec.inputs)
    return uploads and value == "image"


def named_inputs(values: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The values of a file that names them, as far as nothing else has taken them."""
    for name, value in values.items():
        if isinstance(name, str) and name not in known and name not in _OF_A_PREVIEW and _can_be_sent(value):
            yield name, value


def _can_be_sent(value: object) -> bool:
    return isinstance(value, (str, int, float, dict, list))


def without_state(values: list[Any], inputs: Sequence[InputSpec], extra: Sequence[int]) -> tuple[list[Any], list[Any]]:
    """Take out the objects in which a pack's script keeps its own state among plain values.

    Parameters
    ----------
    values : list
    inputs : sequence of InputSpec
        The widgets of the node, none of them dynamic.
    extra : sequence of int
        For each how many further positions it takes.

    Returns
    -------
    list, list
        The values without them, and what was taken out.
    """
    surplus = len(values) - len(inputs) - sum(extra)
    kept: list[Any] = []
    removed: list[Any] = []
    rest = iter(values)
    for item, companions in zip(inputs, extra, strict=True):
        for value in rest:
            if isinstance(value, dict) and item.kind in _PLAIN and len(removed) < surplus:
                removed.append(value)
                continue
            kept.append(value)
            break
        kept += [value for _, value in zip(range(companions), rest, strict=False)]
    return [*kept, *rest], removed


def _by_pack(class_type: str, values: Sequence[Any]) -> dict[str, tuple[Any, Any]]:
    """What packs of many workflows call the values that their scripts add: by name, as sent and as saved."""
    if class_type.startswith("Power Lora Loader"):
        rows = [value for value in values if isinstance(value, dict) and "lora" in value]
        return {f"lora_{number}": (_lora_row(row), row) for number, row in enumerate(rows, 1)}
    if class_type.endswith("(LoraManager)"):
        lists = [value for value in values if isinstance(value, list)]
        words = [value for value in values if isinstance(value, str)]
        named: dict[str, list[Any]] = {"loras": lists}
        if class_type.startswith("TriggerWord"):
            # The second name is spelt as the pack spells it.
            named = {"toggle_trigger_words": lists, "orinalMessage": words}
        return {name: (found[0], found[0]) for name, found in named.items() if found}
    return {}


def _lora_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the pack's script sends it: the second strength only where there is one."""
    return {key: value for key, value in row.items() if key != "strengthTwo" or value is not None}


def _is_nothing(value: object) -> bool:
    if value is None or value in ("", {}, []) or is_control_word(value):
        return True
    # Headers and notes to itself, such as {"type": "PowerLoraLoaderHeaderWidget"}.
    return isinstance(value, dict) and (set(value) == {"type"} or "textWidgetName" in value)
