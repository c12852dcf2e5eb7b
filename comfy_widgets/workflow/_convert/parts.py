"""What a UI workflow is made of: scopes of nodes and links, and the small readers of their ids and slots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .roles import Role

MUTED = 2
BYPASSED = 4

#: The ends of links at a subgraph's border.
INPUT_PORTS = "-10"
OUTPUT_PORTS = "-20"

_ID_LIMIT = 2**63


@dataclass(slots=True)
class Link:
    """One wire, by string ids."""

    origin: str
    origin_slot: int
    target: str
    target_slot: int


@dataclass(slots=True)
class SavedInput:
    """An input as the file has it; `link` is None where nothing is connected."""

    name: str
    type: str
    link: str | None
    widget: str | None
    label: str | None = None


@dataclass(slots=True)
class Node:
    """A node as the file has it.

    `values` is the raw ``widgets_values``: a list, a mapping by name, or None. `role` is filled in by who knows the
    server's classes.
    """

    id: str
    type: str
    mode: int
    order: int
    title: str | None
    inputs: list[SavedInput]
    saved_outputs: Sequence[Any]
    values: list[Any] | Mapping[str, Any] | None
    named_values: Mapping[str, Any]
    properties: Mapping[str, Any]
    role: Role | None = None

    @property
    def outputs(self) -> list[str]:
        """The types of its outputs."""
        return [type_of(item) for item in self.saved_outputs]


@dataclass(slots=True)
class Port:
    """An input or output of a subgraph and the inner links that start or end there."""

    name: str
    type: str
    links: list[str]


@dataclass(slots=True)
class Scope:
    """The root graph, or one subgraph definition.

    `renamed` tells the new id of every node whose id clashed with one elsewhere in the file. `grouped` marks a scope
    made of an old group node: its host's values are already inside.
    """

    id: str
    name: str
    nodes: dict[str, Node] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    grouped: bool = False


@dataclass(slots=True)
class Document:
    """A whole workflow file."""

    root: Scope
    definitions: dict[str, Scope]
    group_nodes: Mapping[str, Any]


def is_number(identity: str) -> bool:
    # Longer ids are no counters; int() of a hostile one would take quadratic time.
    return identity.isascii() and identity.isdigit() and len(identity) <= 15


def key(value: object) -> str | None:
    """An id, whether written as a number or as text, as text; None if it is neither."""
    if type(value) is int and 0 <= value < _ID_LIMIT:
        return str(value)
    if type(value) is str:
        return value or None
    if type(value) is float and value.is_integer():
        value = int(value)
    # Beyond that it is no id, and writing out a hostile number would take for ever.
    return str(value) if type(value) is int and -_ID_LIMIT < value < _ID_LIMIT else None


def slot_index(value: object) -> int | None:
    """A slot number, which some files write as text."""
    if type(value) is str and is_number(value):
        return int(value)
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and value >= 0 else None


def text(value: object) -> str:
    """`value` if it is text, else nothing."""
    return value if isinstance(value, str) else ""


def sequence(value: object) -> Sequence[Any]:
    """`value` if it is a list, else nothing."""
    return value if isinstance(value, (list, tuple)) else ()


def type_of(raw: object) -> str:
    """The type of a saved input, output or port."""
    declared = raw.get("type") if isinstance(raw, dict) else None
    if isinstance(declared, str):
        return declared or "*"
    # A saved list of options is a combo; 0 and null fit everything.
    return "COMBO" if isinstance(declared, (list, tuple)) else "*"
