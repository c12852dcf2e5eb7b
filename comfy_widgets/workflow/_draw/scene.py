"""What there is to draw: boxes and wires, from a prompt or from the editor's form."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._convert.document import read_document, read_node
from .._convert.live import live_node
from .._convert.parts import Node, Scope
from .._convert.report import Report
from .._prompt import Prompt, flow_order, is_link, unique_titles, unwrap
from .._specs import NodeSpec, NodeSpecs

MODES = {2: "muted", 4: "bypassed"}
_NOTES = frozenset({"Note", "MarkdownNote"})


@dataclass
class Socket:
    """An input or output of a box."""

    name: str
    type: str


@dataclass
class Box:
    """A node. Position and size are filled in by whoever knows them."""

    id: str
    title: str
    inputs: list[Socket] = field(default_factory=list)
    outputs: list[Socket] = field(default_factory=list)
    values: list[tuple[str, str]] = field(default_factory=list)
    note: str = ""
    mode: str = ""
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0

    @property
    def type(self) -> str:
        """The type that gives the box its colour: of what it makes, else of what it takes."""
        sockets = self.outputs or self.inputs
        return sockets[0].type if sockets else ""


@dataclass
class Wire:
    """A link between two boxes. `via` are points it passes on its way."""

    origin: Box
    origin_slot: int
    target: Box
    target_slot: int
    type: str
    via: list[tuple[float, float]] = field(default_factory=list)


@dataclass
class Frame:
    """A coloured area that the author drew around some nodes."""

    title: str
    x: float
    y: float
    width: float
    height: float


@dataclass
class Scene:
    """A graph to draw. `down` tells that the work flows downwards, not to the right."""

    boxes: list[Box]
    wires: list[Wire]
    frames: list[Frame] = field(default_factory=list)
    placed: bool = False
    by_author: bool = False
    down: bool = False


def scene_of_prompt(prompt: Prompt, specs: NodeSpecs | None) -> Scene:
    """Read a prompt; where its nodes belong is for the layout to say."""
    titles = unique_titles(prompt, specs)
    boxes: dict[str, Box] = {}
    wires: list[Wire] = []
    for node_id in flow_order(prompt):
        node = prompt[node_id]
        spec = specs.get(node["class_type"]) if specs is not None else None
        box = boxes[node_id] = Box(node_id, titles[node_id])
        box.outputs = [Socket(output.name, output.type) for output in spec.outputs] if spec is not None else []
        for name, value in node["inputs"].items():
            known = spec.input(name) if spec is not None else None
            if is_link(value):
                box.inputs.append(Socket(name, known.type if known is not None else _guess(name)))
            else:
                box.values.append((name, one_line(unwrap(value))))
    for node_id, box in boxes.items():
        linked = [value for value in prompt[node_id]["inputs"].values() if is_link(value)]
        for index, (origin_id, slot) in enumerate(linked):
            origin = boxes.get(origin_id)
            if origin is None or not 0 <= slot < 1000:
                continue
            while len(origin.outputs) <= slot:
                origin.outputs.append(Socket("", ""))
            if not origin.outputs[slot].type:
                origin.outputs[slot] = Socket("", box.inputs[index].type)
            wires.append(Wire(origin, slot, box, index, origin.outputs[slot].type or box.inputs[index].type))
    return Scene(list(boxes.values()), wires)


# What the inputs of ComfyUI's own nodes take, for drawing in colour while no definitions are known.
_GUESSES = {
    "model": "MODEL",
    "clip": "CLIP",
    "vae": "VAE",
    "positive": "CONDITIONING",
    "negative": "CONDITIONING",
    "conditioning": "CONDITIONING",
    "latent_image": "LATENT",
    "samples": "LATENT",
    "latent": "LATENT",
    "image": "IMAGE",
    "images": "IMAGE",
    "pixels": "IMAGE",
    "mask": "MASK",
    "control_net": "CONTROL_NET",
    "text": "STRING",
}


def _guess(input_name: str) -> str:
    return _GUESSES.get(input_name, "")


def scene_of_ui(ui: Mapping[str, Any], specs: NodeSpecs | None) -> Scene:
    """Read the editor's form: its root graph, in which a subgraph is one box, where its author put it."""
    document = read_document(ui, Report())
    raw_nodes = [raw for raw in ui["nodes"] if isinstance(raw, Mapping)]
    by_id = {str(raw.get("id")): raw for raw in raw_nodes}
    names = {scope.id: scope.name for scope in document.definitions.values()}
    boxes = {
        node_id: _box(node, by_id[node_id], names, specs)
        for node_id, node in document.root.nodes.items()
        if node_id in by_id
    }
    placed = all(box.width > 0 for box in boxes.values()) and _spread(boxes)
    scene = Scene(list(boxes.values()), list(_wires(document.root, boxes)), placed=placed, by_author=placed)
    if placed:
        groups = ui.get("groups")
        scene.frames = [frame for raw in (groups if isinstance(groups, list) else ()) if (frame := _frame(raw))]
    return scene


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


def _wires(root: Scope, boxes: Mapping[str, Box]) -> Iterator[Wire]:
    for link in root.links.values():
        origin, target = boxes.get(link.origin), boxes.get(link.target)
        if origin is None or target is None or not 0 <= link.origin_slot < len(origin.outputs):
            continue
        saved = root.nodes[link.target].inputs
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


def one_line(value: Any) -> str:
    """Show a value in one line."""
    if isinstance(value, float):
        return f"{value:.1f}" if value.is_integer() else f"{value:.6g}"
    return " ".join(str(value).split())
