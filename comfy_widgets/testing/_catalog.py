"""The nodes a scripted server knows, and the workflow and images it makes: just enough of ComfyUI to be believed."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

from PIL import Image

Prompt = dict[str, dict[str, Any]]

_SEED = {"default": 0, "min": 0, "max": 2**64 - 1, "control_after_generate": True, "tooltip": "The random seed."}
_SIZE = {"default": 512, "min": 16, "max": 16384, "step": 8}
_TEXT = {"multiline": True, "dynamicPrompts": True}


def node_info(
    name: str,
    display_name: str,
    required: dict[str, Any],
    output: tuple[str, ...] = (),
    *,
    output_node: bool = False,
) -> dict[str, Any]:
    """Entry of ``/object_info`` for a node class (protocol: `/object_info`, node info keys)."""
    return {
        "input": {"required": required},
        "input_order": {"required": list(required)},
        "output": list(output),
        "output_is_list": [False] * len(output),
        "output_name": list(output),
        "name": name,
        "display_name": display_name,
        "description": "",
        "python_module": "nodes",
        "category": "testing",
        "output_node": output_node,
    }


def object_info() -> dict[str, Any]:
    """Fresh ``/object_info`` of the classes that the usual workflows are made of."""
    infos = (
        node_info(
            "CheckpointLoaderSimple",
            "Load Checkpoint",
            {"ckpt_name": [["model.safetensors", "other.safetensors"], {"tooltip": "The checkpoint to load."}]},
            ("MODEL", "CLIP", "VAE"),
        ),
        node_info(
            "CLIPTextEncode",
            "CLIP Text Encode (Prompt)",
            {"text": ["STRING", _TEXT], "clip": ["CLIP", {}]},
            ("CONDITIONING",),
        ),
        node_info(
            "EmptyLatentImage",
            "Empty Latent Image",
            {
                "width": ["INT", _SIZE],
                "height": ["INT", _SIZE],
                "batch_size": ["INT", {"default": 1, "min": 1, "max": 4096}],
            },
            ("LATENT",),
        ),
        node_info(
            "KSampler",
            "KSampler",
            {
                "model": ["MODEL", {}],
                "seed": ["INT", _SEED],
                "steps": ["INT", {"default": 20, "min": 1, "max": 10000}],
                "cfg": ["FLOAT", {"default": 8.0, "min": 0.0, "max": 100.0, "step": 0.1, "round": 0.01}],
                "sampler_name": [["euler", "heun"], {}],
                "scheduler": [["normal", "karras"], {}],
                "positive": ["CONDITIONING", {}],
                "negative": ["CONDITIONING", {}],
                "latent_image": ["LATENT", {}],
                "denoise": ["FLOAT", {"default": 1.0, "min": 0.0, "max": 1.0, "step": 0.01}],
            },
            ("LATENT",),
        ),
        node_info("VAEDecode", "VAE Decode", {"samples": ["LATENT", {}], "vae": ["VAE", {}]}, ("IMAGE",)),
        node_info(
            "SaveImage",
            "Save Image",
            {"images": ["IMAGE", {}], "filename_prefix": ["STRING", {"default": "ComfyUI"}]},
            output_node=True,
        ),
        node_info("PreviewImage", "Preview Image", {"images": ["IMAGE", {}]}, output_node=True),
        node_info("LoadImage", "Load Image", {"image": [["example.png"], {"image_upload": True}]}, ("IMAGE", "MASK")),
        node_info("PreviewAny", "Preview Any", {"source": ["*", {}]}, output_node=True),
    )
    return {info["name"]: info for info in infos}


def text_to_image(*, seed: int = 0, steps: int = 4, batch_size: int = 1, text: str = "a red circle") -> Prompt:
    """Text to image in API form, with the node ids of ComfyUI's own default workflow."""
    return {
        "3": {
            "class_type": "KSampler",
            "inputs": {
                "seed": seed,
                "steps": steps,
                "cfg": 7.0,
                "sampler_name": "euler",
                "scheduler": "normal",
                "denoise": 1.0,
                "model": ["4", 0],
                "positive": ["6", 0],
                "negative": ["7", 0],
                "latent_image": ["5", 0],
            },
            "_meta": {"title": "KSampler"},
        },
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": batch_size}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": text, "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["4", 1]}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "test", "images": ["8", 0]}},
    }


def image(of: object, *, kind: str = "PNG", size: int = 32) -> bytes:
    """Bytes of an image that depends on nothing but `of`: equal things look equal."""
    digest = hashlib.sha256(json.dumps(of, sort_keys=True, default=str).encode()).digest()
    pixels = Image.frombytes("RGB", (2, 2), digest[:12]).resize((size, size), Image.Resampling.NEAREST)
    target = io.BytesIO()
    pixels.save(target, kind)
    return target.getvalue()


def sources(prompt: Prompt, node_id: str) -> list[str]:
    """Ids of the nodes that feed this one."""
    values = prompt[node_id].get("inputs", {}).values()
    return [value[0] for value in values if isinstance(value, list) and len(value) == 2 and value[0] in prompt]


def execution_order(prompt: Prompt, outputs: list[str]) -> list[str]:
    """Ids of the nodes that these outputs need, each after those that feed it."""
    order: list[str] = []

    def visit(node_id: str, path: tuple[str, ...]) -> None:
        if node_id not in order and node_id not in path:
            for source in sources(prompt, node_id):
                visit(source, (*path, node_id))
            order.append(node_id)

    for node_id in outputs:
        visit(node_id, ())
    return order
