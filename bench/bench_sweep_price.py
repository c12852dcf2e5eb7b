"""The price that a sweep tells before it runs, against what it then took: twenty sweeps on the embedded engine.

The first sweeps teach it the server's speed. Prints told by taken for each sweep, and how many are within 15 %.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
from typing import Any

from comfy_widgets import ComfyClient, Engine, example
from comfy_widgets.experiments import sweep


def axes(chance: random.Random) -> dict[str, Any]:
    """A sweep as somebody might ask for."""
    return {
        "seed": [chance.getrandbits(40) for _ in range(chance.randint(2, 5))],
        "cfg": [round(chance.uniform(2, 9), 2) for _ in range(chance.randint(1, 3))],
        "steps": chance.choice([8, 12, 20]),
        "width": chance.choice([256, 512]),
        "sampler_name": chance.choice([["euler"], ["euler", "heun"]]),
    }


def main() -> int:
    """Print the ratios."""
    chance = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    ratios = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Engine() as engine,
        ComfyClient(engine.url, journal=False) as client,
    ):
        os.environ["COMFY_WIDGETS_STATE"] = f"{folder}/state"
        for width in (256, 512):
            lesson = {"seed": range(4), "steps": 8, "width": width, "sampler_name": ["euler", "heun"]}
            sweep(example(), lesson, client=client, folder=f"{folder}/lesson{width}").wait()
        for number in range(20):
            started = time.perf_counter()
            run = sweep(example(), axes(chance), client=client, folder=f"{folder}/{number}").wait()
            took = time.perf_counter() - started
            assert run.price.seconds is not None
            ratios.append(run.price.seconds / took)
            print(f"  {len(run):2} cells: told {run.price.seconds:.1f} s, took {took:.1f} s = {ratios[-1]:.2f}")
    within = sum(abs(ratio - 1) <= 0.15 for ratio in ratios)
    print(f"told by taken, median {statistics.median(ratios):.2f}; {within} of {len(ratios)} within 15 %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
