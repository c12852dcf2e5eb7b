"""Node definitions: all of a server's `/object_info` as typed values.

    specs = NodeSpecs(client.object_info())
    specs["KSampler"].input("steps").max

An `/object_info` can be several megabytes while a workflow needs a few dozen classes, so a class is parsed when it is
first asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ._specs_parse import is_widget_type, parse_input, parse_node
from ._specs_types import (
    Autogrow,
    ControlMode,
    Dynamic,
    DynamicCombo,
    DynamicGroup,
    DynamicSlot,
    InputSpec,
    Kind,
    MatchType,
    NodeSpec,
    OutputSpec,
    Section,
    Variant,
)

__all__ = [
    "Autogrow",
    "ControlMode",
    "Dynamic",
    "DynamicCombo",
    "DynamicGroup",
    "DynamicSlot",
    "InputSpec",
    "Kind",
    "MatchType",
    "NodeSpec",
    "NodeSpecs",
    "OutputSpec",
    "Section",
    "Variant",
    "is_widget_type",
    "parse_input",
    "parse_node",
]


class NodeSpecs(Mapping[str, NodeSpec]):
    """The node classes of a server, by class name; each is parsed at its first use and kept.

    Parameters
    ----------
    object_info : Mapping
        `/object_info` as parsed JSON. It is read, never changed; do not change it afterwards either.
    """

    def __init__(self, object_info: Mapping[str, Any]) -> None:
        self.object_info = object_info
        self._parsed: dict[str, NodeSpec] = {}

    @classmethod
    def of(cls, object_info: Mapping[str, Any] | NodeSpecs) -> NodeSpecs:
        """`object_info` itself if it is parsed already, so that callers can share what was parsed."""
        return object_info if isinstance(object_info, NodeSpecs) else cls(object_info)

    def __getitem__(self, class_type: str) -> NodeSpec:
        spec = self._parsed.get(class_type)
        if spec is None:
            spec = self._parsed[class_type] = parse_node(class_type, self.object_info[class_type])
        return spec

    def __contains__(self, class_type: object) -> bool:
        return class_type in self.object_info

    def __iter__(self) -> Iterator[str]:
        return iter(self.object_info)

    def __len__(self) -> int:
        return len(self.object_info)

    def __repr__(self) -> str:
        return f"<NodeSpecs of {len(self)} classes>"
