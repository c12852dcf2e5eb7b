"""Two thousand images in a grid, and five hundred that a run gives: how soon they stand, and whether a page ever stops.

In one run, in a bare page in Chromium: seconds from the page's load until the grid stands and what is seen is
painted, as a multiple of what an empty grid takes; and the tasks of more than 50 ms while all of it is scrolled
through. Of a run, from the press of Run until its images are seen, as a multiple of what a page takes to fetch the
bytes of all its images from the server itself; and the tasks of more than 100 ms meanwhile. Half of the processor's
time may belong to others, so a small multiple counts, not the seconds.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import comm
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench_panel import IMAGES, server

from comfy_widgets import ComfyClient, ComfyPanel, ImageGrid
from comfy_widgets.testing import text_to_image
from scripts.environment import chromium
from tests.browser.direct import Direct
from tests.browser.notebook import launch_arguments
from tests.browser.panel import Panel

COUNT = 2000
WATCH = """() => {
  window.longTasks = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longTasks.push(duration);
  }).observe({ entryTypes: ["longtask"] });
}"""
SCROLL = """(grid) => new Promise((resolve) => {
  const area = [grid, ...(function* up(at) {
    while ((at = at.parentElement ?? at.getRootNode().host ?? null)) yield at;
  })(grid)].find((at) => at.scrollHeight > at.clientHeight + 10) ?? document.scrollingElement;
  let frames = 0;
  const step = () => {
    area.scrollTop += area.clientHeight / 4;
    frames += 1;
    const atEnd = area.scrollTop + area.clientHeight >= area.scrollHeight - 2;
    if (atEnd || frames > 3000) resolve(frames);
    else requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""


def opened(browser: Browser, direct: Direct, grid: ImageGrid) -> tuple[Page, float]:
    """Open a page, and wait until the first image is painted, or the grid is there."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.add_init_script(f"({WATCH})()")
    started = time.perf_counter()
    page.goto(direct.url(grid, 1100))
    if grid.images:
        page.locator(f".grid > :nth-child({len(grid.images)})").wait_for(state="attached", timeout=120_000)
        page.wait_for_function(
            "(image) => image.complete && image.naturalWidth > 0",
            arg=page.locator(".grid img").first.element_handle(timeout=120_000),
        )
    else:
        page.locator(".root > *").first.wait_for(state="attached")
    return page, time.perf_counter() - started


def grid_of(page: Page) -> object:
    return page.locator(".grid").element_handle()


FETCH = """async (count) => {
  const started = performance.now();
  const names = Array.from({ length: count }, (_, index) => `${String(index).padStart(3, "0")}.png`);
  await Promise.all(names.map(async (name) => {
    const answer = await fetch(`/view?filename=${name}&subfolder=&type=output`, { cache: "no-store" });
    await answer.arrayBuffer();
  }));
  return (performance.now() - started) / 1000;
}"""


def run(browser: Browser, direct: Direct) -> None:
    """Print how soon the images of a run are seen in a panel."""
    with server() as (url, _), ComfyClient(url) as client:
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.goto(f"{url}/system_stats")
        alone = page.evaluate(FETCH, IMAGES)
        page.close()
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.add_init_script(f"({WATCH})()")
        page.goto(direct.url(ComfyPanel(text_to_image(), client), 1100))
        panel = Panel(page)
        panel.expect_status("Ready")
        page.evaluate("window.longTasks = []")
        started = time.perf_counter()
        panel.run_button.click()
        panel.expect_status("Done")
        page.wait_for_function(
            "(image) => image.complete && image.naturalWidth > 0", arg=panel.pictures.first.element_handle()
        )
        took = time.perf_counter() - started
        page.locator(f".grid > :nth-child({IMAGES})").wait_for(state="attached", timeout=120_000)
        page.wait_for_timeout(1000)  # whatever still comes
        tasks = [task for task in page.evaluate("window.longTasks") if task > 100]
    print(
        f"  {IMAGES} images of a run are seen after {took:.2f} s, {took / alone:.1f} times their bytes alone; "
        f"{len(tasks)} tasks of more than 100 ms, the longest {max(tasks, default=0):.0f} ms"
    )


def main() -> None:
    """Print what was measured."""
    images = [Image.linear_gradient("L").resize((64, 64)).point(lambda v, k=k: (v + k) % 256) for k in range(COUNT)]
    with sync_playwright() as playwright, Direct().running() as direct:
        comm.create_comm = direct.comm
        browser = playwright.chromium.launch(executable_path=chromium(), args=launch_arguments(), headless=True)
        opened(browser, direct, ImageGrid())[0].close()  # what Chromium does once
        page, empty = opened(browser, direct, ImageGrid())
        page.close()
        page, full = opened(browser, direct, ImageGrid(images))
        opening = page.evaluate("window.longTasks")
        page.evaluate("window.longTasks = []")
        frames = page.locator(".grid").evaluate(SCROLL)
        tasks = page.evaluate("window.longTasks")
        run(browser, direct)
        browser.close()
    longest, multiple = max(opening, default=0), full / empty
    print(
        f"  {COUNT} images stand after {full:.2f} s, {multiple:.1f} times an empty grid; longest task {longest:.0f} ms"
    )
    longest = max(tasks, default=0)
    print(f"  scrolled in {frames} frames: {len(tasks)} tasks of more than 50 ms, the longest {longest:.0f} ms")


if __name__ == "__main__":
    main()
