"""From the unfolded graph to the API prompt."""

from __future__ import annotations

import copy
import math
import random
from datetime import datetime
from typing import Any

from comfy_widgets.protocol import WorkflowError

from .._specs_types import InputSpec
from .document import BYPASSED, MUTED, Node
from .frames import Frame, widget_settings
from .graph import Graph
from .live import MISSING, Widget
from .resolve import Resolver, Source
from .texts import expand_dynamic_prompt, fill_file_name, has_choices

_VERSION_KEYS = ("cnr_id", "aux_id", "ver")


class Emitter:
    """Builds the prompt.

    Parameters
    ----------
    graph : Graph
    frames : list of Frame
        All of them, the root first.
    strict : bool
        Exactly as the front end does.
    seed : int or None
        For ``{a|b}`` choices; None leaves them in the text.
    now : datetime
        For ``%date:...%`` in file names.
    """

    def __init__(self, graph: Graph, frames: list[Frame], *, strict: bool, seed: int | None, now: datetime) -> None:
        self.graph = graph
        self.frames = frames
        self.strict = strict
        self.seed = seed
        self.now = now
        self.resolver = Resolver(graph, strict=strict)
        self.prompt: dict[str, dict[str, Any]] = {}

    def emit(self) -> dict[str, dict[str, Any]]:
        """The prompt: every node that the server is to know, connected or not."""
        for frame in self.frames:
            for node in sorted(frame.scope.nodes.values(), key=lambda node: node.order):
                if node.mode not in (MUTED, BYPASSED) and self.graph.role(node) == "server":
                    self._emit_node(frame, node)
        self._fill_file_names()
        return self.prompt

    def _emit_node(self, frame: Frame, node: Node) -> None:
        identity, title = frame.id_of(node), self.graph.title(node)
        if identity in self.prompt:
            raise WorkflowError(
                f'Two nodes would both be sent as {identity}; the second is "{title}". Give one another id.',
                node_id=identity,
                node_title=title,
                class_type=node.type,
            )
        if node.type not in self.graph.specs:
            self.graph.report.add(
                "missing-class",
                f'"{title}" is a {node.type}, which this server does not have. It is sent as well as can be read.',
                (identity, title),
            )
        where = (identity, title)
        inputs = self._widget_values(frame, node, where)
        live = self.graph.live(node)
        for index, slot in enumerate(live.slots):
            if slot.link is None:
                continue
            found = self.resolver.resolve(frame, node, index)
            if isinstance(found, Source):
                inputs[slot.name] = [found.node, found.slot]
            elif found is not None:
                value = self._sendable(found, slot.name, where)
                if value is not MISSING:
                    inputs[slot.name] = value
        meta = {"title": title}
        for name in _VERSION_KEYS:
            version = node.properties.get(name)
            if isinstance(version, str):
                meta[name] = version
        self.prompt[identity] = {"class_type": node.type, "inputs": inputs, "_meta": meta}

    def _widget_values(self, frame: Frame, node: Node, where: tuple[str, str]) -> dict[str, Any]:
        settings = widget_settings(frame, node)
        inputs: dict[str, Any] = {}
        for name, widget in self.graph.live(node).widgets.items():
            if name in settings:
                widget = Widget(name, settings[name], widget.spec)
            value = self._sendable(widget, name, where)
            if value is not MISSING:
                inputs[name] = value
        return inputs

    def _sendable(self, widget: Widget, name: str, where: tuple[str, str]) -> Any:
        """The value as the server takes it, or MISSING if there is none to send."""
        value, spec = widget.value, widget.spec
        if value is MISSING:
            if spec is None or spec.initial is None:
                return MISSING
            value = spec.initial
        elif _is_hole(value) and not self.strict:
            if spec is None or spec.kind == "json" or spec.initial is None:
                return MISSING
            self.graph.report.add(
                "substituted",
                f'"{where[1]}" has no usable value for {name} ({value}); its default {spec.initial!r} is sent instead.',
                where,
                name,
            )
            value = spec.initial
        if spec is not None and spec.dynamic_prompts and isinstance(value, str):
            value = self._expand(value, name, where)
        return _wrapped(value, spec)

    def _expand(self, value: str, name: str, where: tuple[str, str]) -> str:
        if not has_choices(value):
            return expand_dynamic_prompt(value, None)
        told = "They are sent as they are." if self.seed is None else f"One was picked with seed {self.seed}."
        self.graph.report.add("random-choice", f'The {name} of "{where[1]}" holds choices. {told}', where, name)
        # Seeded by place as well, so that a choice does not depend on what else is in the workflow.
        rng = None if self.seed is None else random.Random(f"{self.seed}:{where[0]}:{name}")
        return expand_dynamic_prompt(value, rng)

    def _fill_file_names(self) -> None:
        with_tokens = [
            node["inputs"]
            for node in self.prompt.values()
            if isinstance(node["inputs"].get("filename_prefix"), str)
            and "%" in node["inputs"]["filename_prefix"]
            and node["class_type"] in self.graph.specs
            and self.graph.specs[node["class_type"]].output_node
        ]
        values = self._named_values() if with_tokens else {}
        for inputs in with_tokens:
            inputs["filename_prefix"] = fill_file_name(
                inputs["filename_prefix"], lambda title, widget: values.get((title, widget)), self.now
            )

    def _named_values(self) -> dict[tuple[str, str], object]:
        """Every plain value by node name and widget; a name given in the properties comes before titles."""
        by_name: dict[tuple[str, str], object] = {}
        by_title: dict[tuple[str, str], object] = {}
        for frame in self.frames:
            for node in frame.scope.nodes.values():
                sent = self.prompt.get(frame.id_of(node), {}).get("inputs", {})
                given = node.properties.get("Node name for S&R")
                for name, widget in self.graph.live(node).widgets.items():
                    value = sent.get(name, widget.value)
                    if isinstance(value, (str, int, float)):
                        by_title.setdefault((self.graph.title(node), name), value)
                        if isinstance(given, str):
                            by_name.setdefault((given, name), value)
        return {**by_title, **by_name}


def _is_hole(value: object) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _wrapped(value: Any, spec: InputSpec | None) -> Any:
    """Wrap what the server would mistake for a link. The result shares nothing with the file."""
    if spec is not None and spec.type == "CURVE" and isinstance(value, (dict, list)):
        return {"__type__": "CURVE", "__value__": copy.deepcopy(value)}
    if isinstance(value, (list, tuple)):
        return {"__value__": copy.deepcopy(list(value))}
    return copy.deepcopy(value) if isinstance(value, dict) else value
