"""A pack of test nodes for the engine, with the names and inputs of the pack in the recorded traffic."""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
from PIL import Image

from comfy_widgets.engine import ExecutionBlocker, GraphBuilder, check_interrupted, progress, progress_text

Inputs = dict[str, dict[str, Any]]
SEED = ("INT", {"default": 0, "min": 0, "max": 2**64 - 1})


def pictures(count: int, width: int, height: int, seed: int) -> Any:
    return np.random.default_rng(seed).random((count, height, width, 3), dtype=np.float32)


class LabImages:
    RETURN_TYPES = ("IMAGE", "MASK")
    FUNCTION = "run"
    CATEGORY = "lab"

    @classmethod
    def inputs(cls) -> Inputs:
        return {
            "required": {
                "count": ("INT", {"default": 4, "min": 1, "max": 1000}),
                "width": ("INT", {"default": 64, "min": 8, "max": 8192}),
                "height": ("INT", {"default": 64, "min": 8, "max": 8192}),
                "seed": SEED,
            }
        }

    INPUT_TYPES = inputs

    def run(self, count: int, width: int, height: int, seed: int) -> Any:
        return pictures(count, width, height, seed), np.zeros((count, height, width), np.float32)


class LabImageList(LabImages):
    OUTPUT_IS_LIST = (True, False)

    def run(self, count: int, width: int, height: int, seed: int) -> Any:
        return [pictures(1, width + 8 * n, height, seed + n) for n in range(count)], np.zeros((1, 8, 8), np.float32)


class LabFail:
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    CATEGORY = "lab"

    @classmethod
    def inputs(cls) -> Inputs:
        return {
            "required": {
                "message": ("STRING", {"default": "boom"}),
                "kind": (["ValueError", "KeyError", "MemoryError", "SystemExit", "PIL"],),
                "after_seconds": ("FLOAT", {"default": 0.0, "min": 0.0, "max": 60.0}),
                "enabled": ("BOOLEAN", {"default": True}),
            },
            "optional": {"image": ("IMAGE",)},
        }

    INPUT_TYPES = inputs

    def run(self, message: str, kind: str, after_seconds: float, enabled: bool, image: Any = None) -> Any:
        if kind == "PIL":
            raise Image.UnidentifiedImageError(message)
        if kind == "SystemExit":
            sys.exit(message)
        raise {"ValueError": ValueError, "KeyError": KeyError, "MemoryError": MemoryError}[kind](message)


class LabProgress:
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    CATEGORY = "lab"

    @classmethod
    def inputs(cls) -> Inputs:
        return {
            "required": {
                "steps": ("INT", {"default": 10, "min": 1, "max": 100000}),
                "rate": ("FLOAT", {"default": 20.0, "min": 0.1, "max": 10000.0}),
                "preview_every": ("INT", {"default": 1, "min": 0, "max": 1000}),
                "seed": SEED,
            }
        }

    INPUT_TYPES = inputs

    def run(self, steps: int, rate: float, preview_every: int, seed: int) -> Any:
        for step in range(steps):
            time.sleep(1 / rate)
            shown = preview_every and step % preview_every == 0
            progress(step + 1, steps, Image.new("RGB", (32, 32), "teal") if shown else None)
        return (pictures(1, 16, 16, seed),)


class LabSleep:
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    CATEGORY = "lab"

    @classmethod
    def inputs(cls) -> Inputs:
        return {"required": {"seconds": ("FLOAT", {"default": 1.0}), "interruptible": ("BOOLEAN", {}), "seed": SEED}}

    INPUT_TYPES = inputs

    def run(self, seconds: float, interruptible: bool, seed: int) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.01)
            if interruptible:
                check_interrupted()
        return (pictures(1, 16, 16, seed),)


class LabText:
    RETURN_TYPES = ("STRING",)
    FUNCTION = "run"
    CATEGORY = "lab"
    OUTPUT_NODE = True

    @classmethod
    def inputs(cls) -> Inputs:
        return {
            "required": {"text": ("STRING", {"default": "hello", "multiline": True})},
            "optional": {"any_in": ("*", {"forceInput": True})},
        }

    INPUT_TYPES = inputs

    def run(self, text: str, any_in: Any = None) -> Any:
        progress_text("working")
        return {"ui": {"text": [text, "line two: äöü ✓"]}, "result": (text,)}


class LabBadUi(LabText):
    def run(self, text: str, any_in: Any = None) -> Any:
        return {"ui": {"text": [object()]}, "result": (text,)}


class LabValidate:
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    CATEGORY = "lab"

    @classmethod
    def inputs(cls) -> Inputs:
        return {"required": {"even": ("INT", {"default": 2, "min": 0, "max": 100})}}

    @classmethod
    def check(cls, even: int) -> bool | str:
        return True if even % 2 == 0 else "must be even"

    INPUT_TYPES = inputs
    VALIDATE_INPUTS = check

    def run(self, even: int) -> Any:
        return (pictures(1, 16, 16, even),)


class LabBlock:
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    CATEGORY = "lab"

    @classmethod
    def inputs(cls) -> Inputs:
        return {"required": {"message": ("STRING", {"default": ""}), "seed": SEED}}

    INPUT_TYPES = inputs

    def run(self, message: str, seed: int) -> Any:
        return (ExecutionBlocker(message or None),)


class LabAlways:
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    CATEGORY = "lab"

    @classmethod
    def inputs(cls) -> Inputs:
        return {"required": {"size": ("INT", {"default": 32, "min": 8, "max": 512})}}

    @classmethod
    def changed(cls, size: int) -> float:
        return float("nan")

    INPUT_TYPES = inputs
    IS_CHANGED = changed

    def run(self, size: int) -> Any:
        return (pictures(1, size, size, 1),)


class LabExpand:
    """Is replaced by a graph: a node that counts, and if asked for one that fails or one that shows."""

    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    CATEGORY = "lab"

    @classmethod
    def inputs(cls) -> Inputs:
        more = {"fail": ("BOOLEAN", {"default": False}), "show": ("BOOLEAN", {}), "depth": ("INT", {"default": 0})}
        return {"required": {"steps": ("INT", {"default": 3}), "seed": SEED}, "optional": more}

    INPUT_TYPES = inputs

    def run(self, steps: int, seed: int, fail: bool = False, show: bool = False, depth: int = 0) -> Any:
        graph = GraphBuilder()
        if depth:
            inner = graph.node("LabExpand", steps=steps, seed=seed, depth=depth - 1)
        else:
            inner = graph.node("LabProgress", steps=steps, rate=1000.0, preview_every=1, seed=seed)
        result = inner.out(0)
        if fail:
            inputs = {"message": "inside the expansion", "kind": "ValueError", "after_seconds": 0.0, "enabled": True}
            result = graph.node("LabFail", image=result, **inputs).out(0)
        if show:
            graph.node("PreviewImage", images=result)
        return {"result": (result,), "expand": graph.finalize()}


class LabExpandTaken(LabExpand):
    """Takes an id that is taken."""

    def run(self, steps: int, seed: int, **more: Any) -> Any:
        return {"result": (["1", 0],), "expand": {"1": {"class_type": "LabImages", "inputs": {"count": 1}}}}


class LabSwitch:
    """Computes only one of its inputs."""

    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    CATEGORY = "lab"

    @classmethod
    def inputs(cls) -> Inputs:
        images = {"first": ("IMAGE", {"lazy": True}), "second": ("IMAGE", {"lazy": True})}
        return {"required": {"use_first": ("BOOLEAN", {}), **images}}

    INPUT_TYPES = inputs

    def check_lazy_status(self, use_first: bool, first: Any, second: Any) -> list[str]:
        wanted = ("first", first) if use_first else ("second", second)
        return [wanted[0]] if wanted[1] is None else []

    def run(self, use_first: bool, first: Any, second: Any) -> Any:
        return (first if use_first else second,)


NODE_CLASS_MAPPINGS = {
    cls.__name__: cls
    for cls in (
        LabImages,
        LabImageList,
        LabFail,
        LabProgress,
        LabSleep,
        LabText,
        LabBadUi,
        LabValidate,
        LabBlock,
        LabAlways,
        LabExpand,
        LabExpandTaken,
        LabSwitch,
    )
}
