"""Where in the editor's form the value of an input may stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from ._convert.document import read_document, read_node
from ._convert.frames import Frame, expand, promoted_value, widget_settings
from ._convert.graph import Graph, Promoted, PromotedInput, PromotedWidget
from ._convert.live import live_node
from ._convert.parts import Document, Scope
from ._convert.report import Report
from ._convert.widgets import MISSING, Widget
from ._dynamic import has_choices
from ._specs import NodeSpec, NodeSpecs


class Slot(Protocol):
    """Where a value may be written."""

    def put(self, value: Any) -> None:
        """Write it."""


@dataclass(frozen=True)
class ValueSlot:
    """A place in a document: a list or mapping of values, and where in it.

    `shown` tells what the editor shows at a place that the list does not reach.
    """

    values: Any
    key: Any
    shown: Callable[[int], Any] = lambda _: None

    def put(self, value: Any) -> None:
        """Write a value there; a list that is too short grows."""
        if isinstance(self.values, list):
            # The editor takes a null before it for a value, and sends it.
            self.values.extend([self.shown(place) for place in range(len(self.values), self.key + 1)])
        self.values[self.key] = value


@dataclass(frozen=True)
class SpreadSlot:
    """A widget of a node whose values decide which further widgets it has."""

    raw: dict[str, Any]
    spec: NodeSpec
    name: str

    def put(self, value: Any) -> None:
        """Write a value there, and deal out all others anew to the widgets that there are then."""
        known, surplus = self._saved()
        known[self.name, 0] = value
        values: list[Any] = []
        while True:
            live = live_node(read_node({**self.raw, "widgets_values": values}, 0, "workflow"), self.spec)
            if len(values) >= len(live.positions):
                break
            place, widget = list(_numbered(live.positions))[len(values)], live.positions[len(values)]
            shown = _shown(live.widgets.get(widget or ""))
            values.append(known.get(place, shown))
        self.raw["widgets_values"] = [*values, *surplus]

    def _saved(self) -> tuple[dict[tuple[str, int], Any], list[Any]]:
        values = self.raw.get("widgets_values")
        listed = values if isinstance(values, list) else []
        positions = live_node(read_node(self.raw, 0, "workflow"), self.spec).positions
        return dict(zip(_numbered(positions), listed, strict=False)), listed[len(positions) :]


def _numbered(positions: Iterable[str | None]) -> Iterator[tuple[str, int]]:
    """Name each position: those that are never sent, such as the control of a seed, by the one before and a number."""
    name, number = "", 0
    for position in positions:
        name, number = (name, number + 1) if position is None else (position, 0)
        yield name, number


def value_slots(ui: dict[str, Any], node_id: str, name: str, specs: NodeSpecs) -> list[Slot]:
    """Return the places where the value of an input may stand, the most likely first.

    Parameters
    ----------
    ui : dict
        The document that the places are in.
    node_id : str
        As in a prompt; ``57:3`` is node 3 of the subgraph whose instance is node 57.
    name : str
        The input's name.
    """
    path = node_id.split(":")
    document = read_document(ui, Report())
    raws = _raw_nodes(ui, path)
    if raws is None:
        return []
    return [
        *_hosts(document, raws, path, name, specs),
        *_primitives(document.root, ui, raws, name),
        *_own(raws[-1], name, specs),
    ]


def _raw_nodes(ui: Mapping[str, Any], path: list[str]) -> list[dict[str, Any]] | None:
    """Return the node and the instances around it, outermost first."""
    definitions = _definitions(ui)
    scope: Mapping[str, Any] | None = ui
    found: list[dict[str, Any]] = []
    for part in path:
        nodes = scope.get("nodes") if scope is not None else None
        listed = nodes if isinstance(nodes, list) else []
        raw = next((raw for raw in listed if isinstance(raw, dict) and str(raw.get("id")) == part), None)
        if raw is None:
            return None
        found.append(raw)
        scope = definitions.get(str(raw.get("type")))
    return found


def _definitions(container: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    held = container.get("definitions")
    listed = held.get("subgraphs") if isinstance(held, Mapping) else None
    found: dict[str, Mapping[str, Any]] = {}
    for definition in listed if isinstance(listed, list) else ():
        if isinstance(definition, Mapping):
            found[str(definition.get("id"))] = definition
            found.update(_definitions(definition))
    return found


def _own(raw: dict[str, Any], name: str, specs: NodeSpecs) -> Iterator[Slot]:
    """The node's own widget."""
    values = raw.get("widgets_values")
    if isinstance(values, dict):
        yield ValueSlot(values, name)
    elif isinstance(raw.get("type"), str):
        spec = specs.get(raw["type"])
        live = live_node(read_node(raw, 0, "workflow"), spec)
        positions, widgets = live.positions, live.widgets
        if spec is not None and has_choices(spec):
            yield SpreadSlot(raw, spec, name)
        elif name in positions:
            if not isinstance(values, list):
                values = raw["widgets_values"] = []
            yield ValueSlot(values, positions.index(name), lambda place: _shown(widgets.get(positions[place] or "")))


def _primitives(root: Scope, ui: Mapping[str, Any], raws: list[dict[str, Any]], name: str) -> Iterator[Slot]:
    """A PrimitiveNode that feeds the widget: the editor sends its value."""
    node = root.nodes.get(str(raws[0].get("id"))) if len(raws) == 1 else None
    for saved in node.inputs if node is not None else ():
        link = root.links.get(saved.link) if saved.widget == name and saved.link is not None else None
        source = _raw_nodes(ui, [link.origin]) if link is not None else None
        if source is not None and source[0].get("type") == "PrimitiveNode":
            values = source[0].get("widgets_values")
            if isinstance(values, list) and values:
                yield ValueSlot(values, 0)


def _hosts(
    document: Document, raws: list[dict[str, Any]], path: list[str], name: str, specs: NodeSpecs
) -> Iterator[Slot]:
    """The instances around the node, outermost first: a promoted widget's value is the host's."""
    graph = Graph(document, specs, Report())
    found: list[Slot] = []
    wanted: str | int = name
    for depth in range(len(path) - 1, 0, -1):
        host, inner = raws[depth - 1], path[depth]
        scope = document.definitions.get(str(host.get("type")))
        if scope is None:
            break
        shown = _Shown(graph, ":".join(path[:depth]))
        found += _proxies(host, inner, name, shown)
        promoted = graph.promoted(scope)
        index = next(
            (
                index
                for index, entry in enumerate(promoted)
                if (isinstance(entry, PromotedWidget) and (entry.node.id, entry.widget) == (inner, wanted))
                or (isinstance(entry, PromotedInput) and (entry.node.id, entry.index) == (inner, wanted))
            ),
            None,
        )
        if index is None:
            break
        values = host.get("widgets_values")
        if not isinstance(values, list):
            values = host["widgets_values"] = []
        # The host has a value for each input that stands for a widget, in their order.
        at = sum(entry is not None for entry in promoted[:index])
        found.append(ValueSlot(values, at, partial(shown.input, promoted)))
        wanted = index
    return reversed(found)


def _proxies(host: Mapping[str, Any], inner: str, name: str, shown: _Shown) -> Iterator[Slot]:
    """The older way to promote: the host lists the inner widgets that its values belong to."""
    properties, values = host.get("properties"), host.get("widgets_values")
    listed = properties.get("proxyWidgets") if isinstance(properties, Mapping) else None
    if isinstance(listed, list) and isinstance(values, list):
        for index, entry in enumerate(listed):
            if isinstance(entry, list) and [str(part) for part in entry[:2]] == [inner, name]:
                yield ValueSlot(values, index, lambda at: shown.proxy(listed[at]))


class _Shown:
    """What the editor shows on the instance at `path` where its file says nothing: the values of the widgets inside."""

    def __init__(self, graph: Graph, path: str) -> None:
        self._graph = graph
        self._path = path

    def input(self, promoted: Sequence[Promoted], at: int) -> Any:
        """The value of input number `at` among those that stand for a widget."""
        frame = self._frame()
        places = [place for place, entry in enumerate(promoted) if entry is not None]
        return None if frame is None else _shown(promoted_value(self._graph, frame, places[at]))

    def proxy(self, entry: object) -> Any:
        """The value of the inner widget that an entry of ``proxyWidgets`` names."""
        frame = self._frame()
        if frame is None or not isinstance(entry, list) or len(entry) < 2:
            return None
        inner, name = str(entry[0]), str(entry[1])
        scope = frame.scope
        node = scope.nodes.get(scope.renamed.get(inner, inner))
        if node is None:
            return self._named(frame, name)
        live = self._graph.live(node)
        slot = live.slot_named(name)
        port = self._graph.port_feeding(scope, live.slots[slot]) if slot is not None else None
        if port is not None:
            return _shown(promoted_value(self._graph, frame, port))
        if node.id in frame.children:
            return self._named(frame.children[node.id], name)
        set_there = widget_settings(frame, node).get(name, MISSING)
        return _shown(live.widgets.get(name)) if set_there is MISSING else set_there

    def _named(self, frame: Frame, name: str) -> Any:
        index = next((index for index, port in enumerate(frame.scope.inputs) if port.name == name), None)
        return None if index is None else _shown(promoted_value(self._graph, frame, index))

    def _frame(self) -> Frame | None:
        return next((frame for frame in expand(self._graph) if frame.path == self._path), None)


def _shown(widget: Widget | None) -> Any:
    if widget is None:
        return None
    if widget.value is MISSING:
        return widget.spec.initial if widget.spec is not None else None
    return widget.value
