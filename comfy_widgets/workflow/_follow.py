"""Following the links of a prompt upwards, to where a literal value stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ._prompt import Place, Prompt, flow_order, is_link, links

TypeOf = Callable[[str, str], "str | None"]
"""``(class_type, input_name) -> type``, or None where the definition is unknown."""

_TEXT_INPUT = re.compile(
    r"(text|prompt|string|value|clip_[lg]$|t5xxl|llama|wildcard|positive|negative|^tags$|lyrics$)", re.IGNORECASE
)
_NOT_TEXT_INPUT = re.compile(
    r"(delimiter|separator|prefix|suffix|_name$|mode|method|type|parser|regex|system)", re.IGNORECASE
)
_TEXT_LINK = re.compile(
    r"(cond|positive|negative|text|prompt|string|clip_[lg]$|t5xxl|guider|value|any|input|on_|tags$|lyrics$)", re.I
)
_SWITCH = frozenset({"switch", "on_true", "on_false"})
_HELD = ("value", "number", "int", "float", "seed")


class Follower:
    """Follows inputs to the literals they take their values from.

    Parameters
    ----------
    prompt : dict
        API format.
    type_of : callable
        Tells the declared type of an input, where it is known.
    """

    def __init__(self, prompt: Prompt, type_of: TypeOf) -> None:
        self.prompt = prompt
        self.order = flow_order(prompt)
        self._type_of = type_of

    def inputs(self) -> Iterator[tuple[str, str, str, Any]]:
        """Yield ``(node id, class, input name, value)`` of all inputs, in flow order."""
        for node_id in self.order:
            node = self.prompt[node_id]
            for name, value in node["inputs"].items():
                yield node_id, node["class_type"], name, value

    def value(self, place: Place) -> Any:
        """Return what stands at a place."""
        return self.prompt[place[0]]["inputs"][place[1]]

    def literal_behind(self, node_id: str, input_name: str) -> Place | None:
        """Follow an input through nodes that only hold or pass a value; None where there is no such way."""
        seen: set[Place] = set()
        while (node_id, input_name) not in seen:
            seen.add((node_id, input_name))
            value = self.prompt[node_id]["inputs"].get(input_name)
            if not is_link(value):
                return (node_id, input_name)
            origin = value[0]
            if origin not in self.prompt:
                return None
            inputs = self.prompt[origin]["inputs"]
            if inputs.keys() >= _SWITCH:
                input_name = self._branch(origin)
            elif input_name not in inputs and len(inputs) > 1:
                named = [name for name in _HELD if name in inputs]
                if not named or any(is_link(v) for v in inputs.values()):
                    return None
                input_name = named[0]
            elif input_name not in inputs:
                if not inputs:
                    return None
                input_name = next(iter(inputs))
            node_id = origin
        return None

    def _branch(self, node_id: str) -> str:
        """Return the input that a switch lets through as it stands."""
        value = self.prompt[node_id]["inputs"]["switch"]
        if is_link(value) and value[0] in self.prompt:
            value = self.prompt[value[0]]["inputs"].get("value")
        return "on_true" if value is True else "on_false"

    def above(self, node_id: str, through: re.Pattern[str]) -> Iterator[str]:
        """Yield the nodes that feed a node by inputs whose names match, nearest first."""
        queue, seen = [node_id], {node_id}
        for current in queue:
            for name, origin, _ in links(self.prompt[current]):
                if through.match(name) and origin in self.prompt and origin not in seen:
                    seen.add(origin)
                    queue.append(origin)
                    yield origin

    def is_text_type(self, class_type: str, name: str) -> bool:
        """Tell whether an input is known to take a text."""
        return self._type_of(class_type, name) == "STRING"

    def texts(self, node_id: str, input_name: str, role: str) -> Iterator[Place]:
        """Yield the literal texts that an input gets, nearest first.

        Parameters
        ----------
        node_id, input_name : str
            Where to start.
        role : str
            ``"positive"``, ``"negative"`` or another; decides at nodes that pass both through.
        """
        seen = {(node_id, input_name)}
        queue: list[tuple[str, str, str]] = [(node_id, input_name, role)]
        for node_id, input_name, wanted in queue:
            value = self.prompt[node_id]["inputs"].get(input_name)
            if isinstance(value, str):
                yield (node_id, input_name)
            if not is_link(value) or value[0] not in self.prompt:
                continue
            origin, slot = value
            node = self.prompt[origin]
            if "ZeroOut" in node["class_type"]:
                # Its text is the other prompt's; what comes out here is an empty one.
                continue
            names = list(node["inputs"])
            if set(names) >= _SWITCH:
                names = [self._branch(origin)]
            elif "positive" in names and "negative" in names:
                # A node that passes both through, such as a ControlNet: slot 0 is the positive one.
                wanted = ("positive", "negative")[slot] if slot < 2 else wanted
                names = [wanted]
            for name in names:
                if (origin, name) not in seen and self._leads_to_text(node, name):
                    seen.add((origin, name))
                    queue.append((origin, name, wanted))

    def _leads_to_text(self, node: dict[str, Any], name: str) -> bool:
        declared = self._type_of(node["class_type"], name)
        if is_link(node["inputs"][name]):
            if declared is not None:
                return declared in ("CONDITIONING", "STRING", "GUIDER", "*", "COMFY_MATCHTYPE_V3")
            return bool(_TEXT_LINK.match(name))
        if declared not in (None, "STRING") or not isinstance(node["inputs"][name], str):
            return False
        return bool(_TEXT_INPUT.search(name)) and not _NOT_TEXT_INPUT.search(name)
