"""The connections of Use Everywhere, which its script makes in the browser when a prompt is queued.

Its nodes broadcast what is linked to them to all inputs that match. Which those are, the script writes into the file:
``extra.ue_links`` of the root and, since version 7, of each subgraph, or, where the file was written in mid-run, real
links whose ids stand in ``extra.links_added_by_ue``. Here they become links like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .parts import BYPASSED, INPUT_PORTS, MUTED, Link, Node, Scope, key, sequence, slot_index, text
from .report import Report

_BROADCASTERS = frozenset(
    {"Anything Everywhere", "Anything Everywhere?", "Anything Everywhere3", "Prompts Everywhere", "Seed Everywhere"}
)


def connect_wireless(scope: Scope, extra: object, report: Report) -> None:
    """Add the connections that the file tells to `scope`, and note those that only the browser could tell."""
    table: Mapping[str, Any] = extra if isinstance(extra, Mapping) else {}
    for identity in sequence(table.get("links_added_by_ue")):
        _keep_added(scope, key(identity))
    controllers: set[str] = set()
    for number, entry in enumerate(sequence(table.get("ue_links"))):
        if isinstance(entry, Mapping):
            _connect(scope, entry, f"ue:{number}", report)
            controllers.add(key(entry.get("controller")) or "")
    unknown = [node for node in scope.nodes.values() if _broadcasts(node) and node.id not in controllers]
    waiting = _waiting_types(scope) if unknown else set()
    for node in unknown:
        _note_unknown(scope, node, waiting, report)


def _broadcasts(node: Node) -> bool:
    return node.type in _BROADCASTERS and node.mode not in (MUTED, BYPASSED)


def _keep_added(scope: Scope, identity: str | None) -> None:
    link = scope.links.get(identity) if identity is not None else None
    node = scope.nodes.get(link.target) if link is not None else None
    if link is not None and node is not None and link.target_slot < len(node.inputs):
        item = node.inputs[link.target_slot]
        item.link = item.link or identity


def _connect(scope: Scope, entry: Mapping[str, Any], identity: str, report: Report) -> None:
    origin, target = key(entry.get("upstream")), key(entry.get("downstream"))
    origin_slot, target_slot = slot_index(entry.get("upstream_slot")), slot_index(entry.get("downstream_slot"))
    node = scope.nodes.get(target or "")
    known_origin = origin == INPUT_PORTS or origin in scope.nodes
    if origin is None or not known_origin or node is None or origin_slot is None or target_slot is None:
        report.add("dropped", f"A connection of Use Everywhere in the {scope.name} has no readable ends: left out.")
        return
    slot = _slot_for(node, target_slot, text(entry.get("type")))
    if slot is not None and node.inputs[slot].link is None:
        node.inputs[slot].link = identity
        scope.links[identity] = Link(origin, origin_slot, node.id, slot)


def _slot_for(node: Node, slot: int, type_name: str) -> int | None:
    """The input that was meant: that of the number, or if it has another type now the first free one that fits."""

    def fits(index: int) -> bool:
        item = node.inputs[index]
        return not type_name or item.type in (type_name, "*", "COMBO")

    if slot < len(node.inputs) and fits(slot):
        return slot
    free = (index for index, item in enumerate(node.inputs) if item.link is None and item.widget is None)
    return next((index for index in free if fits(index)), None)


def _waiting_types(scope: Scope) -> set[str]:
    """The types of all sockets that nothing feeds."""
    return {
        item.type
        for node in scope.nodes.values()
        if node.type not in _BROADCASTERS
        for item in node.inputs
        if item.link is None and item.widget is None
    }


def _note_unknown(scope: Scope, node: Node, waiting: set[str], report: Report) -> None:
    broadcast = {type_name for item in node.inputs if (type_name := _type_sent(scope, item.link))} & waiting
    if broadcast:
        title = node.title or node.type
        report.add(
            "unknown-wire",
            f'"{title}" gives its {", ".join(sorted(broadcast))} to other nodes by Use Everywhere, which connects them '
            "in the browser, and this file does not say which. Save it again in a ComfyUI that has Use Everywhere, or "
            "use its Export (API). An image made with it also holds the prompt that ran: workflow.reproduce().",
            (node.id, title),
        )


def _type_sent(scope: Scope, identity: str | None) -> str:
    link = scope.links.get(identity) if identity is not None else None
    origin = scope.nodes.get(link.origin) if link is not None else None
    if link is None or origin is None or link.origin_slot >= len(origin.outputs):
        return ""
    return origin.outputs[link.origin_slot]
