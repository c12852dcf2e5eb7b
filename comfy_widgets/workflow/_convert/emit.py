"""From the unfolded graph to the API prompt."""

from __future__ import annotations

import copy
import math
from typing import Any

from comfy_widgets.protocol import WorkflowError

from .._specs_types import InputSpec, NodeSpec
from .extensions import BROWSER_ONLY, COMPUTED
from .frames import Frame, widget_settings
from .graph import Graph
from .parts import BYPASSED, MUTED, Node
from .report import browser_only, missing_class, unplaced_values
from .resolve import Resolver
from .run_texts import Place, RunTexts
from .widgets import MISSING, LiveNode, Widget

_PLAIN = frozenset({str, int, bool})
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
    has_unknown : bool
        Whether a node's class is not among the server's.
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
        self.has_unknown = False
        self._savers: list[str] = []
        self._names: dict[str, str] = {}

    def emit(self) -> None:
        """Fill the prompt with every node that the server is to know, connected or not."""
        for frame in self.frames:
            for node in sorted(frame.scope.nodes.values(), key=_order):
                if self.graph.role(node) == "server" and node.mode != MUTED and node.mode != BYPASSED:
                    self._emit_node(frame, node)

    def run_texts(self) -> RunTexts:
        """What of the prompt is written anew for each run."""
        return RunTexts(frozenset(self.dynamic), tuple(self._savers), self._names, self._unsent_value)

    def _emit_node(self, frame: Frame, node: Node) -> None:
        live = self.graph.live(node)
        spec, properties = live.spec, node.properties
        title = node.title or (spec.display_name if spec is not None else node.type)
        identity = frame.id_of(node)
        where = (identity, title)
        if identity in self.prompt:
            raise WorkflowError(
                f'Two nodes would both be sent as {identity}; the second is "{title}". Give one another id.',
                node_id=identity,
                node_title=title,
                class_type=node.type,
            )
        if spec is not None and spec.class_type in BROWSER_ONLY:
            self._note_browser_only(spec, live, where)
        if spec is None or live.unplaced:
            self._note_unknown(live, node.type, where)
        inputs = self._widget_values(frame, node, live, where)
        for name, link in live.links():
            found = self.resolver.resolve(frame, node, name, link)
            if type(found) is list:
                if name in inputs:
                    self.dynamic.discard((identity, name))
                inputs[name] = found
            elif isinstance(found, Widget):
                self._put(inputs, name, found, where)
        if node.type in COMPUTED:
            inputs |= COMPUTED[node.type](inputs)
        meta = {"title": title}
        for name in _VERSION_KEYS:
            version = properties.get(name)
            if isinstance(version, str):
                meta[name] = version
        self.prompt[identity] = {"class_type": node.type, "inputs": inputs, "_meta": meta}
        given = properties.get("Node name for S&R")
        if given != node.type and isinstance(given, str):
            self._names.setdefault(given, identity)
        if "filename_prefix" in inputs and spec is not None and spec.output_node:
            self._savers.append(identity)

    def _note_browser_only(self, spec: NodeSpec, live: LiveNode, where: tuple[str, str]) -> None:
        """Say that a value which the browser makes is not in the file, so that nobody else can run the node."""
        does, types = BROWSER_ONLY[spec.class_type]
        for name, value, item in live.values():
            if item is not None and item.type in types and (value is MISSING or not value):
                self.graph.report.add("browser-only", browser_only(where[1], spec.class_type, does, name), where, name)

    def _note_unknown(self, live: LiveNode, node_type: str, where: tuple[str, str]) -> None:
        if live.spec is not None:
            message = unplaced_values(where[1], node_type, live.unplaced)
            self.graph.report.add("unplaced-value", message, where, live.unplaced[0][0])
            return
        self.has_unknown = True
        if self.graph.specs.replacement(node_type) is None:
            self.graph.report.add("missing-class", missing_class(where[1], node_type, live.unplaced), where)

    def _widget_values(self, frame: Frame, node: Node, live: LiveNode, where: tuple[str, str]) -> dict[str, Any]:
        settings = widget_settings(frame, node) if frame.settings else {}
        inputs: dict[str, Any] = {}
        for name, value, spec in live.values():
            if name in settings:
                value = value if settings[name] is MISSING else settings[name]
                self._put(inputs, name, Widget(name, value, spec, promoted=True), where)
            elif type(value) in _PLAIN and spec is not None and not spec.dynamic_prompts and spec.kind != "json":
                # Most values need nothing done to them.
                inputs[name] = value
            else:
                self._put(inputs, name, Widget(name, value, spec), where)
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


def _order(node: Node) -> int:
    return node.order


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
