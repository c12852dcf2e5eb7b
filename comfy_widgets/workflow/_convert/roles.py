"""Which nodes the server knows, and which exist in the editor only."""

from __future__ import annotations

from typing import Literal, TypeAlias

#: ``server``: sent. ``instance``: stands for a subgraph. The others are the editor's own and never sent: ``pass`` hands
#: its input on, ``primitive`` is a value, ``set``/``get`` are a wire by name, ``note`` is nothing at all.
Role: TypeAlias = Literal["server", "instance", "pass", "primitive", "set", "get", "note"]

_CORE: dict[str, Role] = {"Note": "note", "MarkdownNote": "note", "Reroute": "pass", "PrimitiveNode": "primitive"}

# Nodes of widespread packs that live in the editor alone; without this they would look like missing classes.
_PACKS: dict[str, Role] = {
    "SetNode": "set",
    "GetNode": "get",
    "easy setNode": "set",
    "easy getNode": "get",
    "Reroute (rgthree)": "pass",
    "Anything Everywhere": "note",
    "Anything Everywhere?": "note",
    "Anything Everywhere3": "note",
    "Prompts Everywhere": "note",
    "Seed Everywhere": "primitive",
    "Label (rgthree)": "note",
    "Bookmark (rgthree)": "note",
    "Fast Muter (rgthree)": "note",
    "Fast Bypasser (rgthree)": "note",
    "Fast Groups Muter (rgthree)": "note",
    "Fast Groups Bypasser (rgthree)": "note",
    "Fast Actions Button (rgthree)": "note",
    "Mute / Bypass Repeater (rgthree)": "note",
    "Mute / Bypass Relay (rgthree)": "note",
    "Node Collector (rgthree)": "note",
    "Random Unmuter (rgthree)": "note",
}


def role_of_type(node_type: str, *, known_to_server: bool) -> Role:
    """The role of a node that is no subgraph instance."""
    role = _CORE.get(node_type)
    if role is None and not known_to_server:
        role = _PACKS.get(node_type)
    return role or "server"
