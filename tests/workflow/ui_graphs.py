"""Small UI workflows, drawn in a line or two each, and the definitions they need."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"

SEED = {"default": 0, "min": 0, "max": 2**64 - 1, "control_after_generate": True}
STEPS = {"default": 20, "min": 1, "max": 10000}


def definition(
    required: dict[str, Any] | None = None,
    outputs: tuple[str, ...] = (),
    optional: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A node definition as `/object_info` sends it; a node without outputs is an output node."""
    inputs: dict[str, Any] = {"required": required or {}}
    if optional:
        inputs["optional"] = optional
    return {
        "input": inputs,
        "input_order": {section: list(specs) for section, specs in inputs.items()},
        "output": list(outputs),
        "output_name": list(outputs),
        "output_is_list": [False] * len(outputs),
        "output_node": not outputs,
        "display_name": None,
        **more,
    }


INFO: dict[str, Any] = {
    "Model": definition({"name": [["a.safetensors", "b.safetensors"]]}, ("MODEL", "CLIP", "VAE")),
    "Text": definition({"text": ["STRING", {"multiline": True, "dynamicPrompts": True}], "clip": ["CLIP"]}, ("COND",)),
    "Sampler": definition(
        {
            "model": ["MODEL"],
            "seed": ["INT", SEED],
            "steps": ["INT", STEPS],
            "positive": ["COND"],
            "name": [["euler", "heun"], {"default": "heun"}],
        },
        ("LATENT",),
    ),
    "Image": definition({"width": ["INT", {"default": 64}], "height": ["INT", {"default": 64}]}, ("IMAGE",)),
    "Invert": definition({"image": ["IMAGE"]}, ("IMAGE",)),
    "Blend": definition(
        {"image": ["IMAGE"], "mask": ["MASK"], "factor": ["FLOAT", {"default": 0.5}]}, ("MASK", "IMAGE")
    ),
    "Save": definition(
        {"images": ["IMAGE"], "filename_prefix": ["STRING", {"default": "ComfyUI"}]}, display_name="Save It"
    ),
    "Any": definition({"source": ["*"]}),
}


class Drawing:
    """A scope under construction: the root graph or a subgraph definition."""

    def __init__(self, first_id: int = 1) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.links: list[list[Any]] = []
        self.first_id = first_id

    def node(
        self,
        node_type: str,
        values: Any = None,
        inputs: dict[str, Any] | None = None,
        outputs: tuple[str, ...] = (),
        *,
        widget_inputs: dict[str, Any] | None = None,
        **more: Any,
    ) -> int:
        """Add a node and return its id.

        ``inputs`` is ``{name: (origin, slot, type) or type}``; ``widget_inputs`` the same for inputs that are widgets.
        Origin -10 is a subgraph's input.
        """
        identity = more.pop("id", self.first_id + len(self.nodes))
        saved = []
        for table, is_widget in ((inputs, False), (widget_inputs, True)):
            for name, source in (table or {}).items():
                item: dict[str, Any] = {"name": name, "type": source if isinstance(source, str) else source[2]}
                item["link"] = (
                    None
                    if isinstance(source, str)
                    else self.link(source[0], source[1], identity, len(saved), source[2])
                )
                if is_widget:
                    item["widget"] = {"name": name}
                saved.append(item)
        node = {
            "id": identity,
            "type": node_type,
            "mode": 0,
            "order": len(self.nodes),
            "inputs": saved,
            "properties": {},
        }
        node["outputs"] = [{"name": name, "type": name, "links": []} for name in outputs]
        if values is not None:
            node["widgets_values"] = values
        self.nodes.append({**node, **more})
        return int(identity)

    def link(self, origin: Any, slot: int, target: Any, target_slot: int, type_name: str) -> int:
        """Add a link and return its id."""
        self.links.append([len(self.links) + 1, origin, slot, target, target_slot, type_name])
        return len(self.links)

    def root(self, *definitions: dict[str, Any], **more: Any) -> dict[str, Any]:
        """The whole workflow."""
        return {
            "version": 0.4,
            "nodes": self.nodes,
            "links": self.links,
            "definitions": {"subgraphs": list(definitions)},
            **more,
        }

    def subgraph(
        self, identity: str, inputs: dict[str, str], outputs: dict[str, tuple[int, int, str]], **more: Any
    ) -> dict[str, Any]:
        """A definition: ``inputs`` is ``{name: type}``, ``outputs`` ``{name: (origin, slot, type)}``."""
        for index, (origin, slot, type_name) in enumerate(outputs.values()):
            self.link(origin, slot, -20, index, type_name)
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        links = [dict(zip(keys, link, strict=True)) for link in self.links]

        def port(name: str, type_name: str, end: str, slot: str, border: int, index: int) -> dict[str, Any]:
            ids = [link["id"] for link in links if link[end] == border and link[slot] == index]
            return {"id": f"{identity}-{name}", "name": name, "type": type_name, "linkIds": ids}

        return {
            "id": identity,
            "name": f"The {identity}",
            "nodes": self.nodes,
            "links": links,
            "inputs": [
                port(name, type_name, "origin_id", "origin_slot", -10, index)
                for index, (name, type_name) in enumerate(inputs.items())
            ],
            "outputs": [
                port(name, source[2], "target_id", "target_slot", -20, index)
                for index, (name, source) in enumerate(outputs.items())
            ],
            **more,
        }


def inputs_of(prompt: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The inputs of each node."""
    return {identity: node["inputs"] for identity, node in prompt.items()}


def recordings(*parts: str) -> Path:
    """A file of the recordings; the test is skipped where they are absent."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"recordings are not here: {Path(*parts)}")
    return path


def recorded_object_info(*parts: str) -> dict[str, Any]:
    """`/object_info` of the server that the workflows were recorded with; by default ComfyUI 0.8.0's."""
    with gzip.open(recordings(*(parts or ("convert", "object_info-0.8.0.json.gz"))), "rt") as file:
        info: dict[str, Any] = json.load(file)
    return info


def recorded_rows(*parts: str) -> Iterator[dict[str, Any]]:
    """The recorded workflows of one file."""
    with gzip.open(recordings(*parts), "rt") as file:
        for line in file:
            yield json.loads(line)
