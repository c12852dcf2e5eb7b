"""Definitions of the nodes that these tests use, and the recordings beside the repository."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .ui_graphs import definition

SHARED = Path(__file__).resolve().parents[3] / "shared"
MEDIA = Path(__file__).parent / "media"
MAX_SEED = 2**64 - 1

SEED = {"default": 0, "min": 0, "max": MAX_SEED, "control_after_generate": True, "tooltip": "Where the noise starts."}
TEXT = ["STRING", {"multiline": True, "dynamicPrompts": True}]
CHECKPOINTS = ["dream-v2.safetensors", "v1-5-pruned-emaonly.safetensors"]

INFO: dict[str, Any] = {
    "CheckpointLoaderSimple": definition(
        {"ckpt_name": [CHECKPOINTS]}, ("MODEL", "CLIP", "VAE"), display_name="Load Checkpoint"
    ),
    "LoraLoader": definition(
        {
            "model": ["MODEL"],
            "clip": ["CLIP"],
            "lora_name": [["ink.safetensors", "wool.safetensors"]],
            "strength_model": ["FLOAT", {"default": 1.0, "min": -100.0, "max": 100.0, "step": 0.01}],
            "strength_clip": ["FLOAT", {"default": 1.0, "min": -100.0, "max": 100.0, "step": 0.01}],
        },
        ("MODEL", "CLIP"),
        display_name="Load LoRA",
    ),
    "CLIPTextEncode": definition(
        {"text": TEXT, "clip": ["CLIP"]}, ("CONDITIONING",), display_name="CLIP Text Encode (Prompt)"
    ),
    "ConditioningCombine": definition(
        {"conditioning_1": ["CONDITIONING"], "conditioning_2": ["CONDITIONING"]}, ("CONDITIONING",)
    ),
    "ConditioningZeroOut": definition({"conditioning": ["CONDITIONING"]}, ("CONDITIONING",)),
    "ControlNetApplyAdvanced": definition(
        {
            "positive": ["CONDITIONING"],
            "negative": ["CONDITIONING"],
            "image": ["IMAGE"],
            "strength": ["FLOAT", {"default": 1.0, "min": 0.0, "max": 10.0}],
        },
        ("CONDITIONING", "CONDITIONING"),
        output_name=["positive", "negative"],
    ),
    "EmptyLatentImage": definition(
        {
            "width": ["INT", {"default": 512, "min": 16, "max": 16384, "step": 8}],
            "height": ["INT", {"default": 512, "min": 16, "max": 16384, "step": 8}],
            "batch_size": ["INT", {"default": 1, "min": 1, "max": 4096}],
        },
        ("LATENT",),
        display_name="Empty Latent Image",
    ),
    "KSampler": definition(
        {
            "model": ["MODEL"],
            "seed": ["INT", SEED],
            "steps": ["INT", {"default": 20, "min": 1, "max": 10000}],
            "cfg": ["FLOAT", {"default": 8.0, "min": 0.0, "max": 100.0, "step": 0.1}],
            "sampler_name": [["euler", "heun", "dpmpp_2m"]],
            "scheduler": [["normal", "karras"]],
            "positive": ["CONDITIONING"],
            "negative": ["CONDITIONING"],
            "latent_image": ["LATENT"],
            "denoise": ["FLOAT", {"default": 1.0, "min": 0.0, "max": 1.0, "step": 0.01}],
        },
        ("LATENT",),
    ),
    "VAEDecode": definition({"samples": ["LATENT"], "vae": ["VAE"]}, ("IMAGE",), display_name="VAE Decode"),
    "VAEEncode": definition({"pixels": ["IMAGE"], "vae": ["VAE"]}, ("LATENT",), display_name="VAE Encode"),
    "LoadImage": definition(
        {"image": [["example.png"], {"image_upload": True}]}, ("IMAGE", "MASK"), display_name="Load Image"
    ),
    "SaveImage": definition(
        {"images": ["IMAGE"], "filename_prefix": ["STRING", {"default": "ComfyUI"}]}, display_name="Save Image"
    ),
    "PrimitiveInt": definition({"value": ["INT", {"min": -(2**63), "max": 2**63}]}, ("INT",), display_name="Int"),
    "PrimitiveStringMultiline": definition({"value": TEXT}, ("STRING",)),
    "BatchImages": definition(
        {"images": ["COMFY_AUTOGROW_V3", {"template": {"input": {"required": {"image": ["IMAGE"]}}, "prefix": "image",
         "min": 2, "max": 3}}]},
        ("IMAGE",),
    ),
    "Resize": definition(
        {
            "image": ["IMAGE"],
            "mode": [
                "COMFY_DYNAMICCOMBO_V3",
                {
                    "options": [
                        {"key": "factor", "inputs": {"required": {"by": ["FLOAT", {"default": 2.0}]}}},
                        {"key": "size", "inputs": {"required": {"width": ["INT", {"default": 64}]}}},
                    ]
                },
            ],
        },
        ("IMAGE",),
    ),
}  # fmt: skip


def text_to_image() -> dict[str, Any]:
    """ComfyUI's default graph, as a fresh API prompt."""
    return {
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dream-v2.safetensors"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768, "batch_size": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "fog", "clip": ["4", 1]}},
        "3": {
            "class_type": "KSampler",
            "inputs": {
                "seed": 7,
                "steps": 20,
                "cfg": 8,
                "sampler_name": "euler",
                "scheduler": "normal",
                "denoise": 1.0,
                "model": ["4", 0],
                "positive": ["6", 0],
                "negative": ["7", 0],
                "latent_image": ["5", 0],
            },
        },
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "out"}},
    }


def hires(prompt: dict[str, Any]) -> dict[str, Any]:
    """The same with a second sampler behind the first."""
    prompt = copy.deepcopy(prompt)
    second = copy.deepcopy(prompt["3"])
    second["inputs"].update(latent_image=["3", 0], seed=99, denoise=0.4)
    # A smaller id than the first one's, so that only the flow tells which comes first.
    prompt["2"] = second
    prompt["8"]["inputs"]["samples"] = ["2", 0]
    return prompt


def recorded_rows(*kinds: str) -> Iterator[dict[str, Any]]:
    """Rows of the recordings of real workflows; the test is skipped where they are absent."""
    folder = SHARED / "convert"
    if not folder.is_dir():
        pytest.skip("the recordings of real workflows are not beside this repository")
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from (row for row in map(json.loads, lines) if not kinds or row["kind"] in kinds)


def recorded_info() -> dict[str, Any]:
    """The definitions of a real server; the test is skipped where they are absent."""
    path = SHARED / "convert" / "object_info-0.8.0.json.gz"
    if not path.is_file():
        pytest.skip("the recorded definitions of a real server are not beside this repository")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        info: dict[str, Any] = json.load(file)
    return info
