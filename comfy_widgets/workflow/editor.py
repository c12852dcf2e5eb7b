"""The editor's form of a workflow: converted when needed, and written back to when values change."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from ..protocol.errors import WorkflowError
from .prompt import Place, Prompt, normalise
from .specs import NodeSpecs


class Editor:
    """The editor's form, with the last prompt it was converted to.

    All workflows that were derived from one loaded document share it, so a form that asks for parameters at every key
    press converts once.
    """

    def __init__(self, ui: dict[str, Any]) -> None:
        self.ui = ui
        self._last: tuple[NodeSpecs, Prompt, tuple[str, ...]] | None = None

    def convert(self, specs: NodeSpecs) -> tuple[Prompt, tuple[str, ...]]:
        """Return the prompt, which must not be changed, and what there is to say about it."""
        if self._last is None or self._last[0].object_info is not specs.object_info:
            from .convert import convert

            conversion = convert(self.ui, specs)
            self._last = (specs, normalise(conversion.prompt), tuple(str(note) for note in conversion.report))
        return self._last[1:]

    def with_values(self, values: Mapping[Place, Any], specs: NodeSpecs) -> dict[str, Any]:
        """Return the editor's form with other values in its widgets.

        Where a value stands in the file is not always certain (subgraphs, primitives), so the result is converted again
        and must give exactly the wanted prompt.

        Raises
        ------
        WorkflowError
            If some value has no place of its own in the file.
        """
        wanted = copy.deepcopy(self.convert(specs)[0])
        ui = copy.deepcopy(self.ui)
        for (node_id, name), value in values.items():
            wanted[node_id]["inputs"][name] = {"__value__": value} if isinstance(value, list) else value
            for values_list, position in _homes(ui, node_id, name, specs):
                values_list[position] = copy.deepcopy(value)
        if values and Editor(ui).convert(specs)[0] != wanted:
            raise WorkflowError(
                "Some of the values that were set have no single place in the editor's form (they belong to a subgraph "
                'or come from another node). Save the workflow in API format: save(path, form="api").'
            )
        return ui


def _homes(ui: dict[str, Any], node_id: str, name: str, specs: NodeSpecs) -> Iterator[tuple[Any, Any]]:
    """Yield the containers and keys in which the value of a widget stands."""
    from .convert.document import read_node
    from .convert.live import live_node

    raw = _raw_node(ui, node_id)
    if raw is None or not isinstance(raw.get("type"), str):
        return
    values = raw.get("widgets_values")
    if isinstance(values, dict):
        yield values, name
        return
    positions = live_node(read_node(raw, 0, "workflow"), specs.get(raw["type"])).positions
    if isinstance(values, list) and name in positions:
        values += [None] * (positions.index(name) + 1 - len(values))
        yield values, positions.index(name)
    if ":" not in node_id:
        yield from _primitives(ui, raw, name)


def _raw_node(ui: Mapping[str, Any], node_id: str) -> dict[str, Any] | None:
    """Find a node by its execution id, ``instance:inner``."""
    scope: Mapping[str, Any] = ui
    definitions = _definitions(ui)
    node: dict[str, Any] | None = None
    for part in node_id.split(":"):
        if node is not None:
            inner = definitions.get(str(node.get("type")))
            if inner is None:
                return None
            scope = inner
        nodes = scope.get("nodes")
        listed = nodes if isinstance(nodes, list) else []
        node = next((raw for raw in listed if isinstance(raw, dict) and str(raw.get("id")) == part), None)
        if node is None:
            return None
    return node


def _definitions(container: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    held = container.get("definitions")
    listed = held.get("subgraphs") if isinstance(held, Mapping) else None
    found: dict[str, Mapping[str, Any]] = {}
    for definition in listed if isinstance(listed, list) else ():
        if isinstance(definition, Mapping):
            found[str(definition.get("id"))] = definition
            found.update(_definitions(definition))
    return found


def _primitives(ui: Mapping[str, Any], node: Mapping[str, Any], name: str) -> Iterator[tuple[list[Any], int]]:
    """Yield the value of a PrimitiveNode that feeds the widget, which is what the editor sends for it."""
    from .convert.document import Scope, read_scope
    from .convert.report import Report

    scope: Scope = read_scope(ui, "", "workflow", Report())
    for saved in node.get("inputs") or ():
        widget = saved.get("widget") if isinstance(saved, Mapping) else None
        if not isinstance(widget, Mapping) or widget.get("name") != name or saved.get("link") is None:
            continue
        link = scope.links.get(str(saved["link"]))
        source = _raw_node(ui, link.origin) if link is not None else None
        if source is not None and source.get("type") == "PrimitiveNode":
            held = source.get("widgets_values")
            if isinstance(held, list) and held:
                yield held, 0
