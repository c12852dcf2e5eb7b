"""Following a link back to what feeds it: through subgraph borders, reroutes, bypassed nodes and wires by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from comfy_widgets.protocol import WorkflowError

from .frames import Frame, promoted_value, widget_settings
from .graph import Graph
from .parts import BYPASSED, INPUT_PORTS, MUTED, Node
from .widgets import MISSING, Widget

ANY = "*"

_INACTIVE = (MUTED, BYPASSED)
_MAX_STEPS = 1_000_000


Source: TypeAlias = list[Any]
"""``[execution id, output slot]`` of a node that is sent, as a prompt writes a link."""


def compatible(left: str, right: str) -> bool:
    """Whether a link may join the two types."""
    left, right = left.lower(), right.lower()
    if left in (ANY, "") or right in (ANY, "") or left == right:
        return True
    members = {part.strip() for part in left.split(",")}
    return any(part.strip() in members for part in right.split(","))


def bypassed_input(inputs: Sequence[str], own: str, slot: int, wanted: str) -> int | None:
    """The input that stands in for output `slot` of a bypassed node.

    `inputs` are the types of its inputs, `own` that of the output, and `wanted` that of the consumer.
    """
    if wanted in (ANY, ""):
        return slot if slot < len(inputs) else 0 if inputs else None

    def fits(index: int) -> bool:
        return compatible(inputs[index], own) and compatible(inputs[index], wanted)

    if slot < len(inputs) and fits(slot):
        return slot
    same = (index for index, candidate in enumerate(inputs) if candidate == wanted)
    return next(same, next((index for index in range(len(inputs)) if fits(index)), None))


class Resolver:
    """Finds what feeds an input.

    Parameters
    ----------
    graph : Graph
    strict : bool
        Do exactly as the front end does, also where that loses a value or fails.
    """

    def __init__(self, graph: Graph, *, strict: bool) -> None:
        self.graph = graph
        self.strict = strict
        self._setters: dict[int, dict[str, Node]] = {}
        self._steps = 0

    def count_step(self) -> None:
        """Keep a hostile file from taking for ever: chains of pass-through nodes are followed for each consumer."""
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise WorkflowError("Its links run through too many Reroutes or bypassed nodes to be followed.")

    def resolve(self, frame: Frame, node: Node, name: str, identity: str) -> Source | Widget | None:
        """What feeds the input `name` of `node` by the link `identity`: a node's output, a plain value, or nothing.

        Raises
        ------
        WorkflowError
            If the link runs in a circle through nodes that are not executed.
        """
        # Nearly every link comes straight from a node that is sent; only the others are worth a walk.
        link = frame.scope.links.get(identity)
        if link is None:
            return None
        origin = frame.scope.nodes.get(link.origin)
        if origin is not None and origin.mode not in _INACTIVE and (origin.role or self.graph.role(origin)) == "server":
            return [frame.id_of(origin), link.origin_slot]
        index = self.graph.live(node).slot_named(name)
        return _Walk(self, frame, node, index).run() if index is not None else None

    def setter(self, frame: Frame, getter: Node) -> Node | None:
        """The Set node that `getter` reads from: same name, same scope."""
        known = id(frame.scope)
        if known not in self._setters:
            setters = self._setters[known] = {}
            for node in frame.scope.nodes.values():
                name = _wire_name(node)
                if name is not None and self.graph.role(node) == "set":
                    setters.setdefault(name, node)
        name = _wire_name(getter)
        return None if name is None else self._setters[known].get(name)


def _wire_name(node: Node) -> str | None:
    value = node.values[0] if isinstance(node.values, list) and node.values else None
    return value if isinstance(value, str) else None


class _Walk:
    """One link followed back, one step at a time, so that a chain of any length needs no stack.

    The position is either an input (slot `index` of `node` in `frame`) or the origin of its link.
    """

    def __init__(self, resolver: Resolver, frame: Frame, node: Node, index: int) -> None:
        self.resolver = resolver
        self.graph = resolver.graph
        self.start = (frame, node, index)
        self.frame, self.node, self.index = frame, node, index
        self.wanted: str | None = None
        self.passed: set[tuple[int, str, int]] = set()
        self.passed_in_definition: set[tuple[str, str, int]] = set()

    def run(self) -> Source | Widget | None:
        while True:
            slots = self.graph.live(self.node).slots
            if self.index >= len(slots):
                return None
            slot = slots[self.index]
            wanted = self.wanted
            if wanted is None:
                wanted = self.graph.slot_types(self.frame.scope, self.node)[self.index]
            link = self.frame.scope.links.get(slot.link) if slot.link is not None else None
            if link is None:
                return None
            if link.origin == INPUT_PORTS:
                if not self._enter_host(link.origin_slot):
                    return self._host_value(link.origin_slot)
                continue
            origin = self.frame.scope.nodes.get(link.origin)
            if origin is None:
                return None
            found = self._follow_output(origin, link.origin_slot, wanted)
            if not isinstance(found, bool):
                return found
            if not found:
                return None

    def _enter_host(self, port: int) -> bool:
        """Step out to the host's input `port` if that is linked."""
        frame = self.frame
        if frame.parent is None or frame.host is None:
            return False
        slots = self.graph.live(frame.host).slots
        if port >= len(slots) or not self.graph.is_linked(frame.parent.scope, slots[port]):
            return False
        self.frame, self.node, self.index, self.wanted = frame.parent, frame.host, port, None
        return True

    def _host_value(self, port: int) -> Widget | None:
        return promoted_value(self.graph, self.frame, port) if self.frame.parent is not None else None

    def _follow_output(self, node: Node, slot: int, wanted: str) -> Source | Widget | bool:
        """Step behind output `slot` of `node`. True: go on at the new position. False: nothing is there."""
        while True:
            role = self.graph.role(node)
            if role == "primitive":
                return self._primitive(node) or False
            if node.mode == MUTED:
                return False
            self._guard(node, slot)
            if node.mode == BYPASSED:
                index = self._bypassed_input(node, slot, wanted)
                return index is not None and self._go(node, index, None)
            if role == "server":
                return [self.frame.id_of(node), slot]
            if role == "note":
                return False
            if role == "get":
                setter = self.resolver.setter(self.frame, node)
                return setter is not None and setter.mode != MUTED and self._go(setter, 0, wanted)
            if role != "instance":
                return self._go(node, slot, wanted)
            # Into the subgraph, to whatever feeds its output.
            frame = self.frame.children.get(node.id)
            if frame is None or slot >= len(frame.scope.outputs):
                return False
            links = frame.scope.links
            link = next((links[identity] for identity in frame.scope.outputs[slot].links if identity in links), None)
            if link is None:
                return False
            if link.origin == INPUT_PORTS:
                self._straight_through(node)
                return self._go(node, link.origin_slot, None)
            inner = frame.scope.nodes.get(link.origin)
            if inner is None:
                return False
            self.frame, node, slot = frame, inner, link.origin_slot

    def _bypassed_input(self, node: Node, slot: int, wanted: str) -> int | None:
        live = self.graph.live(node)
        inputs = self.graph.slot_types(self.frame.scope, node)
        own = live.output_types[slot] if slot < len(live.output_types) else ANY
        return bypassed_input(inputs, own, slot, wanted)

    def _go(self, node: Node, index: int, wanted: str | None) -> bool:
        self.node, self.index, self.wanted = node, index, wanted
        return True

    def _primitive(self, node: Node) -> Widget | None:
        """The value of a primitive, which the front end writes into the widgets that it is directly linked to."""
        value = widget_settings(self.frame, node).get("value", MISSING)
        if value is MISSING:
            value = node.values[0] if isinstance(node.values, list) and node.values else None
        if value is None:
            return None
        frame, target, index = self.start
        slot = self.graph.live(target).slots[index]
        spec_owner = self.graph.live(target).widgets.get(slot.widget or slot.name)
        direct = (frame, target, index) == (self.frame, self.node, self.index) and slot.widget is not None
        if not direct:
            # A Reroute hides the primitive from a subgraph's widget: the editor shows, and sends, the inner value.
            hidden = self.frame is not frame and self.graph.role(self.node) != "instance"
            if not self.resolver.strict:
                self._note_indirect_primitive(frame, target, slot.name, sent=not hidden)
            if hidden or self.resolver.strict:
                return None
        return Widget(slot.name, value, spec_owner.spec if spec_owner else None)

    def _note_indirect_primitive(self, frame: Frame, target: Node, name: str, *, sent: bool) -> None:
        title = self.graph.title(target)
        message = f'A primitive that is not directly linked to it feeds the {name} of "{title}". '
        if sent:
            message += "The primitive's value is sent; the front end would send the widget's own value."
        else:
            message += "It is behind a Reroute, so the widget's own value is sent."
        self.graph.report.add("frontend-differs" if sent else "dropped", message, (frame.id_of(target), title), name)

    def _straight_through(self, node: Node) -> None:
        title = self.graph.title(node)
        message = f'An output of subgraph "{title}" is wired straight to one of its inputs'
        if self.resolver.strict:
            raise WorkflowError(f"{message}, which the front end cannot resolve.", node_id=node.id, node_title=title)
        self.graph.report.add(
            "frontend-differs",
            f"{message}. The input's source is sent; the front end refuses the whole workflow.",
            (self.frame.id_of(node), title),
        )

    def _guard(self, node: Node, slot: int) -> None:
        self.resolver.count_step()
        here = (id(self.frame), node.id, slot)
        if here in self.passed:
            title = self.graph.title(node)
            raise WorkflowError(
                f'The links run in a circle through "{title}" (node {self.frame.id_of(node)}), which only passes its '
                "input on, so nothing feeds them. Remove one link of the circle.",
                node_id=self.frame.id_of(node),
                node_title=title,
                class_type=node.type,
            )
        self.passed.add(here)
        in_definition = (self.frame.scope.id, node.id, slot)
        if in_definition in self.passed_in_definition:
            title = self.graph.title(node)
            message = f'Two copies of subgraph "{self.frame.scope.name}" stand in series, both passing "{title}"'
            if self.resolver.strict:
                raise WorkflowError(
                    f"{message}; the front end takes that for a circle.", node_id=self.frame.id_of(node)
                )
            self.graph.report.add(
                "frontend-differs",
                f"{message}. They are sent; the front end takes that for a circle and refuses the workflow.",
                (self.frame.id_of(node), title),
            )
        self.passed_in_definition.add(in_definition)
