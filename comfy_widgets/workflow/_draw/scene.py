"""What there is to draw: boxes and wires; and the scene of a prompt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .._prompt import Prompt, flow_order, is_link, unique_titles, unwrap
from .._specs import NodeSpecs


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
    """A graph to draw. `down` tells that the work flows downwards, not to the right; `title` names a subgraph's."""

    boxes: list[Box]
    wires: list[Wire]
    frames: list[Frame] = field(default_factory=list)
    placed: bool = False
    by_author: bool = False
    down: bool = False
    title: str = ""


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


def one_line(value: Any) -> str:
    """Show a value in one line."""
    if isinstance(value, float):
        return f"{value:.1f}" if value.is_integer() else f"{value:.6g}"
    return " ".join(str(value).split())
