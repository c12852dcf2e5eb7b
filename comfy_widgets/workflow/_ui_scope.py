"""The nodes and links of one graph in the editor's form: the root, or one subgraph's inside.

A link is written in three places (the table of links, the output it leaves, the input it enters) and, at a subgraph's
border, in a port; `Scope` changes all of them together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ._prompt import is_number

_OUTPUTS = "-20"


class NotDrawn(Exception):
    """A change that the editor's form cannot express; the workflow then goes on in API format."""


class Scope:
    """One graph of a document, to be changed in place.

    Parameters
    ----------
    ui : dict
        The whole document.
    raw : dict
        The root, or a definition in it.
    """

    def __init__(self, ui: dict[str, Any], raw: dict[str, Any]) -> None:
        self.ui = ui
        self.raw = raw

    @classmethod
    def of(cls, ui: dict[str, Any], path: str) -> Scope:
        """Return the graph inside the instance `path`, with ids as the file has them; the root for ""."""
        scope = cls(ui, ui)
        for part in path.split(":") if path else ():
            instance = scope.node(part)
            definition = _definitions(ui).get(str(instance.get("type")))
            if definition is None:
                raise NotDrawn(f"node {part} is no subgraph")
            if sum(1 for node in _all_nodes(ui) if node.get("type") == instance["type"]) > 1:
                raise NotDrawn(f"the subgraph of node {part} stands in several places, and would change in all of them")
            scope = cls(ui, definition)
        return scope

    @property
    def nodes(self) -> list[dict[str, Any]]:
        """Its nodes, as they stand in the document."""
        return [node for node in self.raw["nodes"] if isinstance(node, dict)]

    def node(self, node_id: str) -> dict[str, Any]:
        """Return a node."""
        found = next((node for node in self.nodes if str(node.get("id")) == node_id), None)
        if found is None:
            raise NotDrawn(f"there is no node {node_id} in it")
        return found

    def remove(self, node_id: str) -> None:
        """Take a node out, with all its links."""
        node = self.node(node_id)
        for link in list(self.links()):
            if node_id in (link["origin_id"], link["target_id"]):
                self.disconnect(link["id"])
        self.raw["nodes"] = [other for other in self.raw["nodes"] if other is not node]

    # -- links -------------------------------------------------------------------------------------------------------

    def links(self) -> Iterator[dict[str, Any]]:
        """Yield the links, with ids as text and slots as numbers."""
        table = self.raw.get("links")
        for item in table if isinstance(table, list) else ():
            parts = _parts(item)
            if parts is not None:
                yield parts

    def feeding(self, node_id: str, slot: int) -> str | None:
        """Return the id of the link that enters an input."""
        item = self.node(node_id)["inputs"][slot]
        return str(item["link"]) if item.get("link") is not None else None

    def disconnect(self, link_id: str) -> None:
        """Take a link out of every place where it is written."""
        link = next((link for link in self.links() if link["id"] == link_id), None)
        table = self.raw.get("links")
        self.raw["links"] = [item for item in table or () if (_parts(item) or {}).get("id") != link_id]
        for node in self.nodes:
            for item in _mappings(node.get("inputs")):
                if str(item.get("link")) == link_id:
                    item["link"] = None
            for item in _mappings(node.get("outputs")):
                if isinstance(item.get("links"), list):
                    item["links"] = [other for other in item["links"] if str(other) != link_id]
        for port in (*_mappings(self.raw.get("inputs")), *_mappings(self.raw.get("outputs"))):
            if link is not None and isinstance(port.get("linkIds"), list):
                port["linkIds"] = [other for other in port["linkIds"] if str(other) != link_id]

    def connect(self, origin_id: str, origin_slot: int, target_id: str, target_slot: int) -> None:
        """Draw a link, in place of any that enters the input."""
        origin, target = self.node(origin_id), self.node(target_id)
        outputs = origin.get("outputs")
        if not isinstance(outputs, list) or not 0 <= origin_slot < len(outputs):
            raise NotDrawn(f"node {origin_id} has no output {origin_slot}")
        before = self.feeding(target_id, target_slot)
        if before is not None:
            self.disconnect(before)
        number = self._next_link()
        output, entered = outputs[origin_slot], target["inputs"][target_slot]
        output["links"] = [*(output.get("links") or []), number]
        entered["link"] = number
        self.raw.setdefault("links", []).append(self._link(number, origin, origin_slot, target, target_slot, output))

    def _link(
        self,
        number: int,
        origin: Mapping[str, Any],
        origin_slot: int,
        target: Mapping[str, Any],
        target_slot: int,
        output: Mapping[str, Any],
    ) -> Any:
        declared = output.get("type")
        values = [number, origin["id"], origin_slot, target["id"], target_slot, declared]
        table = self.raw.get("links")
        as_objects = self.raw is not self.ui or any(isinstance(item, dict) for item in table or ())
        names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        return dict(zip(names, values, strict=True)) if as_objects else values

    def _next_link(self) -> int:
        numbers = [int(link["id"]) for link in self.links() if is_number(link["id"])]
        state = self.raw.get("state")
        kept = [self.raw.get("last_link_id"), state.get("lastLinkId") if isinstance(state, Mapping) else None]
        number = max([0, *numbers, *(value for value in kept if isinstance(value, int))]) + 1
        if self.raw is self.ui:
            self.raw["last_link_id"] = number
        if isinstance(state, dict):
            state["lastLinkId"] = number
        return number


def next_node_id(ui: Mapping[str, Any]) -> int:
    """Return a number that no node of a document has."""
    numbers = [int(str(node["id"])) for node in _all_nodes(ui) if is_number(str(node.get("id")))]
    last = ui.get("last_node_id")
    return max([0, *numbers, *([last] if isinstance(last, int) else [])]) + 1


def exposed_output(ui: dict[str, Any], origin: str, slot: int) -> tuple[str, int]:
    """Return the instance, and its output, that stands for the output of a node inside.

    Raises
    ------
    NotDrawn
        If the subgraph keeps the output to itself.
    """
    path, _, node_id = origin.rpartition(":")
    scope = Scope.of(ui, path)
    for link in scope.links():
        if link["target_id"] == _OUTPUTS and (link["origin_id"], link["origin_slot"]) == (node_id, slot):
            return path, int(link["target_slot"])
    raise NotDrawn(f"the subgraph around node {origin} does not show that output")


def _parts(item: Any) -> dict[str, Any] | None:
    """Read a link of either form."""
    if isinstance(item, Mapping):
        values = [item.get(name) for name in ("id", "origin_id", "origin_slot", "target_id", "target_slot")]
    elif isinstance(item, list) and len(item) >= 5:
        values = item[:5]
    else:
        return None
    slots = [int(value) if isinstance(value, (int, str)) and str(value).isdigit() else -1 for value in values[2::2]]
    return {
        "id": str(values[0]),
        "origin_id": str(values[1]),
        "origin_slot": slots[0],
        "target_id": str(values[3]),
        "target_slot": slots[1],
    }


def _definitions(ui: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for scope in _scopes(ui):
        found.setdefault(str(scope.get("id")), scope)
    return found


def _scopes(container: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    held = container.get("definitions")
    for scope in _mappings(held.get("subgraphs")) if isinstance(held, Mapping) else ():
        yield scope
        yield from _scopes(scope)


def _all_nodes(ui: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from _mappings(ui.get("nodes"))
    for scope in _scopes(ui):
        yield from _mappings(scope.get("nodes"))


def _mappings(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
