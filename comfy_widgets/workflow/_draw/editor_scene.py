"""The scenes of the editor's form: its root, and the inside of each of its subgraphs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from .._convert.document import read_document, read_node
from .._convert.live import live_node
from .._convert.parts import Document, Node, Port, Scope
from .._convert.report import Report
from .._specs import NodeSpec, NodeSpecs
from .scene import Box, Frame, Scene, Socket, Wire, one_line

MODES = {2: "muted", 4: "bypassed"}
_NOTES = frozenset({"Note", "MarkdownNote"})
_INPUTS, _OUTPUTS = "-10", "-20"
_PORT_WIDTH, _PORT_ROW, _PORT_GAP, _PORT_SPAN = 130.0, 22.0, 60.0, 1000.0


def scenes_of_ui(ui: Mapping[str, Any], specs: NodeSpecs | None) -> list[Scene]:
    """Read the editor's form: its root graph, in which a subgraph is one box, and then the inside of each subgraph.

    Nodes are where their author put them; if that is not known, it is for the layout to say.
    """
    document = read_document(ui, Report())
    scenes = [_scene(document, document.root, ui, specs)]
    raws = _definitions(ui)
    for identity in _in_use(document):
        scope = document.definitions[identity]
        if identity in raws:
            scene = _scene(document, scope, raws[identity], specs)
            scene.title = f"Inside {scope.name}"
            scenes.append(scene)
    return scenes


def _in_use(document: Document) -> list[str]:
    """Return the definitions that stand somewhere, those nearer to the root first."""
    found: dict[str, None] = {}
    scopes = [document.root]
    for scope in scopes:
        for node in scope.nodes.values():
            if node.type in document.definitions and node.type not in found:
                found[node.type] = None
                scopes.append(document.definitions[node.type])
    return list(found)


def _definitions(container: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    held = container.get("definitions")
    found: dict[str, Mapping[str, Any]] = {}
    for raw in _mappings(held.get("subgraphs")) if isinstance(held, Mapping) else ():
        found.setdefault(str(raw.get("id")), raw)
        for identity, inner in _definitions(raw).items():
            found.setdefault(identity, inner)
    return found


def _scene(document: Document, scope: Scope, raw: Mapping[str, Any], specs: NodeSpecs | None) -> Scene:
    raws = {str(item.get("id")): item for item in _mappings(raw.get("nodes"))}
    original = {new: old for old, new in scope.renamed.items()}
    names = {definition.id: definition.name for definition in document.definitions.values()}
    boxes = {
        node_id: _box(node, raws[original.get(node_id, node_id)], names, specs)
        for node_id, node in scope.nodes.items()
        if original.get(node_id, node_id) in raws
    }
    placed = bool(boxes) and all(box.width > 0 for box in boxes.values()) and _spread(boxes)
    boxes |= _ports(scope, raw, boxes, placed=placed)
    scene = Scene(list(boxes.values()), list(_wires(scope, boxes)), placed=placed, by_author=placed)
    if placed:
        scene.frames = [frame for item in _mappings(raw.get("groups")) if (frame := _frame(item))]
    return scene


def _ports(scope: Scope, raw: Mapping[str, Any], boxes: Mapping[str, Box], *, placed: bool) -> dict[str, Box]:
    """The border of a subgraph, as a box for its inputs and one for its outputs."""
    found = {}
    ends: list[tuple[str, str, str, list[Port]]] = [
        (_INPUTS, "Inputs", "inputNode", scope.inputs),
        (_OUTPUTS, "Outputs", "outputNode", scope.outputs),
    ]
    for identity, title, key, ports in ends:
        if not ports:
            continue
        sockets = [Socket(port.name, port.type) for port in ports]
        box = found[identity] = Box(identity, title)
        box.inputs, box.outputs = ([], sockets) if identity == _INPUTS else (sockets, [])
        if placed:
            # Letters grow with the drawing, and so does what must hold them.
            span = max(other.x + other.width for other in boxes.values()) - min(other.x for other in boxes.values())
            scale = max(1.0, span / _PORT_SPAN)
            box.width, box.height = _PORT_WIDTH * scale, (_TITLE + _PORT_ROW * len(ports)) * scale
            box.x, box.y = _beside(boxes, raw.get(key), box, left=identity == _INPUTS)
    return found


def _beside(boxes: Mapping[str, Box], raw: Any, box: Box, *, left: bool) -> tuple[float, float]:
    """Where the border was drawn, if that is known; else beside all nodes."""
    bounding = raw.get("bounding") if isinstance(raw, Mapping) else None
    place = _pair(bounding)
    middle = sum(other.y + other.height / 2 for other in boxes.values()) / len(boxes)
    edge = (
        min(other.x for other in boxes.values()) - _PORT_GAP - box.width
        if left
        else max(other.x + other.width for other in boxes.values()) + _PORT_GAP
    )
    if place is not None:
        # The editor's box is as wide as its labels; ours must not lie on the nodes beside it.
        return (min(place[0], edge) if left else max(place[0], edge)), place[1]
    return edge, middle - box.height / 2


def _box(node: Node, raw: Mapping[str, Any], names: Mapping[str, str], specs: NodeSpecs | None) -> Box:
    type_name = node.type
    spec = specs.get(type_name) if specs is not None else None
    title = raw.get("title") or names.get(type_name) or (spec.display_name if spec is not None else type_name)
    box = Box(node.id, str(title), mode=MODES.get(node.mode, ""))
    linked = [item for item in _mappings(raw.get("inputs")) if not item.get("widget") or item.get("link") is not None]
    box.inputs = [Socket(str(item.get("name", "")), _type(item.get("type"))) for item in linked]
    box.outputs = [Socket(str(item.get("name", "")), _type(item.get("type"))) for item in _mappings(raw.get("outputs"))]
    values = raw.get("widgets_values")
    if type_name in _NOTES:
        box.note = str(values[0]) if isinstance(values, list) and values else " "
    elif isinstance(values, Mapping):
        box.values = [(str(name), one_line(value)) for name, value in values.items()]
    elif isinstance(values, list):
        named = _widget_names(raw, spec)
        box.values = [
            (named.get(index, ""), one_line(value))
            for index, value in enumerate(values)
            if value is not None and (index in named or not (named or _is_control(value) or _is_button(index, value)))
        ]
    position, size = _pair(raw.get("pos")), _pair(raw.get("size"))
    if position is not None and size is not None:
        flags = raw.get("flags")
        collapsed = isinstance(flags, Mapping) and bool(flags.get("collapsed"))
        # The editor draws the title above the position.
        box.x, box.y = position[0], position[1] - _TITLE
        box.width, box.height = max(size[0], 60), _TITLE if collapsed else max(size[1], 0) + _TITLE
    return box


_TITLE = 30.0
_FARTHEST = 1e6


def _widget_names(raw: Mapping[str, Any], spec: NodeSpec | None) -> dict[int, str]:
    """Name the values that are sent; those of the editor's own, such as the control of a seed, have no name."""
    if spec is not None:
        positions = live_node(read_node(raw, 0, "workflow"), spec).positions
        return {index: name for index, name in enumerate(positions) if name is not None}
    # Newer files list each widget as an input, in the same order.
    names = [str(item["widget"].get("name", "")) for item in _mappings(raw.get("inputs")) if _is_widget(item)]
    saved = raw.get("widgets_values")
    values = saved if isinstance(saved, list) else []
    named: dict[int, str] = {}
    at = 0
    for name in names if values else ():
        named[at] = name
        at += 2 if at + 1 < len(values) and _is_control(values[at + 1]) else 1
    return named


def _is_widget(item: Mapping[str, Any]) -> bool:
    return isinstance(item.get("widget"), Mapping)


def _is_control(value: object) -> bool:
    return value in ("fixed", "increment", "decrement", "randomize")


def _is_button(index: int, value: object) -> bool:
    # The upload button of a loader takes a place after the file's name.
    return index > 0 and value == "image"


def _wires(scope: Scope, boxes: Mapping[str, Box]) -> Iterator[Wire]:
    for link in scope.links.values():
        origin, target = boxes.get(link.origin), boxes.get(link.target)
        if origin is None or target is None or not 0 <= link.origin_slot < len(origin.outputs):
            continue
        slot: int | None = link.target_slot if link.target_slot < len(target.inputs) else None
        if link.target in scope.nodes:
            saved = scope.nodes[link.target].inputs
            name = saved[link.target_slot].name if 0 <= link.target_slot < len(saved) else ""
            slot = next((index for index, socket in enumerate(target.inputs) if socket.name == name), None)
        if slot is not None:
            yield Wire(origin, link.origin_slot, target, slot, origin.outputs[link.origin_slot].type)


def _frame(raw: object) -> Frame | None:
    if not isinstance(raw, Mapping):
        return None
    bounding = raw.get("bounding")
    if not isinstance(bounding, (list, tuple)) or len(bounding) < 4:
        return None
    numbers = [_number(value) for value in bounding[:4]]
    if any(number is None for number in numbers):
        return None
    x, y, width, height = (number or 0.0 for number in numbers)
    return Frame(str(raw.get("title") or ""), x, y, max(width, 0), max(height, 0))


def _spread(boxes: Mapping[str, Box]) -> bool:
    """Tell whether someone laid the nodes out: files made by programs put them all in one place."""
    return len(boxes) < 2 or len({(box.x, box.y) for box in boxes.values()}) > len(boxes) // 2


def _pair(value: Any) -> tuple[float, float] | None:
    if isinstance(value, Mapping):
        value = [value.get("0"), value.get("1")]
    if not isinstance(value, (list, tuple)) or len(value) < 2:
        return None
    first, second = _number(value[0]), _number(value[1])
    return None if first is None or second is None else (first, second)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value) if abs(value) < _FARTHEST else None


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _type(value: Any) -> str:
    return value if isinstance(value, str) else "COMBO" if isinstance(value, list) else "*"
