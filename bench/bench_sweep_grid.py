"""A grid of 5,000 cells: how soon it is there, whether scrolling stops, what the kernel and a saved page weigh.

The cells are in the store, each with an image of its own, before anything is measured; the images are crops of what
the embedded engine painted. First paint is told as a multiple of what the grid of a sweep of one cell takes, the page
in bytes, the kernel by what it grew. In a bare page in Chromium, without Jupyter between the two halves.
"""

from __future__ import annotations

import io
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import comm
from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.bench_gallery import SCROLL, WATCH
from comfy_widgets import ComfyClient, Engine, SweepGrid, example, sweep
from comfy_widgets.experiments import Experiment
from comfy_widgets.experiments._keep import thumbnail
from comfy_widgets.experiments._store import StoredResult
from scripts.environment import chromium
from tests.browser.direct import Direct
from tests.browser.notebook import launch_arguments

SEEDS, CFGS = 1000, (2, 3, 4, 5, 6)
SIDE = 512


def memory() -> float:
    """MB that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def fill(run: Experiment, painted: list[Image.Image]) -> None:
    """Put a result of its own into the store for each cell."""
    for cell in run.cells:
        image = painted[cell.number % len(painted)]
        shift = cell.number // len(painted)
        image = image.crop((shift, shift, SIDE + shift, SIDE + shift))
        stream = io.BytesIO()
        (ImageOps.mirror(image) if shift % 2 else image).save(stream, "PNG", compress_level=1)
        file = run.store.put_file(stream.getvalue(), f"{cell.number}.png", size=(SIDE, SIDE))
        small = thumbnail(stream.getvalue())
        assert small is not None
        result = StoredResult(cell.key, "completed", seconds=1.0, prompt=cell.prompt, files=(file,))
        run.store.save(result, {file.sha256: small[1]})


def opened(browser: Browser, direct: Direct, grid: SweepGrid) -> tuple[Page, float]:
    """Open a page, and wait until each cell that is in view shows its image."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.add_init_script(f"({WATCH})()")
    started = time.perf_counter()
    page.goto(direct.url(grid, 1100))
    page.wait_for_function(
        """(grid) => {
          const cells = [...grid.querySelectorAll(".cell")];
          return cells.length > 0 && cells.every((cell) => cell.querySelector("img")?.naturalWidth > 0);
        }""",
        arg=page.locator(".sweep").element_handle(timeout=120_000),
        timeout=120_000,
    )
    return page, time.perf_counter() - started


def main() -> None:
    """Print what was measured."""
    with tempfile.TemporaryDirectory() as folder, Engine() as engine, ComfyClient(engine.url, journal=False) as client:
        os.environ["COMFY_WIDGETS_STATE"] = f"{folder}/state"
        large = example().with_params(width=SIDE + 128, height=SIDE + 128, steps=4)
        painted = [client.run(large, seed=seed).images[0].convert("RGB") for seed in range(50)]
        axes = {"seed": range(SEEDS), "cfg": CFGS}
        fill(sweep(example(), axes, client=client, folder=f"{folder}/store", name="large"), painted)
        one = sweep(example(), seed=[1], steps=1, client=client, folder=f"{folder}/one").wait()
        del painted
        before = memory()
        started = time.perf_counter()
        run = sweep(example(), axes, client=client, folder=f"{folder}/store", name="large")
        assert run.counts == {"completed": SEEDS * len(CFGS)}, run.counts
        taken_up = time.perf_counter() - started
        with sync_playwright() as playwright, Direct().running() as direct:
            comm.create_comm = direct.comm
            browser = playwright.chromium.launch(executable_path=chromium(), args=launch_arguments(), headless=True)
            opened(browser, direct, SweepGrid(one))[0].close()  # what Chromium does once
            page, least = opened(browser, direct, SweepGrid(one))
            page.close()
            page, full = opened(browser, direct, SweepGrid(run))
            page.wait_for_timeout(5000)  # the rest of the images arrive
            opening = page.evaluate("window.longTasks")
            page.evaluate("window.longTasks = []")
            frames = page.locator(".sweep .view").evaluate(SCROLL)
            scrolling = page.evaluate("window.longTasks")
            browser.close()
        grown = memory() - before
        saved = run.save(f"{folder}/page.html").stat().st_size
    print(f"  {len(run)} cells taken up from the store in {taken_up:.1f} s")
    print(
        f"  first paint {full:.2f} s, {full / least:.1f} times that of one cell; "
        f"longest task {max(opening, default=0):.0f} ms"
    )
    print(
        f"  scrolled in {frames} frames: {len(scrolling)} tasks of more than 50 ms, "
        f"the longest {max(scrolling, default=0):.0f} ms"
    )
    print(f"  the kernel grew by {grown:.0f} MB; the saved page has {saved / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
