"""Changing the graph in the editor's form: nodes and links drawn where a person would put them.

Each function changes a document in place. Nodes are named by their ids as the file has them, those in subgraphs by the
ids on the way, ``57:3``. What cannot be drawn raises `NotDrawn`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._convert.document import read_node
from ._convert.live import live_node
from ._prompt import copied, is_link, unwrap
from ._specs import InputSpec, NodeSpec, NodeSpecs
from ._ui_scope import NotDrawn, Scope, exposed_output

_BYPASSED = 4
_WIDTH, _TITLE, _ROW, _TEXT_ROWS, _GAP = 270, 30, 26, 5, 60
_MOST_STEPS = 200


def add_node(
    ui: dict[str, Any],
    node_id: str,
    class_type: str,
    inputs: Mapping[str, Any],
    title: str | None,
    specs: NodeSpecs,
) -> None:
    """Draw a node, right of what feeds it.

    Parameters
    ----------
    ui : dict
        The document.
    node_id : str
        An id that is free.
    class_type : str
    inputs : Mapping
        As in a prompt: values, and links ``[node id, slot]``.
    title : str, optional
    specs : NodeSpecs
    """
    spec = specs.get(class_type)
    if spec is None:
        raise NotDrawn(f"nothing is known of the class {class_type}")
    path, _, own = node_id.rpartition(":")
    scope = Scope.of(ui, path)
    values = {name: unwrap(value) for name, value in inputs.items() if not is_link(value)}
    raw: dict[str, Any] = {
        "id": int(own),
        "type": class_type,
        "pos": [0, 0],
        "size": [_WIDTH, 0],
        "flags": {},
        "order": 1 + max((node["order"] for node in scope.nodes if isinstance(node.get("order"), int)), default=-1),
        "mode": 0,
        "inputs": [_socket(item, item.name) for item in spec.inputs if not item.is_widget and item.dynamic is None],
        "outputs": [
            {"name": output.name, "type": output.type, "links": [], "slot_index": index}
            for index, output in enumerate(spec.outputs)
        ],
        "properties": {"Node name for S&R": class_type},
        "widgets_values": _widget_values(class_type, spec, values),
    }
    if title:
        raw["title"] = title
    raw["size"][1] = _height(raw, spec)
    scope.raw["nodes"].append(raw)
    if scope.raw is ui:
        ui["last_node_id"] = max(int(own), ui["last_node_id"] if isinstance(ui.get("last_node_id"), int) else 0)
    for name, value in inputs.items():
        if is_link(value):
            connect(ui, node_id, name, value, specs)
    _place(scope, raw)


def remove_node(ui: dict[str, Any], node_id: str) -> None:
    """Take a node out, with its links."""
    path, _, own = node_id.rpartition(":")
    Scope.of(ui, path).remove(own)


def bypass_node(ui: dict[str, Any], node_id: str) -> None:
    """Bypass a node, as the editor does: it stays in the drawing."""
    path, _, own = node_id.rpartition(":")
    Scope.of(ui, path).node(own)["mode"] = _BYPASSED


def connect(ui: dict[str, Any], node_id: str, name: str, link: list[Any] | None, specs: NodeSpecs) -> None:
    """Connect an input to ``[node id, slot]``, or with None to nothing."""
    path, _, own = node_id.rpartition(":")
    scope = Scope.of(ui, path)
    node = scope.node(own)
    slot = _input_slot(node, name, specs)
    if link is None:
        before = scope.feeding(own, slot)
        if before is not None:
            scope.disconnect(before)
        return
    origin, origin_slot = link
    while origin.rpartition(":")[0] != path:
        if not origin.startswith(f"{path}:" if path else "") or ":" not in origin:
            raise NotDrawn(f"node {origin} is in another subgraph")
        origin, origin_slot = exposed_output(ui, origin, origin_slot)
    outer = scope.node(origin.rpartition(":")[2])
    _complete_outputs(outer, origin_slot, specs)
    scope.connect(origin.rpartition(":")[2], origin_slot, own, slot)


def _input_slot(node: dict[str, Any], name: str, specs: NodeSpecs) -> int:
    """Return the number of an input, which is added if the file does not list it."""
    listed = node.setdefault("inputs", [])
    for index, item in enumerate(listed):
        if isinstance(item, dict) and item.get("name") == name:
            return index
    spec = specs.get(str(node.get("type")))
    known = spec.input(name) if spec is not None else None
    if known is None:
        raise NotDrawn(f"node {node.get('id')} has no input {name}")
    listed.append(_socket(known, name))
    return len(listed) - 1


def _socket(spec: InputSpec, name: str) -> dict[str, Any]:
    socket: dict[str, Any] = {"name": name, "type": spec.type, "link": None}
    if spec.is_widget:
        socket["widget"] = {"name": name}
    return socket


def _complete_outputs(node: dict[str, Any], slot: int, specs: NodeSpecs) -> None:
    """List the outputs of a node that a program wrote without them."""
    listed = node.setdefault("outputs", [])
    spec = specs.get(str(node.get("type")))
    for output in spec.outputs[len(listed) : slot + 1] if spec is not None else ():
        listed.append({"name": output.name, "type": output.type, "links": []})


def _widget_values(class_type: str, spec: NodeSpec, given: Mapping[str, Any]) -> list[Any]:
    """Return the values of a new node's widgets in the editor's order."""
    values: list[Any] = []
    for _ in range(_MOST_STEPS):
        # What a dynamic choice brings along is known once it is made, so the positions are asked again and again.
        raw = {"id": 1, "type": class_type, "inputs": [], "outputs": [], "widgets_values": list(values)}
        positions = live_node(read_node(raw, 0, "workflow"), spec).positions
        if len(values) >= len(positions):
            break
        name = positions[len(values)]
        known = spec.input(name) if name is not None else None
        if name is None:
            values.append("fixed" if values and not isinstance(values[-1], str) else "")
        else:
            values.append(copied(given.get(name, known.initial if known is not None else None)))
    unknown = [name for name in given if name not in positions]
    if unknown:
        raise NotDrawn(f"{class_type} has no widget {unknown[0]}")
    return values


def _height(raw: Mapping[str, Any], spec: NodeSpec) -> int:
    texts = sum(item.kind == "text" for item in spec.inputs)
    rows = max(len(raw["inputs"]), len(raw["outputs"])) + len(raw["widgets_values"]) + _TEXT_ROWS * texts
    return 10 + _ROW * max(1, rows)


def _place(scope: Scope, raw: dict[str, Any]) -> None:
    """Put a node right of what feeds it, at its height, where no other node is; without links, right of all."""
    boxes = {str(node.get("id")): box for node in scope.nodes if node is not raw and (box := _box(node)) is not None}
    feeding = [link["origin_id"] for link in scope.links() if link["target_id"] == str(raw["id"])]
    near = [boxes[origin] for origin in feeding if origin in boxes] or list(boxes.values())
    if not near:
        return
    left = max(x + width for x, _, width, _ in near) + _GAP
    top = min(y for _, y, _, _ in near)
    width, height = raw["size"]
    for _ in range(_MOST_STEPS):
        hit = next((box for box in boxes.values() if _overlap((left, top, width, height), box)), None)
        if hit is None:
            break
        top = hit[1] + hit[3] + _TITLE + _GAP // 2
    raw["pos"] = [left, top]


def _box(node: Mapping[str, Any]) -> tuple[float, float, float, float] | None:
    place, size = _pair(node.get("pos")), _pair(node.get("size"))
    return None if place is None else (*place, *(size or (_WIDTH, 100)))


def _pair(value: Any) -> tuple[float, float] | None:
    if isinstance(value, Mapping):
        value = [value.get("0"), value.get("1")]
    if not isinstance(value, list) or len(value) < 2:
        return None
    numbers = [float(item) for item in value[:2] if isinstance(item, (int, float)) and abs(item) < 1e6]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else None


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] - _TITLE < other[1] + other[3]
        and other[1] - _TITLE < one[1] + one[3]
    )
