"""Old group nodes (``workflow/Name``, ``workflow>Name``), read as if they were subgraphs.

Before subgraphs, a group was a template in ``extra.groupNodes`` and its instance held the values of all inner widgets
in one list. Front ends of that time sent the inner nodes as ``host:index``; the present one converts groups on loading
and loses links and values on the way. Here each instance becomes a scope of its own with its values inside, and comes
out as it did in its time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._specs import NodeSpecs
from .document import read_node
from .live import live_node
from .parts import INPUT_PORTS, OUTPUT_PORTS, Link, Node, Port, Scope, key, sequence, slot_index, text
from .report import Report

_PREFIXES = ("workflow>", "workflow/")


def is_group_type(node_type: str) -> bool:
    """Whether the type is that of a group node's instance."""
    return node_type.startswith(_PREFIXES)


def group_scope(host: Node, group_nodes: Mapping[str, Any], specs: NodeSpecs, report: Report) -> Scope | None:
    """The scope of one group node instance, or None if the file lacks the group's template."""
    name = host.type[len(_PREFIXES[0]) :]
    data = group_nodes.get(name)
    if not isinstance(data, dict):
        return None
    report.add(
        "frontend-differs",
        f'"{host.title or name}" is an old group node. It is unfolded as in its time; the present front end loses '
        "some of its links and values.",
        (host.id, host.title or name),
    )
    return _GroupReader(host, name, data, specs).scope


@dataclass(frozen=True, slots=True)
class _Entry:
    """An inner input that the host offers."""

    node: Node
    slot: int
    name: str
    type: str


class _GroupReader:
    def __init__(self, host: Node, name: str, data: Mapping[str, Any], specs: NodeSpecs) -> None:
        self.host = host
        self.specs = specs
        self.config = data.get("config")
        self.scope = Scope(f"group:{name}", name, grouped=True)
        self.inner = [
            read_node({**raw, "id": index} if isinstance(raw, dict) else raw, index, f'group node "{name}"')
            for index, raw in enumerate(sequence(data.get("nodes")))
        ]
        for node in self.inner:
            # Link ids of the graph that the group was made in mean nothing here.
            for item in node.inputs:
                item.link = None
            self.scope.nodes[node.id] = node
        self.outer_types: dict[tuple[str, int], str] = {}
        self._read_links(sequence(data.get("links")))
        self._deal_values()
        self._make_inputs()
        self._make_outputs({(key(_inner_index(item)), _at(item, 1)) for item in sequence(data.get("external"))})

    def _read_links(self, links: Any) -> None:
        for raw in links:
            parts = list(sequence(raw))
            target, target_slot = key(_at(parts, 2)), slot_index(_at(parts, 3))
            if target not in self.scope.nodes or target_slot is None:
                continue
            origin, origin_slot = key(_at(parts, 0)), slot_index(_at(parts, 1))
            if origin is None:
                # Came from outside when the group was made; only its type is of use.
                self.outer_types[target, target_slot] = text(_at(parts, 5))
            elif origin in self.scope.nodes and origin_slot is not None:
                self._connect(Link(origin, origin_slot, target, target_slot))

    def _connect(self, link: Link) -> str | None:
        identity = str(len(self.scope.links) + 1)
        if link.target == OUTPUT_PORTS:
            self.scope.links[identity] = link
            return identity
        inputs = self.scope.nodes[link.target].inputs
        if link.target_slot >= len(inputs) or inputs[link.target_slot].link is not None:
            return None
        inputs[link.target_slot].link = identity
        self.scope.links[identity] = link
        return identity

    def _deal_values(self) -> None:
        """Cut the host's values into the inner nodes' pieces, by the first way of counting that comes out even."""
        values = self.host.values
        if not isinstance(values, list):
            return
        owners = [self._owners(node) for node in self.inner]
        saved = [[True] * (len(node.values) if isinstance(node.values, list) else 0) for node in self.inner]
        converted = [{item.widget for item in node.inputs if item.widget} for node in self.inner]
        visible = [[owner not in hidden for owner in own] for own, hidden in zip(owners, converted, strict=True)]
        every = [[True] * len(own) for own in owners]
        ways = (saved, visible, every)
        taken = next((way for way in ways if sum(map(sum, way)) == len(values)), saved)
        position = 0
        for node, takes in zip(self.inner, taken, strict=True):
            if isinstance(node.values, dict):
                continue
            own: list[Any] = list(node.values or ())
            own += [None] * (len(takes) - len(own))
            for index, take in enumerate(takes):
                if take and position < len(values):
                    own[index] = values[position]
                    position += 1
            node.values = own

    def _owners(self, node: Node) -> list[str | None]:
        """For each position of the node's ``widgets_values`` the widget it belongs to, controls to the one before."""
        owners: list[str | None] = []
        if node.type in self.specs:
            for name in live_node(node, self.specs[node.type]).positions:
                owners.append(name if name is not None or not owners else owners[-1])
        # What the definition knows nothing of (a primitive's value, an upload button) has its place in the saved list.
        length = len(node.values) if isinstance(node.values, list) and node.values else len(owners)
        return (owners + [None] * length)[:length]

    def _make_inputs(self) -> None:
        taken: set[str] = set()
        entries = [entry for widgets in (False, True) for entry in self._entries(taken, widgets=widgets)]
        names = [entry.name for entry in entries]
        saved = [item.name for item in self.host.inputs]
        for index, entry in enumerate(entries):
            name = entry.name
            if name not in saved and index < len(saved) and saved[index] not in names:
                # The name was made differently then; its place still tells which it is.
                name = saved[index]
            link = self._connect(Link(INPUT_PORTS, len(self.scope.inputs), entry.node.id, entry.slot))
            self.scope.inputs.append(Port(name, entry.type, [link] if link else []))

    def _entries(self, taken: set[str], *, widgets: bool) -> Iterator[_Entry]:
        for node in self.inner:
            for slot, item in enumerate(node.inputs):
                if item.link is not None or (item.widget is not None) != widgets:
                    continue
                type_name = self._entry_type(node, slot) if node.type == "Reroute" else item.type
                config_key = type_name if node.type == "Reroute" else item.name
                config = self._config(node, "input", config_key)
                if config.get("visible") is False:
                    continue
                name = text(config.get("name")) or item.label or config_key
                if name in taken:
                    name = f"{node.title or node.type} {name}"
                taken.add(name)
                yield _Entry(node, slot, name, type_name)

    def _entry_type(self, reroute: Node, slot: int) -> str:
        """What a Reroute at the entry carries; the file does not say so itself."""
        outer = self.outer_types.get((reroute.id, slot))
        if outer:
            return outer
        for link in self.scope.links.values():
            if link.origin == reroute.id and link.target in self.scope.nodes:
                return self.scope.nodes[link.target].inputs[link.target_slot].type
        return reroute.inputs[slot].type

    def _make_outputs(self, external: set[tuple[str | None, Any]]) -> None:
        used = {(link.origin, link.origin_slot) for link in self.scope.links.values()}
        for node in self.inner:
            for slot, type_name in enumerate(node.outputs):
                shown = (node.id, slot) not in used or (node.id, slot) in external
                visible = self._config(node, "output", str(slot)).get("visible")
                if visible is False or not (shown or visible is True):
                    continue
                index = len(self.scope.outputs)
                link = self._connect(Link(node.id, slot, OUTPUT_PORTS, index))
                self.scope.outputs.append(Port(type_name, type_name, [link] if link else []))

    def _config(self, node: Node, side: str, name: str) -> Mapping[str, Any]:
        found: Any = self.config
        for step in (node.id, side, name):
            found = found.get(step) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}


def _inner_index(external: object) -> object:
    """The inner node of an ``external`` entry: its index, or (some files) the whole node."""
    first = _at(external, 0)
    return first.get("index") if isinstance(first, dict) else first


def _at(items: object, index: int) -> Any:
    return items[index] if isinstance(items, (list, tuple)) and index < len(items) else None
