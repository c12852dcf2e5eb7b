"""Every node: what it says of its inputs, and what it does."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from comfy_widgets.engine import Engine
from comfy_widgets.engine._files import Folders
from comfy_widgets.engine._nodes.core import display_names, node_classes
from comfy_widgets.engine._nodes.registry import Registry

from .wire import entry, submit, view

SHARED = Path(__file__).resolve().parents[3] / "shared"
RECORDED = SHARED / "convert-0.33" / "object_info-0.33.0.json.gz"
OWN_CHOICES = {
    *("ckpt_name", "unet_name", "clip_name", "clip_name1", "clip_name2", "vae_name", "lora_name"),
    *("sampler_name", "scheduler", "image"),
}
CHECKPOINT = "procedural-scenes-64.safetensors"
SOURCES: dict[str, tuple[str, dict[str, Any], int]] = {
    "IMAGE": ("EmptyImage", {"width": 40, "height": 32, "batch_size": 2, "color": 0x4080C0}, 0),
    "MASK": ("SolidMask", {"value": 0.5, "width": 40, "height": 32}, 0),
    "LATENT": ("EmptyLatentImage", {"width": 64, "height": 64, "batch_size": 1}, 0),
    "MODEL": ("CheckpointLoaderSimple", {"ckpt_name": CHECKPOINT}, 0),
    "CLIP": ("CheckpointLoaderSimple", {"ckpt_name": CHECKPOINT}, 1),
    "VAE": ("CheckpointLoaderSimple", {"ckpt_name": CHECKPOINT}, 2),
    "CONDITIONING": ("CLIPTextEncode", {"text": "a cat"}, 0),
    "NOISE": ("RandomNoise", {"noise_seed": 3}, 0),
    "SIGMAS": ("KarrasScheduler", {"steps": 3, "sigma_max": 14.6, "sigma_min": 0.03, "rho": 7.0}, 0),
    "SAMPLER": ("KSamplerSelect", {"sampler_name": "euler"}, 0),
    "GUIDER": ("BasicGuider", {}, 0),
}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return Registry(node_classes(Folders(tmp_path_factory.mktemp("base"))), display_names())


NAMES = sorted(display_names())
OWN = ["EngineLocalWindow"]
"""Nodes that ComfyUI does not have."""


def options(spec: Any) -> dict[str, Any]:
    return dict(spec[1]) if len(spec) > 1 else {}


class Graph:
    """A prompt that is built from what inputs need."""

    def __init__(self, infos: dict[str, Any]) -> None:
        self._infos = infos
        self.prompt: dict[str, Any] = {}

    def add(self, name: str, **given: Any) -> str:
        """Add a node, and before it what its required inputs need; widgets get their defaults."""
        inputs: dict[str, Any] = {}
        for key, spec in self._infos[name]["input"].get("required", {}).items():
            kind, more = spec[0], options(spec)
            choices = kind if isinstance(kind, (list, tuple)) else more.get("options")
            if key in given:
                inputs[key] = given[key]
            elif choices is not None:
                inputs[key] = more.get("default", choices[0] if choices else "")
            elif kind in SOURCES:
                source, values, slot = SOURCES[kind]
                inputs[key] = [self.add(source, **values), slot]
            elif kind == "*":
                inputs[key] = [self.add("PrimitiveInt", value=7), 0]
            else:
                zero = {"INT": 0, "FLOAT": 0.0, "STRING": "text", "BOOLEAN": False}[kind]
                inputs[key] = more.get("default", zero)
        number = str(len(self.prompt) + 1)
        self.prompt[number] = {"class_type": name, "inputs": {**inputs, **given}}
        return number


@pytest.fixture(scope="module")
def infos(engine: Engine) -> dict[str, Any]:
    answer: dict[str, Any] = requests.get(f"{engine.url}/object_info", timeout=30).json()
    return answer


@pytest.mark.parametrize("name", NAMES)
def test_every_node_runs_with_what_its_inputs_name(url: str, infos: dict[str, Any], name: str) -> None:
    graph = Graph(infos)
    given: dict[str, Any] = {}
    if name in ("LoadImage", "LoadImageMask", "LoadImageOutput"):
        made = _saved(url, infos)
        given["image"] = f"{made['filename']} [output]"
    node = graph.add(name, **given)
    if infos[name]["output"] and not infos[name]["output_node"]:
        graph.add("PreviewAny", source=[node, 0])
    done = entry(url, submit(url, graph.prompt))
    assert done["status"]["status_str"] == "success", done["status"]["messages"][-1]


def _saved(url: str, infos: dict[str, Any]) -> dict[str, str]:
    graph = Graph(infos)
    graph.add("SaveImage")
    made: dict[str, str] = next(iter(entry(url, submit(url, graph.prompt))["outputs"].values()))["images"][0]
    return made


@pytest.mark.parametrize("name", OWN)
def test_a_node_of_our_own_is_not_taken_for_one_of_comfyui(registry: Registry, name: str) -> None:
    info = registry.info(name)
    assert (info["python_module"], info["category"]) == ("comfy_widgets.engine", "embedded engine")
    assert "embedded engine" in info["display_name"]
    assert "ComfyUI has no such node" in info["description"]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OWN])
def test_inputs_and_outputs_are_as_recorded(registry: Registry, name: str) -> None:
    if not RECORDED.is_file():
        pytest.skip("the recorded definitions are not beside this repository")
    recorded = _recorded()[name]
    ours = registry.info(name)
    assert list(ours["output"]) == recorded["output"]
    assert ours["output_is_list"] == recorded["output_is_list"]
    for section in ("required", "optional"):
        theirs = recorded["input"].get(section) or {}
        assert list(ours["input"].get(section, {})) == list(theirs)
        for key, spec in theirs.items():
            mine = ours["input"][section][key]
            for bound in ("default", "min", "max", "step", "multiline"):
                if bound in options(mine):
                    assert options(mine)[bound] == options(spec).get(bound), (key, bound)
            if key not in OWN_CHOICES:
                kind = spec[0] if isinstance(spec[0], list) else options(spec).get("options", spec[0])
                own = mine[0] if isinstance(mine[0], list) else options(mine).get("options", mine[0])
                assert own == kind, key


_definitions: dict[str, Any] = {}


def _recorded() -> dict[str, Any]:
    if not _definitions:
        with gzip.open(RECORDED) as file:
            _definitions.update(json.load(file))
    return _definitions


def call(registry: Registry, name: str, **inputs: Any) -> Any:
    """Call a node's function; a single output without its tuple."""
    cls = registry.classes[name]
    output = getattr(cls(), cls.FUNCTION)(**inputs)
    output = output["result"] if isinstance(output, dict) else output
    return output[0] if len(output) == 1 else output


def picture(*shape: int) -> Any:
    return np.random.default_rng(1).random(shape).astype(np.float32)


class TestImages:
    def test_sizes(self, registry: Registry) -> None:
        image = picture(2, 20, 30, 3)
        assert call(registry, "GetImageSize", image=image) == (30, 20, 2)
        assert call(registry, "ImageScaleBy", image=image, upscale_method="area", scale_by=0.5).shape == (2, 10, 15, 3)
        shape = call(registry, "ImageScaleToMaxDimension", image=image, upscale_method="area", largest_size=60).shape
        assert shape == (2, 40, 60, 3)
        pixels = call(registry, "ImageScaleToTotalPixels", image=image, upscale_method="area", megapixels=0.01)
        assert abs(pixels.shape[1] * pixels.shape[2] - 0.01 * 1024 * 1024) < 300
        padded = call(
            registry, "ResizeAndPadImage", image=image, target_width=40, target_height=40, padding_color="white",
            interpolation="area",
        )  # fmt: skip
        assert padded.shape == (2, 40, 40, 3)
        assert padded[:, 0].min() == 1.0

    def test_blends(self, registry: Registry) -> None:
        one, two = picture(1, 8, 8, 3), picture(1, 8, 8, 3)[:, ::-1]

        def blended(mode: str) -> Any:
            return call(registry, "ImageBlend", image1=one, image2=two, blend_factor=1.0, blend_mode=mode)

        assert np.allclose(blended("normal"), two)
        assert np.allclose(blended("multiply"), one * two)
        assert np.allclose(blended("screen"), 1 - (1 - one) * (1 - two), atol=1e-6)
        assert np.allclose(blended("difference"), np.clip(one - two, 0, 1))
        half = call(registry, "ImageBlend", image1=one, image2=two, blend_factor=0.5, blend_mode="normal")
        assert np.allclose(half, (one + two) / 2, atol=1e-6)

    def test_blur_keeps_a_flat_image_and_the_mean(self, registry: Registry) -> None:
        flat = np.full((1, 9, 9, 3), 0.3, np.float32)
        assert np.allclose(call(registry, "ImageBlur", image=flat, blur_radius=3, sigma=2.0), 0.3, atol=1e-6)
        image = picture(1, 40, 40, 3)
        blurred = call(registry, "ImageBlur", image=image, blur_radius=5, sigma=3.0)
        assert abs(blurred.mean() - image.mean()) < 0.01
        assert blurred.std() < image.std() / 3
        assert (
            call(registry, "ImageSharpen", image=blurred, sharpen_radius=3, sigma=2.0, alpha=0.3).std() > blurred.std()
        )

    @pytest.mark.parametrize(("direction", "shape"), [("right", (1, 8, 22, 3)), ("down", (1, 18, 10, 3))])
    def test_stitching(self, registry: Registry, direction: str, shape: tuple[int, ...]) -> None:
        stitched = call(
            registry, "ImageStitch", image1=picture(1, 8, 10, 3), image2=picture(1, 8, 10, 3), direction=direction,
            match_image_size=True, spacing_width=2, spacing_color="red",
        )  # fmt: skip
        assert stitched.shape == shape

    def test_composite_and_alpha(self, registry: Registry) -> None:
        below, above = np.zeros((1, 8, 8, 3), np.float32), np.ones((1, 4, 4, 3), np.float32)
        mask = np.full((1, 4, 4), 0.5, np.float32)
        done = call(
            registry, "ImageCompositeMasked", destination=below, source=above, x=6, y=2, resize_source=False, mask=mask
        )
        assert done[0, 2:6, 6:8].mean() == pytest.approx(0.5)
        assert done.sum() == pytest.approx(0.5 * 4 * 2 * 3)
        joined = call(registry, "JoinImageWithAlpha", image=below, alpha=np.full((1, 8, 8), 0.25, np.float32))
        colours, hidden = call(registry, "SplitImageWithAlpha", image=joined)
        assert colours.shape == (1, 8, 8, 3)
        assert np.allclose(hidden, 0.25)

    def test_turning_and_mirroring(self, registry: Registry) -> None:
        image = picture(1, 4, 6, 3)
        turned = image
        for _ in range(4):
            turned = call(registry, "ImageRotate", image=turned, rotation="90 degrees")
        assert np.array_equal(turned, image)
        once = call(registry, "ImageRotate", image=image, rotation="90 degrees")
        assert np.array_equal(once[0, :, -1], image[0, 0])
        assert np.array_equal(
            call(registry, "ImageFlip", image=image, flip_method="y-axis: horizontally"), image[:, :, ::-1]
        )

    def test_edges(self, registry: Registry) -> None:
        image = np.zeros((1, 40, 40, 3), np.float32)
        image[:, 10:30, 10:30] = 1
        edges = call(registry, "Canny", image=image, low_threshold=0.1, high_threshold=0.3)[0, ..., 0]
        assert edges[20, 8:13].max() == 1
        assert edges[15:25, 15:25].max() == 0
        assert 40 < edges.sum() < 250

    def test_porter_duff_over(self, registry: Registry) -> None:
        red = np.zeros((1, 2, 2, 3), np.float32)
        red[..., 0] = 1
        clear, opaque = np.full((1, 2, 2), 0.25, np.float32), np.zeros((1, 2, 2), np.float32)
        image, mask = call(
            registry, "PorterDuffImageComposite", source=red, source_alpha=clear, destination=1 - red,
            destination_alpha=opaque, mode="SRC_OVER",
        )  # fmt: skip
        assert np.allclose(image[0, 0, 0], [0.75, 0.25, 0.25])
        assert np.allclose(mask, 0)

    @pytest.mark.parametrize(("name", "suffix"), [("SaveAnimatedWEBP", ".webp"), ("SaveAnimatedPNG", ".png")])
    def test_animations(self, url: str, infos: dict[str, Any], name: str, suffix: str) -> None:
        from io import BytesIO

        from PIL import Image

        graph = Graph(infos)
        frames = [graph.add("EmptyImage", width=16, height=16, color=colour) for colour in (0xFF0000, 0x00FF00)]
        both = graph.add("ImageBatch", image1=[frames[0], 0], image2=[frames[1], 0])
        node = graph.add(name, images=[both, 0])
        output = entry(url, submit(url, graph.prompt))["outputs"][node]
        assert output["animated"] == [True]
        assert output["images"][0]["filename"].endswith(suffix)
        with Image.open(BytesIO(view(url, output["images"][0]))) as opened:
            assert getattr(opened, "n_frames", 1) == 2


class TestMasks:
    def test_growing_is_a_square_or_a_diamond(self, registry: Registry) -> None:
        mask = np.zeros((1, 9, 9), np.float32)
        mask[0, 4, 4] = 1
        assert call(registry, "GrowMask", mask=mask, expand=2, tapered_corners=False).sum() == 25
        assert call(registry, "GrowMask", mask=mask, expand=2, tapered_corners=True).sum() == 13
        large = call(registry, "GrowMask", mask=mask, expand=2, tapered_corners=False)
        assert np.array_equal(call(registry, "GrowMask", mask=large, expand=-2, tapered_corners=False), mask)

    @pytest.mark.parametrize(("operation", "value"), [("add", 1.0), ("subtract", 0.0), ("multiply", 0.3), ("xor", 0.0)])
    def test_composite(self, registry: Registry, operation: str, value: float) -> None:
        one, two = np.full((1, 4, 4), 0.6, np.float32), np.full((1, 2, 2), 0.5 if operation == "multiply" else 0.9)
        done = call(registry, "MaskComposite", destination=one, source=two, x=1, y=1, operation=operation)
        assert done[0, 1, 1] == pytest.approx(value, abs=1e-6)
        assert done[0, 0, 0] == pytest.approx(0.6)

    def test_channels(self, registry: Registry) -> None:
        image = picture(1, 3, 3, 3)
        assert np.array_equal(call(registry, "ImageToMask", image=image, channel="green"), image[..., 1])
        assert call(registry, "ImageToMask", image=image, channel="alpha").min() == 1
        flat = np.zeros((1, 2, 2, 3), np.float32)
        flat[0, 0, 0] = (1, 0, 0)
        assert call(registry, "ImageColorToMask", image=flat, color=0xFF0000).tolist() == [[[1, 0], [0, 0]]]


class TestTexts:
    @pytest.mark.parametrize(
        ("name", "inputs", "output"),
        [
            ("StringConcatenate", {"string_a": "a", "string_b": "b", "delimiter": "-"}, "a-b"),
            ("StringReplace", {"string": "cat cat", "find": "cat", "replace": "dog"}, "dog dog"),
            ("StringSubstring", {"string": "abcdef", "start": 1, "end": 3}, "bc"),
            ("StringLength", {"string": "four"}, 4),
            ("CaseConverter", {"string": "a bC", "mode": "Title Case"}, "A Bc"),
            ("StringTrim", {"string": "  x ", "mode": "Left"}, "x "),
            ("StringContains", {"string": "ABC", "substring": "b", "case_sensitive": False}, True),
            ("RegexReplace", {"string": "a1b2", "regex_pattern": r"\d", "replace": "#"}, "a#b#"),
            ("PrimitiveInt", {"value": 5}, 5),
            ("PreviewAny", {"source": [1, 2]}, "[1, 2]"),
        ],
    )
    def test_values(self, registry: Registry, name: str, inputs: dict[str, Any], output: Any) -> None:
        assert call(registry, name, **inputs) == output
