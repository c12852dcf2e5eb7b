"""How long conversion and the first drawing take, against `json.loads` of the same bytes; both measured in this run.

    python bench/bench_convert.py

The workflow is made here: 500 nodes in chains of loader, prompts, sampler and decoder, every tenth node a Reroute. The
object_info is made here too: 4 MB, of classes with the inputs that real ones have. Ratios, not times, are the result.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from comfy_widgets.workflow import Workflow
from comfy_widgets.workflow._convert import to_api_prompt
from comfy_widgets.workflow._specs import NodeSpecs

NODES = 500
OBJECT_INFO_BYTES = 4_000_000
ROUNDS = 15


def definition(name: str, required: dict[str, Any], output: list[str]) -> dict[str, Any]:
    """A node definition as `/object_info` sends it."""
    return {
        "input": {"required": required},
        "input_order": {"required": list(required)},
        "output": output,
        "output_is_list": [False] * len(output),
        "output_name": output,
        "name": name,
        "display_name": name,
        "description": "",
        "python_module": "nodes",
        "category": "bench",
        "output_node": not output,
    }


def make_object_info() -> dict[str, Any]:
    """Definitions of the classes used below, and fillers until the JSON has 4 MB."""
    models = [f"models/family-{index // 10}/checkpoint-{index:04}.safetensors" for index in range(60)]
    seed = {
        "default": 0,
        "min": 0,
        "max": 2**64 - 1,
        "control_after_generate": True,
        "tooltip": "The seed of the noise.",
    }
    steps = {"default": 20, "min": 1, "max": 10000, "tooltip": "The number of steps used in the denoising process."}
    cfg = {"default": 8.0, "min": 0.0, "max": 100.0, "step": 0.1, "round": 0.01, "tooltip": "How strictly to follow."}
    text = ["STRING", {"multiline": True, "dynamicPrompts": True, "tooltip": "The text to be encoded."}]
    sampler = {
        "model": ["MODEL", {"tooltip": "The model used for denoising the input latent."}],
        "seed": ["INT", seed],
        "steps": ["INT", steps],
        "cfg": ["FLOAT", cfg],
        "sampler_name": [["euler", "heun", "dpm_2", "lms", "ddim", "uni_pc"], {}],
        "positive": ["CONDITIONING", {"tooltip": "What to include in the image."}],
        "negative": ["CONDITIONING", {"tooltip": "What to exclude from the image."}],
        "latent_image": ["LATENT", {}],
    }
    info = {
        "Loader": definition("Loader", {"ckpt_name": [models]}, ["MODEL", "CLIP", "VAE"]),
        "Encode": definition("Encode", {"text": text, "clip": ["CLIP"]}, ["CONDITIONING"]),
        "Sampler": definition("Sampler", sampler, ["LATENT"]),
        "Save": definition("Save", {"images": ["LATENT"], "filename_prefix": ["STRING", {"default": "x"}]}, []),
    }
    size = len(json.dumps(info))
    number = 0
    while size < OBJECT_INFO_BYTES:
        name = f"Filler{number}"
        info[name] = definition(name, {**sampler, "lora": [models[: number % 60], {}]}, ["LATENT", "IMAGE"])
        size += len(json.dumps(info[name])) + len(name) + 6
        number += 1
    return info


class Drawing:
    """Collects nodes and links in the form of a UI file."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.links: list[list[Any]] = []

    def add(
        self, node_type: str, values: list[Any], inputs: dict[str, tuple[int, int, str]], outputs: list[str]
    ) -> int:
        """Add a node whose inputs are ``{name: (origin, slot, type)}``."""
        identity = len(self.nodes) + 1
        saved = []
        for slot, (name, (origin, origin_slot, type_name)) in enumerate(inputs.items()):
            self.links.append([len(self.links) + 1, origin, origin_slot, identity, slot, type_name])
            saved.append({"name": name, "type": type_name, "link": len(self.links)})
        node = {
            "id": identity,
            "type": node_type,
            "pos": [identity * 10, 100],
            "size": [315, 262],
            "flags": {},
            "order": identity,
            "mode": 0,
            "inputs": saved,
            "outputs": [{"name": name, "type": name, "links": [], "slot_index": 0} for name in outputs],
            "properties": {"Node name for S&R": node_type, "cnr_id": "comfy-core", "ver": "0.3.64"},
            "widgets_values": values,
        }
        self.nodes.append(node)
        return identity


def make_workflow() -> dict[str, Any]:
    """A UI workflow of 500 nodes."""
    drawing = Drawing()
    prompt = "a photograph of a harbour at dawn, fog over the water, long exposure, muted colours"
    while len(drawing.nodes) < NODES:
        loader = drawing.add("Loader", ["models/family-0/checkpoint-0001.safetensors"], {}, ["MODEL", "CLIP", "VAE"])
        clip = drawing.add("Reroute", [], {"": (loader, 1, "*")}, ["CLIP"])
        texts = [drawing.add("Encode", [prompt], {"clip": (clip, 0, "CLIP")}, ["CONDITIONING"]) for _ in range(2)]
        latent = loader
        for _ in range(5):
            inputs = {
                "model": (loader, 0, "MODEL"),
                "positive": (texts[0], 0, "CONDITIONING"),
                "negative": (texts[1], 0, "CONDITIONING"),
                "latent_image": (latent, 0, "LATENT"),
            }
            latent = drawing.add("Sampler", [1234567890, "randomize", 20, 7.5, "euler"], inputs, ["LATENT"])
        drawing.add("Save", ["bench"], {"images": (latent, 0, "LATENT")}, [])
    return {"version": 0.4, "nodes": drawing.nodes[:NODES], "links": drawing.links, "groups": [], "extra": {}}


def best(*actions: Callable[[], object]) -> list[float]:
    """The shortest of some rounds for each action, in milliseconds of this process's own time.

    The actions take turns, so that what else the machine does meets all of them alike.
    """
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(ROUNDS):
        for action, measured in zip(actions, times, strict=True):
            start = time.process_time()
            action()
            measured.append(time.process_time() - start)
    return [1000 * min(measured) for measured in times]


def main() -> None:
    """Measure and print."""
    info = make_object_info()
    info_bytes, workflow_bytes = json.dumps(info), json.dumps(make_workflow())
    workflow = json.loads(workflow_bytes)

    read, converted = best(lambda: json.loads(workflow_bytes), lambda: to_api_prompt(workflow, info))
    print(f"workflow of {NODES} nodes, {len(workflow_bytes) / 1000:.0f} kB")
    print(f"  convert {converted:.2f} ms, {1000 * converted / NODES:.1f} us a node; json.loads {read:.2f} ms")
    print(f"  ratio {converted / read:.2f}")
    (drawn,) = best(lambda: Workflow.load(workflow, object_info=info).to_svg())
    print(f"  first draw {drawn:.1f} ms; ratio {drawn / read:.1f}")

    read, parsed, opened = best(
        lambda: json.loads(info_bytes), lambda: list(NodeSpecs(info).values()), lambda: NodeSpecs(info)["Sampler"]
    )
    print(f"object_info of {len(info)} classes, {len(info_bytes) / 1e6:.1f} MB")
    print(f"  parse all {parsed:.1f} ms, open and parse one class {opened:.3f} ms; json.loads {read:.1f} ms")
    print(f"  ratio {parsed / read:.2f} for all, {opened / read:.4f} for what a caller waits for")


if __name__ == "__main__":
    main()
