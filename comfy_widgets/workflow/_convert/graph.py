"""A document together with the server's definitions: what each node is and has, looked up once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from comfy_widgets.protocol import WorkflowError

from .._specs import NodeSpecs
from .groups import group_scope, is_group_type
from .live import live_node
from .parts import INPUT_PORTS, Document, Node, Scope, sequence
from .report import Report
from .roles import Role, role_of_type
from .widgets import LiveNode, Slot

_MAX_NESTING = 64
_MAX_GROUPS = 2_000


@dataclass(frozen=True, slots=True)
class PromotedWidget:
    """The widget behind a subgraph's input: of an ordinary inner node..."""

    node: Node
    widget: str


@dataclass(frozen=True, slots=True)
class PromotedInput:
    """...or of an inner instance, whose input `index` is promoted in turn."""

    node: Node
    index: int


Promoted: TypeAlias = PromotedWidget | PromotedInput | None


class Graph:
    """The one place that knows both the file and the definitions.

    Parameters
    ----------
    document : Document
    specs : NodeSpecs
    report : Report
        Receives what is noticed on the way.
    """

    def __init__(self, document: Document, specs: NodeSpecs, report: Report) -> None:
        self.document = document
        self.specs = specs
        self.report = report
        # Nodes belong to one document that outlives this object, so their id() is a key as good as any.
        self._scopes: dict[int, Scope | None] = {}
        self._roles: dict[str, Role] = {}
        self._live: dict[int, LiveNode] = {}
        self._slot_types: dict[int, list[str]] = {}
        self._promoted: dict[int, list[Promoted]] = {}
        self._heights: dict[int, int] = {}
        self._groups = 0
        self._measure(document.root, ())

    def scope_of(self, node: Node) -> Scope | None:
        """The subgraph that `node` is an instance of, or None for an ordinary node."""
        if node.type not in self.document.definitions and not is_group_type(node.type):
            return None
        known = id(node)
        if known not in self._scopes:
            scope = self.document.definitions.get(node.type)
            if scope is None and is_group_type(node.type):
                # Each instance of a group is a scope of its own, so groups in groups multiply while they are looked at.
                self._groups += 1
                if self._groups > _MAX_GROUPS:
                    raise WorkflowError(f"Its group nodes unfold to more than {_MAX_GROUPS:,} groups; not converted.")
                scope = group_scope(node, self.document.group_nodes, self.specs, self.report)
            self._scopes[known] = scope
        return self._scopes[known]

    def role(self, node: Node) -> Role:
        """What kind of node this is."""
        if node.role is None:
            node.role = self._roles.get(node.type)
            if node.role is None:
                is_instance = self.scope_of(node) is not None
                known = node.type in self.specs
                node.role = "instance" if is_instance else role_of_type(node.type, known_to_server=known)
                self._roles[node.type] = node.role
        return node.role

    def live(self, node: Node) -> LiveNode:
        """The widgets and slots that `node` has today."""
        live = self._live.get(id(node))
        if live is None:
            live = self._live[id(node)] = self._make_live(node)
        return live

    def _make_live(self, node: Node) -> LiveNode:
        scope = self.scope_of(node)
        if scope is not None:
            links: dict[str, str | None] = {}
            for item in node.inputs:
                links.setdefault(item.name, item.link)
            slots = [Slot(port.name, port.type, links.get(port.name)) for port in scope.inputs]
            return LiveNode({}, [port.type for port in scope.outputs], slots=slots)
        if self.role(node) != "server":
            slots = [Slot(item.name, item.type, item.link, item.widget) for item in node.inputs]
            return LiveNode({}, node.outputs, slots=slots)
        if node.type in self.specs:
            return live_node(node, self.specs[node.type])
        replacement = self.specs.replacement(node.type) or {}
        names = [name for name in sequence(replacement.get("old_widget_ids")) if isinstance(name, str)]
        return live_node(node, None, names)

    def title(self, node: Node) -> str:
        """The title that the editor shows."""
        if node.title:
            return node.title
        scope = self.scope_of(node)
        if scope is not None:
            return scope.name
        return self.specs[node.type].display_name if node.type in self.specs else node.type

    def promoted(self, scope: Scope) -> list[Promoted]:
        """For each input of `scope`, the widget that it stands for, or None for a mere socket."""
        known = id(scope)
        if known not in self._promoted:
            self._promoted[known] = [self._promotion(scope, port.links) for port in scope.inputs]
        return self._promoted[known]

    def _promotion(self, scope: Scope, links: list[str]) -> Promoted:
        for identity in links:
            link = scope.links.get(identity)
            node = scope.nodes.get(link.target) if link is not None and link.origin == INPUT_PORTS else None
            index = self._slot_fed_by(node, identity) if node is not None else None
            if node is None or index is None:
                continue
            inner = self.scope_of(node)
            if inner is None:
                widget = self.live(node).slots[index].widget
                if widget is not None and self.role(node) == "server":
                    return PromotedWidget(node, widget)
            elif self.promoted(inner)[index] is not None:
                return PromotedInput(node, index)
        return None

    def _slot_fed_by(self, node: Node, link: str) -> int | None:
        return next((index for index, slot in enumerate(self.live(node).slots) if slot.link == link), None)

    def port_feeding(self, scope: Scope, slot: Slot) -> int | None:
        """The index of the subgraph input that feeds `slot`, or None."""
        link = scope.links.get(slot.link) if slot.link is not None else None
        return link.origin_slot if link is not None and link.origin == INPUT_PORTS else None

    def slot_types(self, scope: Scope, node: Node) -> list[str]:
        """The types of a node's slots; of a matched one, what the links into the other slots of its kind carry."""
        known = self._slot_types.get(id(node))
        if known is not None:
            return known
        slots = self.live(node).slots
        carried: dict[str, list[tuple[int, str]]] = {}
        for index, slot in enumerate(slots):
            if slot.match is not None and (found := self._link_type(scope, slot)) != "*":
                carried.setdefault(slot.match, []).append((index, found))
        types = [slot.type for slot in slots]
        for index, slot in enumerate(slots):
            others = carried.get(slot.match, []) if slot.match is not None else []
            # Its own link does not count; two are enough to find another.
            types[index] = next((found for at, found in others[:2] if at != index), slot.type)
        self._slot_types[id(node)] = types
        return types

    def _link_type(self, scope: Scope, slot: Slot) -> str:
        """The type that the link into `slot` carries, ``"*"`` if there is none."""
        link = scope.links.get(slot.link) if slot.link is not None else None
        if link is None:
            return "*"
        if link.origin == INPUT_PORTS:
            return scope.inputs[link.origin_slot].type if link.origin_slot < len(scope.inputs) else "*"
        origin = scope.nodes.get(link.origin)
        types = self.live(origin).output_types if origin is not None else []
        saved = origin.outputs if origin is not None else []
        at = link.origin_slot
        live_type = types[at] if at < len(types) else "*"
        # An output that follows its inputs has its type of the day in the file only.
        return saved[at] if live_type == "*" and at < len(saved) else live_type

    def is_linked(self, scope: Scope, slot: Slot) -> bool:
        """Whether a link that exists feeds `slot`."""
        return slot.link is not None and slot.link in scope.links

    def _measure(self, scope: Scope, chain: tuple[Scope, ...]) -> int:
        """The height of the nest of subgraphs under `scope`; refuses what contains itself before anyone expands it."""
        if id(scope) in self._heights:
            return self._heights[id(scope)]
        height = 0
        for node in scope.nodes.values():
            inner = self.scope_of(node)
            if inner is None:
                continue
            if inner.id == scope.id or any(inner.id == outer.id for outer in chain):
                raise WorkflowError(
                    f'The subgraph "{inner.name}" contains itself (through node {node.id} in "{scope.name}"), '
                    "so it can never be expanded. Remove the inner copy.",
                    node_id=node.id,
                    node_title=node.title or inner.name,
                    class_type=node.type,
                )
            if len(chain) >= _MAX_NESTING:
                raise WorkflowError(f'Subgraphs are nested deeper than {_MAX_NESTING} levels, at "{inner.name}".')
            height = max(height, 1 + self._measure(inner, (*chain, scope)))
        self._heights[id(scope)] = height
        return height
