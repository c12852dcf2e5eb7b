"""Node definitions: all of a server's `/object_info` as typed values.

    specs = NodeSpecs(client.object_info())
    specs["KSampler"].input("steps").max

An `/object_info` can be several megabytes while a workflow needs a few dozen classes, so a class is parsed when it is
first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
    "NodeClasses",
    "NodeSpec",
    "NodeSpecs",
    "OutputSpec",
    "Section",
    "Variant",
    "is_widget_type",
    "parse_input",
    "parse_node",
]


class NodeClasses(dict[str, Any]):
    """A server's `/object_info`, which also knows what the server replaces older classes by.

    Parameters
    ----------
    object_info : Mapping
        `/object_info` as parsed JSON.
    replacements : callable
        Returns `/node_replacements` as parsed JSON. It is called at most once, and not before a workflow names a class
        that is not among the others.

    Examples
    --------
    >>> known = NodeClasses({"New": {}}, lambda: {"Old": [{"new_node_id": "New"}]})
    >>> NodeSpecs(known).replacement("Old")["new_node_id"]
    'New'
    """

    def __init__(self, object_info: Mapping[str, Any], replacements: Callable[[], Mapping[str, Any]]) -> None:
        super().__init__(object_info)
        self._ask = replacements
        self._replacements: Mapping[str, Any] | None = None

    @property
    def replacements(self) -> Mapping[str, Any]:
        """``{old class: [replacement]}``, asked for at the first use.

        Examples
        --------
        >>> NodeClasses({}, lambda: {"Old": []}).replacements
        {'Old': []}
        """
        if self._replacements is None:
            self._replacements = self._ask()
        return self._replacements


class NodeSpecs(Mapping[str, NodeSpec]):
    """The node classes of a server, by class name; each is parsed at its first use and kept.

    Parameters
    ----------
    object_info : Mapping
        `/object_info` as parsed JSON. It is read, never changed; do not change it afterwards either.

    Examples
    --------
    >>> specs = NodeSpecs(client.object_info())
    >>> specs["KSampler"].input("steps").max
    10000
    """

    def __init__(self, object_info: Mapping[str, Any]) -> None:
        self.object_info = object_info
        self._parsed: dict[str, NodeSpec] = {}

    @classmethod
    def of(cls, object_info: Mapping[str, Any] | NodeSpecs) -> NodeSpecs:
        """`object_info` itself if it is parsed already, so that callers can share what was parsed.

        What was parsed of the last one is kept as well: most programs have one server, and hand its definitions over
        again and again.

        Parameters
        ----------
        object_info : Mapping or NodeSpecs

        Returns
        -------
        NodeSpecs

        Examples
        --------
        >>> specs = NodeSpecs.of(client.object_info())
        >>> NodeSpecs.of(specs) is specs
        True
        """
        if isinstance(object_info, NodeSpecs):
            return object_info
        if _last and _last[0].object_info is object_info:
            return _last[0]
        specs = cls(object_info)
        _last[:] = [specs]
        return specs

    def replacement(self, class_type: str) -> Mapping[str, Any] | None:
        """What the server takes for a class that it no longer has, as `/node_replacements` describes it.

        Parameters
        ----------
        class_type : str

        Returns
        -------
        Mapping or None
            None for a class that it has, and for one that nothing replaces.

        Examples
        --------
        >>> NodeSpecs(client.object_info()).replacement("KSampler") is None
        True
        """
        if not isinstance(self.object_info, NodeClasses) or class_type in self.object_info:
            return None
        listed = self.object_info.replacements.get(class_type)
        # The server looks at the first one only, and passes over what leads nowhere.
        first = listed[0] if isinstance(listed, list) and listed else None
        new = first.get("new_node_id") if isinstance(first, dict) else None
        return first if isinstance(new, str) and new in self.object_info else None

    def __getitem__(self, class_type: str) -> NodeSpec:
        entry = self.object_info[class_type]
        spec = self._parsed.get(class_type)
        # An entry that was put in its place since is read anew.
        if spec is None or spec.raw is not entry:
            spec = self._parsed[class_type] = parse_node(class_type, entry)
        return spec

    def __contains__(self, class_type: object) -> bool:
        return class_type in self.object_info

    def __iter__(self) -> Iterator[str]:
        return iter(self.object_info)

    def __len__(self) -> int:
        return len(self.object_info)

    def __repr__(self) -> str:
        return f"<NodeSpecs of {len(self)} classes>"


#: The definitions that were used last.
_last: list[NodeSpecs] = []
