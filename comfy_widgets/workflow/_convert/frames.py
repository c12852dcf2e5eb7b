"""Subgraph instances, unfolded: one frame for each instance, with the values that its host sets inside."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from comfy_widgets.protocol import WorkflowError

from .graph import Graph, PromotedWidget
from .parts import BYPASSED, MUTED, Node, Scope, key, sequence, text
from .widgets import MISSING, Widget

#: The host itself, where an old file lists which inner widget a value belongs to.
_HOST = "-1"

_NODE_PREFIX = re.compile(r"(\d+): (.+)", re.DOTALL)
_MAX_NODES = 100_000


@dataclass(slots=True)
class Setting:
    """A value that a host sets on a widget inside; `node` tells like-named widgets of a nested subgraph apart.

    MISSING stands for a widget that the host shows without a value of its own: that of the inner node counts.
    """

    widget: str
    node: str | None
    value: Any


@dataclass(slots=True)
class Frame:
    """One instance of a scope. `path` is its execution id; the root's is empty.

    `values` holds what the host says for promoted inputs, by index; `settings` what it sets on inner widgets that no
    input of the subgraph stands for, by inner node.
    """

    scope: Scope
    path: str = ""
    parent: Frame | None = None
    host: Node | None = None
    values: dict[int, Any] = field(default_factory=dict)
    settings: dict[str, list[Setting]] = field(default_factory=dict)
    children: dict[str, Frame] = field(default_factory=dict)

    def id_of(self, node: Node) -> str:
        """The execution id of `node` in this frame."""
        return f"{self.path}:{node.id}" if self.path else node.id


def expand(graph: Graph) -> list[Frame]:
    """Unfold every instance; the root's own ones are left folded where muted or bypassed, nested ones never are."""
    root = Frame(graph.document.root)
    frames: list[Frame] = []
    pending = [root]
    nodes = 0
    while pending:
        frame = pending.pop()
        frames.append(frame)
        nodes += 1 + len(frame.scope.nodes)
        if nodes > _MAX_NODES:
            raise WorkflowError(f"Its subgraphs unfold to more than {_MAX_NODES:,} nodes; this is not converted.")
        for node in frame.scope.nodes.values():
            scope = graph.scope_of(node)
            if scope is None or (frame is root and node.mode in (MUTED, BYPASSED)):
                continue
            child = Frame(scope, frame.id_of(node), frame, node)
            frame.children[node.id] = child
            if not scope.grouped:
                _Host(graph, child, node).set_values(frame.settings.get(node.id, []))
            pending.append(child)
    return frames


def promoted_value(graph: Graph, frame: Frame, index: int) -> Widget | None:
    """The value of the frame's promoted input `index`: the host's, else that of the widget inside."""
    value: Any = MISSING
    while True:
        target = graph.promoted(frame.scope)[index] if index < len(frame.scope.inputs) else None
        if target is None:
            return None
        if value is MISSING:
            value = frame.values.get(index, MISSING)
        if isinstance(target, PromotedWidget):
            inside = graph.live(target.node).widgets.get(target.widget) or Widget(target.widget, MISSING)
            return Widget(inside.name, inside.value if value is MISSING else value, inside.spec, promoted=True)
        # The outermost host that has a value decides; the way down only finds the widget's definition.
        frame, index = frame.children[target.node.id], target.index


def widget_settings(frame: Frame, node: Node) -> Mapping[str, Any]:
    """What the host sets on the widgets of an ordinary inner node, by name; MISSING where it only shows the widget."""
    values: dict[str, Any] = {}
    for setting in frame.settings.get(node.id, ()):
        if setting.value is not MISSING or setting.widget not in values:
            values[setting.widget] = setting.value
    return values


class _Host:
    """Reads the values that an instance node has saved, in all the forms that were ever in use."""

    def __init__(self, graph: Graph, frame: Frame, node: Node) -> None:
        self.graph = graph
        self.frame = frame
        self.node = node
        self.ports: dict[str, int] = {}
        for index, port in enumerate(frame.scope.inputs):
            self.ports.setdefault(port.name, index)
        # An unreadable entry keeps its place: values are counted.
        self.proxies = [_proxy(entry) for entry in sequence(node.properties.get("proxyWidgets"))]

    def set_values(self, outer: list[Setting]) -> None:
        """Fill the frame: the saved values, what a quarantine holds instead, and last what an outer host sets."""
        values = self.node.values
        if isinstance(values, dict):
            for name, value in values.items():
                self._set_port(text(name), value)
        elif self.proxies:
            for entry, value in zip_longest(self.proxies, list(values or ())[: len(self.proxies)]):
                if entry is not None:
                    node_id, name, inner_id = entry
                    self._place(node_id, name, inner_id, MISSING if value is None else value)
        else:
            promoted = self.graph.promoted(self.frame.scope)
            indices = (index for index, target in enumerate(promoted) if target is not None)
            for index, value in zip(indices, values or (), strict=False):
                if value is not None:
                    self.frame.values[index] = value
        for name, value in self._quarantined():
            self._set_port(name, value)
        for setting in outer:
            self._set_from_outside(setting)

    def _quarantined(self) -> Iterator[tuple[str, Any]]:
        """Host values that a migration could not place: they win over saved ones, the first for a name over others."""
        seen: set[str] = set()
        for entry in sequence(self.node.properties.get("proxyWidgetErrorQuarantine")):
            original = _proxy(entry.get("originalEntry")) if isinstance(entry, dict) else None
            if original and original[0] == _HOST and entry.get("hostValue") is not None and original[1] not in seen:
                seen.add(original[1])
                yield original[1], entry["hostValue"]

    def _set_port(self, name: str, value: Any) -> bool:
        index = self.ports.get(name)
        if index is None:
            return False
        if value is not None and value is not MISSING:
            self.frame.values[index] = value
        return True

    def _set_from_outside(self, setting: Setting) -> None:
        if self._set_port(setting.widget, setting.value):
            return
        prefixed = _NODE_PREFIX.fullmatch(setting.widget)
        if setting.node is not None:
            placed = self._place(setting.node, setting.widget, None, setting.value)
        elif prefixed:
            placed = self._place(prefixed[1], prefixed[2], None, setting.value)
        else:
            listed = next((entry for entry in self.proxies if entry and entry[1] == setting.widget), None)
            placed = listed is not None and self._place(*listed, setting.value)
        if not placed:
            self._unplaced(setting.widget, setting.value)

    def _place(self, node_id: str, name: str, inner_id: str | None, value: Any) -> bool:
        """Set `value` on widget `name` of the inner node, through the subgraph's own input where one feeds it."""
        if name.startswith("$$") or name == "control_after_generate":
            return True
        if node_id == _HOST:
            return self._set_port(name, value)
        scope = self.frame.scope
        node = scope.nodes.get(scope.renamed.get(node_id, node_id))
        if node is None:
            self._unplaced(name, value)
            return False
        role = self.graph.role(node)
        if role == "primitive":
            self._add(node, Setting("value", None, value))
            return True
        live = self.graph.live(node)
        plain = _NODE_PREFIX.fullmatch(name)
        if role != "instance" and name not in live.widgets and plain:
            name = plain[2]
        index = live.slot_named(name)
        port = self.graph.port_feeding(scope, live.slots[index]) if index is not None else None
        if port is not None and port < len(scope.inputs):
            if value is not MISSING:
                self.frame.values[port] = value
        elif role == "instance" or name in live.widgets:
            self._add(node, Setting(name, inner_id, value))
        else:
            self._unplaced(name, value)
            return False
        return True

    def _add(self, node: Node, setting: Setting) -> None:
        self.frame.settings.setdefault(node.id, []).append(setting)

    def _unplaced(self, name: str, value: Any) -> None:
        if value is MISSING:
            return
        title = self.graph.title(self.node)
        self.graph.report.add(
            "dropped",
            f'Subgraph "{title}" has a value for an inner widget "{name}", which does not exist; it is not sent.',
            (self.frame.path, title),
            name,
        )


def _proxy(entry: object) -> tuple[str, str, str | None] | None:
    """An entry ``[inner node id, widget name, disambiguating node id?]``."""
    parts = list(sequence(entry))
    node_id = key(parts[0]) if len(parts) > 1 else None
    if node_id is None or not isinstance(parts[1], str):
        return None
    return node_id, parts[1], key(parts[2]) if len(parts) > 2 else None
