"""Nodes for the engine that fail, take their time, or write text, on purpose."""

from __future__ import annotations

import time
from typing import Any

from comfy_widgets.engine import progress


class _Output:
    RETURN_TYPES = ()
    FUNCTION = "run"
    CATEGORY = "test"
    OUTPUT_NODE = True


class Fails(_Output):
    """Raises."""

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802  # the name that ComfyUI asks for
        return {"required": {"message": ("STRING", {"default": "on purpose"})}}

    def run(self, message: str) -> None:
        raise ValueError(message)


class Counts(_Output):
    """Counts slowly."""

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802  # the name that ComfyUI asks for
        return {"required": {"steps": ("INT", {"default": 10, "max": 100_000}), "pause": ("FLOAT", {"default": 0.01})}}

    def run(self, steps: int, pause: float) -> dict[str, Any]:
        for step in range(steps):
            time.sleep(pause)
            progress(step + 1, steps)
        return {"ui": {"text": [f"counted to {steps}"]}}


NODE_CLASS_MAPPINGS = {"Fails": Fails, "Counts": Counts}
