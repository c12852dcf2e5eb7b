"""A UI workflow as a checked, uniform structure: scopes of nodes and links.

Both schemas (0.4 and 1), both link forms and all id types come out alike; ids are compared as strings. The input is
only read. What does not make a graph at all raises `WorkflowError`; a broken detail (a link without ends, an input
without a name) is left out and noted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from comfy_widgets.protocol import WorkflowError

from .parts import (
    INPUT_PORTS,
    OUTPUT_PORTS,
    Document,
    Link,
    Node,
    Port,
    SavedInput,
    Scope,
    is_number,
    key,
    sequence,
    slot_index,
    text,
    type_of,
)
from .report import Report
from .wireless import connect_wireless

_MAX_DEFINITION_NESTING = 64
_LINK_KEYS = ("id", "origin_id", "origin_slot", "target_id", "target_slot")


def read_document(workflow: object, report: Report) -> Document:
    """Read a parsed UI workflow.

    Raises
    ------
    WorkflowError
        If this is no UI workflow, or a node is no object with an id and a type.
    """
    if not isinstance(workflow, Mapping):
        raise WorkflowError(f"A UI workflow is a JSON object, not {_kind_of(workflow)}.")
    if not isinstance(workflow.get("nodes"), (list, tuple)):
        if workflow and all(isinstance(node, dict) and "class_type" in node for node in workflow.values()):
            raise WorkflowError("This is an API prompt already: every entry has a class_type. It needs no conversion.")
        raise WorkflowError('This is no UI workflow: it has no list "nodes". Save it again in ComfyUI\'s editor.')
    root = read_scope(workflow, "", "workflow", report)
    definitions: dict[str, Scope] = {}
    for raw in _definitions(workflow):
        identity = key(raw.get("id"))
        if identity and identity not in definitions:
            name = text(raw.get("name")) or identity
            definitions[identity] = read_scope(raw, identity, name, report)
    _make_ids_unique(root, definitions.values(), workflow.get("last_node_id"))
    extra = workflow.get("extra")
    groups = extra.get("groupNodes") if isinstance(extra, dict) else None
    return Document(root, definitions, groups if isinstance(groups, dict) else {})


def _definitions(container: Mapping[str, Any], depth: int = 0) -> Iterable[Mapping[str, Any]]:
    """All subgraph definitions, the nested ones after their container."""
    if depth > _MAX_DEFINITION_NESTING:
        raise WorkflowError(f"Subgraph definitions are nested deeper than {_MAX_DEFINITION_NESTING} levels.")
    table = container.get("definitions")
    subgraphs = table.get("subgraphs") if isinstance(table, dict) else None
    for raw in sequence(subgraphs):
        if isinstance(raw, dict):
            yield raw
            yield from _definitions(raw, depth + 1)


def read_scope(raw: Mapping[str, Any], identity: str, name: str, report: Report) -> Scope:
    """Read the nodes, links and ports of the root graph or of a definition."""
    scope = Scope(identity, name)
    scope.links = _read_links(raw.get("links"), name, report)
    scope.inputs = [_read_port(port) for port in sequence(raw.get("inputs"))]
    scope.outputs = [_read_port(port) for port in sequence(raw.get("outputs"))]
    duplicates: list[Node] = []
    for node in _read_nodes(sequence(raw.get("nodes")), name, report):
        if node.id in scope.nodes:
            duplicates.append(node)
        else:
            scope.nodes[node.id] = node
    # A second holder of an id keeps its own links in, but links out are its elder's: they name the id.
    highest = max((int(identity) for identity in scope.nodes if is_number(identity)), default=0)
    for number, node in enumerate(duplicates, highest + 1):
        report.add(
            "dropped", f"Two nodes of the {name} have the id {node.id}; the second, a {node.type}, is now {number}."
        )
        node.id = str(number)
        scope.nodes[node.id] = node
    _find_port_links(scope)
    _connect_unnamed(scope)
    connect_wireless(scope, raw.get("extra"), report)
    return scope


def _read_nodes(items: Sequence[Any], where: str, report: Report) -> list[Node]:
    """Read the nodes of a scope. One that is none is left out and told; where all are, it is no workflow."""
    nodes: list[Node] = []
    problems: list[WorkflowError] = []
    for index, item in enumerate(items):
        try:
            nodes.append(read_node(item, index, where))
        except WorkflowError as problem:
            problems.append(problem)
    if problems and not nodes:
        raise problems[0]
    for found in problems:
        report.add("dropped", f"{found} It is left out.")
    return nodes


def read_node(raw: object, index: int, where: str) -> Node:
    """Read one node; `index` and `where` are for the error message."""
    if not isinstance(raw, dict):
        raise WorkflowError(f"Node number {index + 1} of the {where} is {_kind_of(raw)}, not an object.")
    identity = key(raw.get("id"))
    node_type = raw.get("type")
    if identity is None:
        raise WorkflowError(
            f"Node number {index + 1} of the {where} ({text(node_type) or 'no type'}) has no usable id."
        )
    if not isinstance(node_type, str) or not node_type:
        raise WorkflowError(f"Node {identity} of the {where} has no type.", node_id=identity)
    values = raw.get("widgets_values")
    named = raw.get("widgets_values_named")
    properties = raw.get("properties")
    mode, order, title = raw.get("mode"), raw.get("order"), raw.get("title")
    inputs, outputs = raw.get("inputs"), raw.get("outputs")
    return Node(
        identity,
        node_type,
        mode if isinstance(mode, int) else 0,
        order if isinstance(order, int) else index,
        (text(title) or None) if title is not None else None,
        [_read_input(item) for item in sequence(inputs)] if inputs else [],
        sequence(outputs) if outputs else (),
        values if isinstance(values, (list, dict)) else None,
        named if isinstance(named, dict) else {},
        properties if isinstance(properties, dict) else {},
    )


#: An absent "link" differs from a null one: files made by other tools name links only in the link table.
_ABSENT: Any = object()


def _read_input(raw: object) -> SavedInput:
    """Read one saved input. Junk keeps its place (slots are counted) as an input that nothing can be matched to."""
    if not isinstance(raw, dict):
        return SavedInput("", "*", None, None)
    get = raw.get
    name, type_name, link, widget, label = get("name"), get("type"), get("link", _ABSENT), get("widget"), get("label")
    return SavedInput(
        name if type(name) is str else text(name),
        type_name if type(type_name) is str and type_name else type_of(raw),
        None if link is None else "" if link is _ABSENT else key(link),
        (text(widget.get("name")) or None) if widget is not None and isinstance(widget, dict) else None,
        (text(label) or None) if label is not None else None,
    )


def _read_port(raw: object) -> Port:
    if not isinstance(raw, dict):
        return Port("", "*", [])
    links = [key(item) for item in sequence(raw.get("linkIds"))]
    return Port(text(raw.get("name")), type_of(raw), [item for item in links if item is not None])


def _read_links(raw: object, where: str, report: Report) -> dict[str, Link]:
    items = raw.values() if isinstance(raw, dict) else sequence(raw)
    links: dict[str, Link] = {}
    broken = 0
    for item in items:
        if type(item) is list and len(item) >= 5:
            identity, origin, origin_slot, target, target_slot = item[:5]
        elif isinstance(item, dict):
            identity, origin, origin_slot, target, target_slot = map(item.get, _LINK_KEYS)
        else:
            broken += item is not None
            continue
        identity, origin, target = key(identity), key(origin), key(target)
        if type(origin_slot) is not int or origin_slot < 0:
            origin_slot = slot_index(origin_slot)
        if type(target_slot) is not int or target_slot < 0:
            target_slot = slot_index(target_slot)
        if identity is None or origin is None or target is None or origin_slot is None or target_slot is None:
            broken += 1
        elif identity not in links:
            links[identity] = Link(origin, origin_slot, target, target_slot)
    if broken:
        report.add("dropped", f"{broken} link(s) of the {where} have no readable ends and are left out.")
    return links


def _connect_unnamed(scope: Scope) -> None:
    """Give inputs that do not say which link feeds them the first link that claims them."""
    if not any(item.link == "" for node in scope.nodes.values() for item in node.inputs):
        return
    unnamed = {
        (node.id, index): item
        for node in scope.nodes.values()
        for index, item in enumerate(node.inputs)
        if item.link == ""
    }
    for identity, link in scope.links.items():
        item = unnamed.get((link.target, link.target_slot))
        if item is not None and item.link == "":
            item.link = identity
    for item in unnamed.values():
        item.link = item.link or None


def _find_port_links(scope: Scope) -> None:
    """Fill in the links of ports that do not list them."""
    silent_inputs = {index: port for index, port in enumerate(scope.inputs) if not port.links}
    silent_outputs = {index: port for index, port in enumerate(scope.outputs) if not port.links}
    if not silent_inputs and not silent_outputs:
        return
    for identity, link in scope.links.items():
        if link.origin == INPUT_PORTS and link.origin_slot in silent_inputs:
            silent_inputs[link.origin_slot].links.append(identity)
        if link.target == OUTPUT_PORTS and link.target_slot in silent_outputs:
            silent_outputs[link.target_slot].links.append(identity)


def _make_ids_unique(root: Scope, definitions: Iterable[Scope], last_node_id: object) -> None:
    """Renumber nodes of definitions whose id is taken; the first holder keeps it."""
    scopes = list(definitions)
    if not scopes:
        return
    taken = set(root.nodes)
    numbers = [int(identity) for scope in (root, *scopes) for identity in scope.nodes if is_number(identity)]
    if isinstance(last_node_id, int):
        numbers.append(last_node_id)
    highest = max(numbers, default=0)
    for scope in scopes:
        for identity in list(scope.nodes):
            if identity not in taken:
                taken.add(identity)
                continue
            highest += 1
            scope.renamed[identity] = str(highest)
            taken.add(str(highest))
        if scope.renamed:
            _rename(scope)


def _rename(scope: Scope) -> None:
    new = scope.renamed
    scope.nodes = {new.get(identity, identity): node for identity, node in scope.nodes.items()}
    for identity, node in scope.nodes.items():
        node.id = identity
    for link in scope.links.values():
        link.origin = new.get(link.origin, link.origin)
        link.target = new.get(link.target, link.target)


def _kind_of(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", type(None): "null", bool: "true or false"}
    return names.get(type(value), "a number" if isinstance(value, (int, float)) else f"a {type(value).__name__}")
