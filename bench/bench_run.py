"""Submit, wait and fetch all images: `ComfyClient.run` against a bare loop that does only that.

The floor is what plain sockets can do: one keep-alive session with a pool, one persistent websocket, an id of its own,
downloads started in parallel as soon as ``executed`` names a file. It checks nothing, survives nothing and reports no
progress. Both take turns in one run against one server, on loopback and through a proxy that delays each way.

Prints a ratio for each case: the median of ours by the median of the floor.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import textwrap
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import requests
import requests.adapters
import websocket
from PIL import Image

from comfy_widgets import ComfyClient, Engine

DELAY = 0.025
SIDE = 768

NODES = """
    import itertools
    from pathlib import Path

    from comfy_widgets.engine import progress

    CONTENT = Path({image!r}).read_bytes()
    OUTPUT = Path({output!r})
    NUMBERS = itertools.count()

    class BenchImages:
        '''Gives images that were encoded before: the server's own work is next to nothing.'''

        RETURN_TYPES = ()
        FUNCTION = "run"
        CATEGORY = "bench"
        OUTPUT_NODE = True

        @classmethod
        def INPUT_TYPES(cls):
            return {{"required": {{"count": ("INT", {{}}), "seed": ("INT", {{"max": 2**64 - 1}})}}}}

        def run(self, count, seed):
            names = [f"bench_{{next(NUMBERS):08}}.png" for _ in range(count)]
            for name in names:
                (OUTPUT / name).write_bytes(CONTENT)
            return {{"ui": {{"images": [{{"filename": n, "subfolder": "", "type": "output"}} for n in names]}}}}

    NODE_CLASS_MAPPINGS = {{"BenchImages": BenchImages}}
"""


def prompt(count: int) -> dict[str, object]:
    """A prompt that was never run before, so that nothing is cached."""
    return {"1": {"class_type": "BenchImages", "inputs": {"count": count, "seed": random.getrandbits(63)}}}


class Floor:
    """The bare loop."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client_id = str(uuid.uuid4())
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.mount("http://", requests.adapters.HTTPAdapter(pool_connections=4, pool_maxsize=16))
        self.socket = websocket.create_connection(
            f"ws{url[4:]}/ws?clientId={self.client_id}", skip_utf8_validation=True, suppress_origin=True
        )
        self.pool = ThreadPoolExecutor(8)

    def run(self, graph: dict[str, object]) -> list[bytes]:
        prompt_id = str(uuid.uuid4())
        body = {"prompt": graph, "client_id": self.client_id, "prompt_id": prompt_id}
        self.session.post(f"{self.url}/prompt", json=body).raise_for_status()
        downloads: list[Future[bytes]] = []
        while True:
            frame = self.socket.recv()
            if not isinstance(frame, str):
                continue
            message = json.loads(frame)
            data = message["data"]
            if data.get("prompt_id") != prompt_id:
                continue
            if message["type"] == "executed":
                downloads += [self.pool.submit(self.view, item) for item in data["output"]["images"]]
            elif message["type"] == "executing" and data["node"] is None:
                return [download.result() for download in downloads]

    def view(self, item: dict[str, str]) -> bytes:
        return self.session.get(f"{self.url}/view", params=item).content

    def close(self) -> None:
        self.socket.close()
        self.session.close()
        self.pool.shutdown()


def ours(client: ComfyClient, graph: dict[str, object]) -> list[bytes]:
    """The same through the client."""
    result = client.run(graph)
    return [result.bytes(file) for file in result.image_files]


def compare(url: str, count: int, rounds: int) -> tuple[float, float]:
    """Median seconds of ours and of the floor, taking turns."""
    floor, client = Floor(url), ComfyClient(url, journal=True)
    took: dict[str, list[float]] = {"ours": [], "floor": []}
    subjects: dict[str, Callable[[dict[str, object]], list[bytes]]] = {
        "ours": lambda graph: ours(client, graph),
        "floor": floor.run,
    }
    try:
        for number in range(rounds + 2):
            for name in random.sample(sorted(subjects), 2):
                graph = prompt(count)
                start = time.perf_counter()
                contents = subjects[name](graph)
                seconds = time.perf_counter() - start
                assert len(contents) == count
                assert all(len(content) > 1000 for content in contents)
                # The first two rounds open connections and warm caches, on both sides.
                if number >= 2:
                    took[name].append(seconds)
    finally:
        floor.close()
        client.close()
    return statistics.median(took["ours"]), statistics.median(took["floor"])


def _proxy(target: str, delay: float, pipe: Connection) -> None:
    from comfy_widgets.testing import FaultProxy

    with FaultProxy(target, delay=delay, record=False) as proxy:
        pipe.send(proxy.url)
        pipe.recv()


@contextmanager
def far_away(target: str) -> Iterator[str]:
    """A proxy in a process of its own, so that it takes nobody's interpreter lock."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_proxy, args=(target, DELAY, there), daemon=True)
    process.start()
    yield here.recv()
    here.send(None)
    process.join(10)


@contextmanager
def bench_engine(side: int = SIDE) -> Iterator[tuple[Engine, int]]:
    """An engine whose one node gives images that were encoded before, and the bytes of each."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        os.environ["COMFY_WIDGETS_STATE"] = str(root / "state")
        (root / "output").mkdir()
        Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(root / "image.png", compress_level=1)
        nodes = root / "bench_nodes.py"
        nodes.write_text(
            textwrap.dedent(NODES.format(image=str(root / "image.png"), output=str(root / "output"))), "utf-8"
        )
        with Engine(custom_nodes=[nodes], output_dir=root / "output") as engine:
            yield engine, (root / "image.png").stat().st_size


def main() -> int:
    """Run all cases and print their ratios."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    with bench_engine() as (engine, size), far_away(engine.url) as far:
        print(f"run and fetch, images of {size / 1e6:.1f} MB; median of {rounds} rounds, ours / floor")
        for where, url in (("loopback", engine.url), (f"+{2 * DELAY * 1000:.0f} ms", far)):
            for count in (1, 16):
                mine, floor = compare(url, count, rounds)
                times = f"{mine * 1000:7.1f} ms / {floor * 1000:7.1f} ms"
                print(f"  {where:9} {count:2} images: {times} = {mine / floor:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
