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
    """Entry of ``/object_info`` for a node class.

    Parameters
    ----------
    name : str
        The class, as prompts name it.
    display_name : str
        What the editor calls it.
    required : dict
        Name of an input to its specification: ``["INT", {"default": 1, "min": 1}]``.
    output : tuple of str, default ()
        The types of its outputs.
    output_node : bool, default False
        Whether it gives output for people, so that a prompt may end in it.

    Returns
    -------
    dict
        To be put into `ScriptedServer.object_info`.

    Examples
    --------
    >>> server.object_info["Blur"] = node_info("Blur", "Blur", {"radius": ["INT", {"default": 2}]}, ("IMAGE",))
    >>> client.object_info()["Blur"]["output"]
    ['IMAGE']
    """
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
    """Text to image in API format, with the node ids of ComfyUI's own default workflow.

    Parameters
    ----------
    seed : int, default 0
        Of the KSampler, which is node "3".
    steps : int, default 4
        Of the KSampler.
    batch_size : int, default 1
        How many images node "9", a SaveImage, gives.
    text : str, default "a red circle"
        The positive prompt.

    Returns
    -------
    dict
        Node id to ``class_type`` and ``inputs``; 64 by 64 pixels.

    Examples
    --------
    >>> prompt = text_to_image(seed=7, batch_size=2)
    >>> prompt["3"]["inputs"]["seed"], len(client.run(prompt).images)
    (7, 2)
    """
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
    """Bytes of an image file that depends on nothing but `of`: equal things look equal.

    Parameters
    ----------
    of : object
        Anything that JSON or ``str`` can write.
    kind : str, default "PNG"
        Format of the file, as Pillow names it.
    size : int, default 32
        Width and height in pixels.

    Returns
    -------
    bytes
        The encoded RGB image.

    Examples
    --------
    >>> image("boat") == image("boat"), image("boat") == image("house")
    (True, False)
    """
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
