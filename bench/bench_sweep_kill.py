"""A kernel that is killed at random points of a sweep: does every cell have a result, and did any run twice?

For each of twenty points (``python bench/bench_sweep_kill.py 20 500``) a kernel of its own runs a sweep of 500 cells on
a scripted server and is killed with SIGKILL somewhere between two moments of that point's cell: before its claim,
between claim and POST, while it runs, before it is stored. Another kernel then goes on. The server counts.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from comfy_widgets import ComfyClient, resume
from comfy_widgets.testing import ScriptedServer

KERNEL = """
import sys
from comfy_widgets import ComfyClient, sweep
from comfy_widgets.testing import text_to_image
url, folder, cells = sys.argv[1:]
client = ComfyClient(url, journal=False)
sweep(text_to_image(steps=1), seed=range(int(cells)), client=client, folder=folder, confirm=True).wait()
"""


def sent(server: ScriptedServer) -> list[int]:
    """Seeds of all prompts that came whole; a kernel may be killed in the middle of sending one."""
    seeds = []
    for request in server.traffic.select("POST", "/prompt"):
        with suppress(ValueError):
            seeds.append(request.json()["prompt"]["3"]["inputs"]["seed"])
    return seeds


def killed(server: ScriptedServer, folder: Path, cells: int, posts: int) -> None:
    """Run a kernel, and kill it when the server was sent so many prompts, give or take some milliseconds."""
    command = [sys.executable, "-c", KERNEL, server.url, str(folder), str(cells)]
    kernel = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    server.wait_for(lambda: len(sent(server)) >= posts, 120)
    time.sleep(random.uniform(0, 0.02))
    kernel.kill()
    kernel.wait()


def main() -> int:
    """Print what was lost and what ran twice."""
    points, cells = (int(word) for word in (sys.argv[1:3] if len(sys.argv) > 2 else ("20", "500")))
    os.environ["COMFY_WIDGETS_STATE"] = "off"
    lost = twice = adopted = 0
    for posts in sorted(random.sample(range(2, cells - 2), points)):
        with (
            tempfile.TemporaryDirectory() as folder,
            ScriptedServer() as server,
            ComfyClient(server.url, journal=False) as client,
        ):
            killed(server, Path(folder) / "store", cells, posts)
            before = len(sent(server))
            run = resume(Path(folder) / "store", client=client, confirm=False)
            finished = run.price.stored
            run.start().wait(300)
            adopted += before - finished
            runs = Counter(sent(server))
            lost += sum(cell.image is None for cell in run)
            twice += sum(count - 1 for count in runs.values())
            run.close()
        print(f"  killed at {posts:3} of {cells}: {finished} kept, {before - finished} found on the server")
    print(f"{points} kernels killed, {points * cells} cells: {lost} lost, {twice} run twice, {adopted} adopted")
    return int(lost + twice > 0)


if __name__ == "__main__":
    sys.exit(main())
