"""Indexing a folder of ten thousand PNGs as ComfyUI writes them, for the first time and again.

Prints seconds, and the ratio to reading the bytes of all the files.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from comfy_widgets import example, images


def main() -> int:
    """Print seconds and ratios."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    os.environ["COMFY_WIDGETS_STATE"] = "off"
    with tempfile.TemporaryDirectory() as folder:
        noise = Image.effect_noise((256, 256), 60).convert("RGB")
        for number in range(count):
            info = PngInfo()
            info.add_text("prompt", json.dumps(example().with_params(seed=number, cfg=number % 20).to_prompt()))
            noise.save(Path(folder) / f"ComfyUI_{number:05}_.png", pnginfo=info, compress_level=0)
        started = time.perf_counter()
        for path in Path(folder).iterdir():
            path.read_bytes()
        floor = time.perf_counter() - started
        started = time.perf_counter()
        images(folder)
        first = time.perf_counter() - started
        started = time.perf_counter()
        again = images(folder)
        second = time.perf_counter() - started
        started = time.perf_counter()
        chosen = again.where("cfg > 15 and seed < 5000")
        asked = time.perf_counter() - started
    print(f"{count} PNGs: first {first:.1f} s = {first / floor:.1f} times reading them; again {second:.2f} s")
    print(f"  a question that finds {len(chosen)}: {asked * 1000:.0f} ms; first by again = {first / second:.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
