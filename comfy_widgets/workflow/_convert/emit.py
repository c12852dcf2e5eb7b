"""From the unfolded graph to the API prompt."""

from __future__ import annotations

import copy
import math
from typing import Any

from comfy_widgets.protocol import WorkflowError

from .._specs_types import InputSpec
from .extensions import COMPUTED
from .frames import Frame, widget_settings
from .graph import Graph
from .live import MISSING, Widget
from .parts import BYPASSED, MUTED, Node
from .report import missing_class, unplaced_values
from .resolve import Resolver, Source
from .run_texts import Place, RunTexts

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

    Attributes
    ----------
    prompt : dict
        API format. Texts are as their author wrote them.
    dynamic : set of (node id, input name)
        The texts in which the front end picks one of ``{a|b}``: those of a node's own widgets. What reaches a widget
        from the outside of a subgraph is sent as it is.
    """

    def __init__(self, graph: Graph, frames: list[Frame], *, strict: bool) -> None:
        self.graph = graph
        self.frames = frames
        self.strict = strict
        self.resolver = Resolver(graph, strict=strict)
        self.prompt: dict[str, dict[str, Any]] = {}
        self.dynamic: set[Place] = set()
        self._savers: list[str] = []
        self._names: dict[str, str] = {}

    def emit(self) -> None:
        """Fill the prompt with every node that the server is to know, connected or not."""
        for frame in self.frames:
            for node in sorted(frame.scope.nodes.values(), key=lambda node: node.order):
                if node.mode not in (MUTED, BYPASSED) and self.graph.role(node) == "server":
                    self._emit_node(frame, node)

    def run_texts(self) -> RunTexts:
        """What of the prompt is written anew for each run."""
        return RunTexts(frozenset(self.dynamic), tuple(self._savers), self._names, self._unsent_value)

    def _emit_node(self, frame: Frame, node: Node) -> None:
        identity, title = frame.id_of(node), self.graph.title(node)
        if identity in self.prompt:
            raise WorkflowError(
                f'Two nodes would both be sent as {identity}; the second is "{title}". Give one another id.',
                node_id=identity,
                node_title=title,
                class_type=node.type,
            )
        where = (identity, title)
        unplaced = self.graph.live(node).unplaced
        if node.type not in self.graph.specs:
            if self.graph.specs.replacement(node.type) is None:
                self.graph.report.add("missing-class", missing_class(title, node.type, unplaced), where)
        elif unplaced:
            message = unplaced_values(title, node.type, unplaced)
            self.graph.report.add("unplaced-value", message, where, unplaced[0][0])
        inputs = self._widget_values(frame, node, where)
        for index, slot in enumerate(self.graph.live(node).slots):
            if slot.link is None:
                continue
            found = self.resolver.resolve(frame, node, index)
            if isinstance(found, Source):
                inputs[slot.name] = [found.node, found.slot]
                self.dynamic.discard((identity, slot.name))
            elif found is not None:
                self._put(inputs, slot.name, found, where)
        if node.type in COMPUTED:
            inputs |= COMPUTED[node.type](inputs)
        meta = {"title": title}
        for name in _VERSION_KEYS:
            version = node.properties.get(name)
            if isinstance(version, str):
                meta[name] = version
        self.prompt[identity] = {"class_type": node.type, "inputs": inputs, "_meta": meta}
        given = node.properties.get("Node name for S&R")
        if isinstance(given, str) and given != node.type:
            self._names.setdefault(given, identity)
        if "filename_prefix" in inputs and node.type in self.graph.specs and self.graph.specs[node.type].output_node:
            self._savers.append(identity)

    def _widget_values(self, frame: Frame, node: Node, where: tuple[str, str]) -> dict[str, Any]:
        settings = widget_settings(frame, node) if frame.settings else {}
        inputs: dict[str, Any] = {}
        for name, widget in self.graph.live(node).widgets.items():
            if name in settings:
                value = widget.value if settings[name] is MISSING else settings[name]
                widget = Widget(name, value, widget.spec, promoted=True)
            self._put(inputs, name, widget, where)
        return inputs

    def _put(self, inputs: dict[str, Any], name: str, widget: Widget, where: tuple[str, str]) -> None:
        """Put a widget's value into `inputs` as the server takes it, if there is one to send."""
        value, spec = widget.value, widget.spec
        if spec is not None and spec.type == "IMAGECOMPARE":
            # Whatever is saved, the front end sends an empty view; the server refuses the node without one.
            inputs[name] = {"__value__": ["", ""]}
            return
        if value is MISSING:
            if spec is None or spec.initial is None:
                return
            value = spec.initial
        elif (value is None or isinstance(value, float)) and _is_hole(value) and not self.strict:
            if spec is None or spec.kind == "json" or spec.initial is None:
                return
            self.graph.report.add(
                "substituted",
                f'"{where[1]}" has no usable value for {name} ({value}); its default {spec.initial!r} is sent instead.',
                where,
                name,
            )
            value = spec.initial
        if spec is not None and spec.dynamic_prompts:
            place = (where[0], name)
            self.dynamic.discard(place)
            if not widget.promoted:
                value = _as_text(value)
                if isinstance(value, str):
                    self.dynamic.add(place)
        inputs[name] = _wrapped(value, spec)

    def _unsent_value(self, name: str, widget: str) -> object:
        """The value of a widget that is not in the prompt: of a muted node, or under a link."""
        found: object = None
        for frame in self.frames:
            for node in frame.scope.nodes.values():
                given = node.properties.get("Node name for S&R")
                if name not in (given, self.graph.title(node)):
                    continue
                held = self.graph.live(node).widgets.get(widget)
                if held is not None and isinstance(held.value, (str, int, float)):
                    if given == name:
                        return held.value
                    found = held.value if found is None else found
        return found


def _is_hole(value: object) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _as_text(value: object) -> object:
    """A number in a text that the front end rewrites becomes a text, as JavaScript writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, (int, float)) else value


def _wrapped(value: Any, spec: InputSpec | None) -> Any:
    """Wrap what the server would mistake for a link. The result shares nothing with the file."""
    if spec is not None and spec.type == "CURVE" and isinstance(value, (dict, list)):
        return {"__type__": "CURVE", "__value__": copy.deepcopy(value)}
    if isinstance(value, (list, tuple)):
        return {"__value__": copy.deepcopy(list(value))}
    return copy.deepcopy(value) if isinstance(value, dict) else value
