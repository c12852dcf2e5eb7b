"""What a panel costs: five hundred images, and the way of a preview from the client to the browser.

In one process and one run: how long until 500 images of 512 x 512 are with the browser, beside the time that fetching
their bytes alone takes; what the kernel holds afterwards; and how long a preview waits in Python at 10 and at 200 a
second. The browser is a comm that keeps what it is sent, so painting is not judged here.
"""

from __future__ import annotations

import io
import multiprocessing
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import comm
import requests
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from comfy_widgets import ComfyClient, ComfyPanel
from comfy_widgets.testing import ScriptedServer, standard_run, text_to_image
from comfy_widgets.widgets._pump import Pump
from tests.widgets.page import Page

IMAGES = 500
PREVIEWS = 200
SCREEN = 48
"""Images that are scrolled to."""


def image() -> bytes:
    """An image that PNG makes about as small as a photograph of that size."""
    stream = io.BytesIO()
    noise = Image.effect_noise((64, 64), 60).convert("RGB")
    noise.resize((512, 512), Image.Resampling.BICUBIC).save(stream, "PNG")
    return stream.getvalue()


def resident() -> float:
    """Megabytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def serve(ready: Any, end: Any) -> None:
    """Run a server whose prompts give many images, until the end."""
    with ScriptedServer() as server:
        content = image()
        files = [server.files.put(f"{index:03}.png", content, folder="output") for index in range(IMAGES)]
        server.script = standard_run(outputs={"9": {"images": files}})
        ready.put((server.url, files))
        end.wait()


@contextmanager
def server() -> Iterator[tuple[str, float]]:
    """Yield the address of a server whose prompts give many images, and the seconds that their bytes alone take."""
    context = multiprocessing.get_context("spawn")
    ready, end = context.SimpleQueue(), context.Event()
    # In a process of its own, as every server is.
    process = context.Process(target=serve, args=(ready, end))
    process.start()
    url, files = ready.get()
    started = time.perf_counter()
    with requests.Session() as session:
        for file in files:
            session.get(f"{url}/view", params=file, timeout=60).raise_for_status()
    yield url, time.perf_counter() - started
    end.set()
    process.join()


def many_images() -> None:
    """Print how long many images take, beside their bytes alone."""
    with server() as (url, alone), ComfyClient(url) as client:
        panel = ComfyPanel(text_to_image(), client)
        page = panel.comm
        before, started = resident(), time.perf_counter()
        panel.run()
        page.wait_for(lambda: page.run["phase"] == "done", 600)
        took = time.perf_counter() - started
        page.wait_for(lambda: len(page.images()) == IMAGES, 600)
        whole = time.perf_counter() - started
        scrolled = time.perf_counter()
        last = [item["index"] for item, content in page.images() if not content][-SCREEN:]
        page.say("images", run=1, indices=last)
        page.wait_for(
            lambda: sum(item["index"] in last and bool(data) for item, data in page.images()) == len(last), 60
        )
        scrolled = time.perf_counter() - scrolled
        print(
            f"  {IMAGES} images: done, with those seen first, after {took:.1f} s, {took / alone:.1f} times the bytes "
            f"alone; a place for the last one after {whole:.1f} s, {whole / alone:.1f} times; scrolled to, the last "
            f"{len(last)} come after {scrolled:.2f} s; the kernel grew by {resident() - before:.0f} MB"
        )
        panel.close()


def previews(rate: float) -> None:
    """Print how long a preview waits in Python before it leaves."""
    pump, waits, lock = Pump(), [], threading.Lock()
    came: list[float] = []

    class Widget:
        ending = False

        def flush(self) -> None:
            with lock:
                if came:
                    waits.append(time.perf_counter() - came[-1])
                    came.clear()

    widget = Widget()
    for _ in range(PREVIEWS):
        with lock:
            came.append(time.perf_counter())
        pump.wake(widget)
        time.sleep(1 / rate)
    pump.stop()
    p95 = statistics.quantiles(waits, n=20)[-1]
    print(
        f"  previews at {rate:.0f} a second: {len(waits)} of {PREVIEWS} left, 95 % within {1000 * p95:.1f} ms; "
        f"a fixed beat of 77 ms made them wait {77 / max(1000 * p95, 0.01):.0f} times as long at worst"
    )


def main() -> None:
    """Run both."""
    comm.create_comm = Page
    many_images()
    previews(10)
    previews(200)


if __name__ == "__main__":
    main()
