"""The editor's widgets as places in the prompt: on the root, in a subgraph, shown by its host, or in a primitive.

What the editor calls a widget may set one input of the prompt, several (a primitive that feeds many nodes), or none (a
muted node, a widget of the browser's own).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from ._convert.control import control_mode
from ._convert.document import read_document
from ._convert.frames import Frame, expand
from ._convert.graph import Graph
from ._convert.parts import Node, Scope, sequence
from ._convert.report import Report
from ._convert.widgets import CONTROL, Slot
from ._prompt import Place
from ._specs import NodeSpecs

_MOST_PASSED = 50
_MOST_STEPS = 200_000


class EditorWidgets:
    """The widgets of an editor's form, unfolded as the conversion unfolds them.

    Parameters
    ----------
    ui : Mapping
        The editor's form.
    specs : NodeSpecs
        The server's definitions.
    """

    def __init__(self, ui: Mapping[str, Any], specs: NodeSpecs) -> None:
        self._graph = Graph(read_document(ui, Report()), specs, Report())
        self._frames = expand(self._graph)
        # Nodes and scopes belong to the document, which outlives this object, so their id() is a key as good as any.
        self._links: dict[int, dict[str, list[tuple[str, str]]]] = {}
        self._slots: dict[int, dict[str, list[tuple[int, Slot]]]] = {}
        self._steps = 0

    def places(self, node_id: str, widget: str) -> tuple[Place, ...]:
        """Return the places that a widget sets.

        Parameters
        ----------
        node_id : str
            As the editor writes it: of the root, ``"57"``; of a definition's node, ``"definition:12"``; or of older
            files the bare id of a node anywhere.
        widget : str
            Its name.
        """
        definition, _, inner = node_id.rpartition(":")
        holders = self._frames if definition else self._frames[:1]
        wanted = [frame for frame in holders if frame.scope.id == definition or frame.path == definition]
        found = self._in(wanted, inner, widget)
        # A definition that was copied has another id today, but its nodes keep theirs.
        return tuple(dict.fromkeys(found or self._in(self._frames, inner, widget)))

    def label(self, node_id: str, widget: str) -> str | None:
        """Return what the author calls a widget, if it was renamed."""
        inner = node_id.rpartition(":")[2]
        for frame in self._frames:
            node = frame.scope.nodes.get(frame.scope.renamed.get(inner, inner))
            for item in node.inputs if node is not None else ():
                if item.label and widget in (item.name, item.widget):
                    return item.label
        return None

    def raw_id(self, node_id: str) -> str:
        """Return the id that the file has for a node of the prompt, with those of the instances around it."""
        parts = node_id.split(":")
        raw = []
        for depth, part in enumerate(parts):
            path = ":".join(parts[:depth])
            frame = next((frame for frame in self._frames if frame.path == path), None)
            renamed = frame.scope.renamed if frame is not None else {}
            raw.append(next((old for old, new in renamed.items() if new == part), part))
        return ":".join(raw)

    def home_of(self, place: Place) -> tuple[str, str]:
        """Return the definition and the id in it of the node that has an input; of the root, no definition."""
        path, _, node_id = place[0].rpartition(":")
        frame = next((frame for frame in self._frames if frame.path == path), None)
        if frame is None or not path:
            return "", place[0]
        original = {new: old for old, new in frame.scope.renamed.items()}
        return frame.scope.id, original.get(node_id, node_id)

    @cached_property
    def shared(self) -> list[tuple[Place, ...]]:
        """For each primitive that feeds several widgets, the places that it sets."""
        found = (
            tuple(dict.fromkeys(self._of(frame, node.id, "value")))
            for frame in self._frames
            for node in frame.scope.nodes.values()
            if self._graph.role(node) == "primitive"
        )
        return [places for places in found if len(places) > 1]

    @cached_property
    def shown(self) -> list[Place]:
        """The places of what the root shows of the insides of its subgraphs, in its order.

        A host's input that is linked cannot be set there; but a primitive on the root can.
        """
        root = self._frames[0]
        found: dict[Place, None] = {}
        for node in root.scope.nodes.values():
            child = root.children.get(node.id)
            if child is not None:
                linked: set[Place] = set()
                for index, slot in enumerate(self._graph.live(node).slots):
                    places = dict.fromkeys(self._of_port(child, index))
                    if self._graph.is_linked(root.scope, slot):
                        linked.update(places)
                    else:
                        found.update(places)
                for entry in sequence(node.properties.get("proxyWidgets")):
                    parts = [str(part) for part in sequence(entry)]
                    if len(parts) >= 2:
                        places = dict.fromkeys(self._in([child], parts[0], parts[1]))
                        found.update((place, None) for place in places if place not in linked)
            elif self._graph.role(node) == "primitive":
                found.update(dict.fromkeys(self._of(root, node.id, "value")))
        return list(found)

    @cached_property
    def controls(self) -> dict[Place, str]:
        """What becomes of numbers after each run, by place: the "control after generate" beside them."""
        nodes = [(frame, node) for frame in self._frames for node in frame.scope.nodes.values()]
        found = {
            (frame.id_of(node), widget.name): mode
            for frame, node in nodes
            for widget in self._graph.live(node).widgets.values()
            if (mode := control_mode(widget.control)) is not None and widget.spec and widget.spec.choices is None
        }
        for frame, node in nodes:
            values = node.values if isinstance(node.values, list) else []
            if node.id in frame.children:
                found.update(self._shown_controls(found, frame.children[node.id], node, values))
            elif self._graph.role(node) == "primitive":
                # What it feeds goes by its own control.
                mode = control_mode(values[1]) if len(values) > 1 else None
                found.update({place: mode for place in self._of(frame, node.id, "value") if mode is not None})
        return found

    def _shown_controls(
        self, known: Mapping[Place, str], inside: Frame, host: Node, values: list[Any]
    ) -> Iterator[tuple[Place, str]]:
        """Those that a subgraph's instance shows of its inside, and which are the instance's own."""
        for entry, value in zip(sequence(host.properties.get("proxyWidgets")), values, strict=False):
            inner, name = (*map(str, sequence(entry)[:2]), "", "")[:2]
            mode = control_mode(value) if name == CONTROL else None
            node = inside.scope.nodes.get(inside.scope.renamed.get(inner, inner))
            if mode is not None and node is not None:
                yield from ((place, mode) for place in known if place[0] == inside.id_of(node))

    def _in(self, frames: list[Frame], node_id: str, widget: str) -> list[Place]:
        return [place for frame in frames for place in self._of(frame, node_id, widget)]

    def _of(self, frame: Frame, node_id: str, widget: str) -> Iterator[Place]:
        scope = frame.scope
        node = scope.nodes.get(scope.renamed.get(node_id, node_id))
        if node is None:
            return
        child = frame.children.get(node.id)
        if child is not None:
            index = next((index for index, port in enumerate(child.scope.inputs) if port.name == widget), None)
            if index is not None:
                yield from self._of_port(child, index)
                return
            for entry in sequence(node.properties.get("proxyWidgets")):
                parts = [str(part) for part in sequence(entry)]
                if len(parts) >= 2 and parts[1] == widget:
                    yield from self._of(child, parts[0], parts[1])
        elif self._graph.role(node) == "primitive":
            for identity, target in self._leaving(scope).get(node.id, ()):
                yield from self._fed_by(frame, target, identity)
        elif widget in self._graph.live(node).widgets:
            yield (frame.id_of(node), widget)

    def _fed_by(self, frame: Frame, target: str, link: str, passed: int = 0) -> Iterator[Place]:
        node = frame.scope.nodes.get(target)
        self._steps += 1
        if node is None or passed > _MOST_PASSED or self._steps > _MOST_STEPS:
            # Reroutes can multiply without end, and nobody's form needs what lies behind so many.
            return
        if self._graph.role(node) == "pass":
            for identity, further in self._leaving(frame.scope).get(node.id, ()):
                yield from self._fed_by(frame, further, identity, passed + 1)
            return
        child = frame.children.get(node.id)
        for index, slot in self._entered(node).get(link, ()):
            if child is not None:
                yield from self._of_port(child, index)
            elif slot.widget is not None:
                yield (frame.id_of(node), slot.name)

    def _leaving(self, scope: Scope) -> dict[str, list[tuple[str, str]]]:
        """The links of a scope by their origin: each one's id, and the node that it enters."""
        found = self._links.get(id(scope))
        if found is None:
            found = self._links[id(scope)] = {}
            for identity, link in scope.links.items():
                found.setdefault(link.origin, []).append((identity, link.target))
        return found

    def _entered(self, node: Node) -> dict[str, list[tuple[int, Slot]]]:
        """The slots of a node by the link that enters them."""
        found = self._slots.get(id(node))
        if found is None:
            found = self._slots[id(node)] = {}
            for index, slot in enumerate(self._graph.live(node).slots):
                if slot.link is not None:
                    found.setdefault(slot.link, []).append((index, slot))
        return found

    def _of_port(self, frame: Frame, index: int) -> Iterator[Place]:
        """Yield the widgets inside that an input of a subgraph stands for."""
        for identity in frame.scope.inputs[index].links:
            link = frame.scope.links.get(identity)
            if link is not None:
                yield from self._fed_by(frame, link.target, identity)
