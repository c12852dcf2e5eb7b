"""The order of a sweep: the dearest axis outermost against the same cells shuffled, on one server in one run.

36 cells over a graph of four levels (load, encode, sample, upscale) whose nodes take a stated time and whose results
the server keeps for the last prompt, as ComfyUI does. The shuffled cells are sent by a bare loop, two at a time, that
keeps nothing; the sweep also checks, claims and stores.

``python bench/bench_sweep_order.py URL`` takes a server of your own: with the same nodes, where it has them
(``python bench/bench_sweep_order.py --nodes > .../custom_nodes/levels.py`` writes them), else with what its own take.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import Any

from comfy_widgets import ComfyClient, Engine, Workflow, example
from comfy_widgets.experiments import sweep

NODES = """
    import time

    def level(seconds, output=False):
        class Level:
            RETURN_TYPES = () if output else ("STEP",)
            FUNCTION = "run"
            CATEGORY = "bench"
            OUTPUT_NODE = output

            @classmethod
            def INPUT_TYPES(cls):
                return {"required": {"value": ("INT", {"max": 1 << 40})}, "optional": {"before": ("STEP",)}}

            def run(self, value, before=None):
                time.sleep(seconds)
                return {"ui": {"text": [str(value)]}} if output else (value,)

        return Level

    NODE_CLASS_MAPPINGS = {
        "BenchLoader": level(0.2),
        "BenchEncode": level(0.04),
        "BenchSample": level(0.12),
        "BenchUpscale": level(0.02, output=True),
    }
"""


def timed_levels(base: int) -> tuple[Workflow, dict[str, Any]]:
    """Four nodes in a row, and axes of them in an order that somebody might well write."""
    prompt = {
        "1": {"class_type": "BenchLoader", "inputs": {"value": base}},
        "2": {"class_type": "BenchEncode", "inputs": {"value": base, "before": ["1", 0]}},
        "3": {"class_type": "BenchSample", "inputs": {"value": base, "before": ["2", 0]}},
        "4": {"class_type": "BenchUpscale", "inputs": {"value": base, "before": ["3", 0]}},
    }
    axes = {
        "4.value": [base, base + 1],
        "3.value": [base, base + 1, base + 2],
        "2.value": [base, base + 1],
        "1.value": [base, base + 1, base + 2],
    }
    return Workflow.load(prompt), axes


def of_server(client: ComfyClient, base: int) -> tuple[Workflow, dict[str, Any]]:
    """Two models where the server has two, three prompts, three seeds and two prefixes."""
    workflow = example(object_info=client.object_info())
    models = (workflow.bind(client.object_info()).params()["ckpt_name"].choices or ())[:2]
    axes: dict[str, Any] = {
        "filename_prefix": [f"a{base}", f"b{base}"],
        "seed": range(base, base + 3),
        "positive": [f"a {colour} balloon, {base}" for colour in ("red", "blue", "green")],
        "ckpt_name": list(models),
    }
    return workflow, axes


def shuffled(client: ComfyClient, workflows: list[Workflow]) -> float:
    """Seconds of a bare loop with two prompts on the server."""
    started = time.perf_counter()
    jobs: list[Any] = []
    for workflow in workflows:
        jobs.append(client.submit(workflow))
        if len(jobs) > 1:
            jobs[-2].result()
    jobs[-1].result()
    return time.perf_counter() - started


def main() -> int:
    """Print the ratio."""
    if sys.argv[1:] == ["--nodes"]:
        print(textwrap.dedent(NODES))
        return 0
    os.environ["COMFY_WIDGETS_STATE"] = "off"
    url = sys.argv[1] if len(sys.argv) > 1 else None
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        nodes = Path(folder) / "levels.py"
        nodes.write_text(textwrap.dedent(NODES), "utf-8")
        with Engine(custom_nodes=[nodes]) as engine, ComfyClient(url or engine.url) as client:
            for number in range(2):
                fresh = iter(random.sample(range(1, 10**6), 2))
                has_levels = "BenchLoader" in client.object_info()
                make = (lambda _, base: timed_levels(base)) if has_levels else of_server
                workflow, axes = make(client, next(fresh))
                cells = sweep(workflow, axes, client=client, folder=f"{folder}/s{number}", confirm=False).cells
                order = [cell.workflow for cell in cells]
                random.shuffle(order)
                client.free()
                other = shuffled(client, order)
                workflow, axes = make(client, next(fresh))
                client.free()
                started = time.perf_counter()
                run = sweep(workflow, axes, client=client, folder=f"{folder}/o{number}", confirm=True).wait()
                ours = time.perf_counter() - started
                assert run.counts == {"completed": len(run)}, run.counts
                print(f"  {ours:.1f} s in the sweep's order, {other:.1f} s shuffled = {other / ours:.2f}")
                ratios.append(other / ours)
    print(f"shuffled by the dearest axis outermost, median of {len(ratios)}: {statistics.median(ratios):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
