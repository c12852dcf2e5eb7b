"""Ten thousand jobs through one client in one process: nothing lost, nothing doubled, nothing kept.

Prints the memory after the first 500 jobs and at the end, and what is left of threads and sockets after closing. Run by
hand, for it takes minutes: ``python bench/soak.py [jobs] [--faults]``. With ``--faults`` a proxy in between cuts, loses
and drips all the while.
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
from random import Random
from typing import TYPE_CHECKING

from comfy_widgets import ComfyClient
from comfy_widgets.client import Pace
from comfy_widgets.testing import text_to_image

if TYPE_CHECKING:
    from comfy_widgets.testing import FaultProxy, Manner

BATCH = 50


def _serve(pipe: Connection, faults: bool) -> None:
    from comfy_widgets.testing import FaultProxy, ScriptedServer

    with ScriptedServer() as server, FaultProxy(server.url, record=False) as proxy:
        pipe.send(proxy.url if faults else server.url)
        random = Random(7)
        while not pipe.poll(0.2):
            if faults:
                _disturb(proxy, random)
        for fault in proxy.faults:
            fault.lift()
        pipe.recv()
        ids = [body["prompt_id"] for body in server.posted]
        pipe.send((len(ids), len(set(ids))))


def _disturb(proxy: FaultProxy, random: Random) -> None:
    """Make one fault of any kind, and end those before it."""
    for fault in proxy.faults:
        fault.lift()
    routes = [("POST", "/prompt"), ("GET", "/history/*"), ("GET", "/queue"), ("GET", "/view"), ("GET", "/ws")]
    method, path = random.choice(routes)
    breaks: list[Manner] = ["reset", "eof"]
    manner = random.choice(breaks)
    kind = random.randrange(8)
    if kind == 0:
        proxy.lose_reply(method, path, manner=manner)
    elif kind == 1:
        proxy.cut_reply(method, path, after_bytes=1)
    elif kind == 2:
        proxy.slow_body(method, path, bytes_per_second=20)
    elif kind == 3:
        proxy.stall(method, path)
    elif kind == 4:
        proxy.fail("GET", "/history/*", status=random.choice([500, 502, 503]))
    elif kind == 5:
        proxy.fail("POST", "/prompt", status=random.choice([502, 504]), reaches_server=True)
    else:
        proxy.cut_websockets_now(manner if kind == 6 else "deaf")


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
    words, faults = [word for word in sys.argv[1:] if word != "--faults"], "--faults" in sys.argv
    jobs = int(words[0]) if words else 10_000
    here, there = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, faults), daemon=True)
    server.start()
    url = here.recv()
    before, started, at_500, images = sockets(), time.perf_counter(), 0.0, 0
    workflow = text_to_image()
    pace = Pace(poll=0.2, silence=0.5, gone=0.5)
    with ComfyClient(url, journal=False, timeout=5.0, reconnect_interval=0.2, pace=pace) as client:
        for first in range(0, jobs, BATCH):
            batch = [client.submit(workflow, seed=seed) for seed in range(first, first + BATCH)]
            images += sum(len(job.result(300).files) for job in batch)
            del batch
            if first + BATCH == 500:
                at_500 = memory()
        at_end = memory()
    took = time.perf_counter() - started
    here.send(None)
    posted, distinct = here.recv()
    threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("comfy-")]
    print(f"{jobs} jobs in {took:.0f} s: {images} images, {posted} prompts posted, {distinct} distinct")
    print(f"memory after 500: {at_500:.1f} MB, at the end: {at_end:.1f} MB, grown by {at_end - at_500:.1f} MB")
    print(f"left after closing: threads {threads}, sockets {sockets() - before}")
    return int(not (images == posted == distinct == jobs and not threads and at_end - at_500 < 20))


if __name__ == "__main__":
    sys.exit(main())
