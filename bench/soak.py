"""Ten thousand jobs through one client in one process: nothing lost, nothing doubled, nothing kept.

Prints the memory after the first 500 jobs and at the end, and what is left of threads and sockets after closing. Run by
hand (``python bench/soak.py [jobs]``), for it takes minutes.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

from comfy_widgets import ComfyClient
from comfy_widgets.testing import text_to_image

BATCH = 50


def _serve(pipe: Connection) -> None:
    from comfy_widgets.testing import ScriptedServer

    with ScriptedServer() as server:
        pipe.send(server.url)
        pipe.recv()
        ids = [body["prompt_id"] for body in server.posted]
        pipe.send((len(ids), len(set(ids))))


def memory() -> float:
    """Resident megabytes of this process (Linux)."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def sockets() -> int:
    """How many sockets this process has open (Linux)."""
    return sum(
        str(entry.readlink()).startswith("socket:") for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()
    )


def main() -> int:
    """Run all jobs and print what is left; 1 where something is."""
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    here, there = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(there,), daemon=True)
    server.start()
    url = here.recv()
    before, started, at_500, pictures = sockets(), time.perf_counter(), 0.0, 0
    workflow = text_to_image()
    with ComfyClient(url, journal=False) as client:
        for first in range(0, jobs, BATCH):
            batch = [client.submit(workflow, seed=seed) for seed in range(first, first + BATCH)]
            pictures += sum(len(job.result(300).files) for job in batch)
            del batch
            if first + BATCH == 500:
                at_500 = memory()
        at_end = memory()
    took = time.perf_counter() - started
    here.send(None)
    posted, distinct = here.recv()
    threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("comfy-")]
    print(f"{jobs} jobs in {took:.0f} s: {pictures} pictures, {posted} prompts posted, {distinct} distinct")
    print(f"memory after 500: {at_500:.1f} MB, at the end: {at_end:.1f} MB, grown by {at_end - at_500:.1f} MB")
    print(f"left after closing: threads {threads}, sockets {sockets() - before}")
    return int(not (pictures == posted == distinct == jobs and not threads and at_end - at_500 < 20))


if __name__ == "__main__":
    sys.exit(main())
