"""How long from a slider's move to the image on the screen? A recorded sweep in Chromium, beside a bare canvas.

A replay feels live while this is short. Each move is timed in the browser, from the input event to the second frame
that is drawn after it; the bare canvas only draws an image that is decoded already.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import comm
from playwright.sync_api import Page, sync_playwright

from comfy_widgets import ComfyClient, Engine, ReplaySlider, example, record
from scripts.environment import chromium
from tests.browser.direct import Direct
from tests.browser.notebook import launch_arguments

MOVES = 200
TARGET = 50.0
"""Milliseconds from move to paint, of 95 of 100 moves."""

MOVE = """async ([moves, count]) => {
  const root = document.querySelector(".comfy-widgets").shadowRoot;
  const slider = root.querySelector("input[type=range]");
  const frame = () => new Promise(requestAnimationFrame);
  const times = [];
  for (let move = 0; move < moves; move++) {
    await frame();
    const begun = performance.now();
    slider.value = String((move * 7 + 1) % count);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await frame();
    // A task after a frame runs when that frame has been painted.
    await new Promise((done) => { const c = new MessageChannel(); c.port1.onmessage = done; c.port2.postMessage(0); });
    times.push(performance.now() - begun);
  }
  return times;
}"""

BARE = """async ([moves]) => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 512;
  document.body.append(canvas);
  const images = [];
  for (let index = 0; index < 4; index++) {
    const one = new OffscreenCanvas(512, 512);
    const context = one.getContext("2d");
    context.fillStyle = `hsl(${index * 90} 80% 50%)`;
    context.fillRect(0, 0, 512, 512);
    images.push(await createImageBitmap(one));
  }
  const frame = () => new Promise(requestAnimationFrame);
  const times = [];
  for (let move = 0; move < moves; move++) {
    await frame();
    const begun = performance.now();
    canvas.getContext("2d").drawImage(images[move % 4], 0, 0);
    await frame();
    await new Promise((done) => { const c = new MessageChannel(); c.port1.onmessage = done; c.port2.postMessage(0); });
    times.push(performance.now() - begun);
  }
  canvas.remove();
  return times;
}"""


def p95(times: list[float]) -> float:
    """Return what 95 of 100 do not exceed."""
    return statistics.quantiles(times, n=20)[-1]


def measure(page: Page, count: int) -> tuple[float, float]:
    """Return the p95 of the widget and of the bare canvas, in milliseconds."""
    page.wait_for_function(
        "() => document.querySelector('.comfy-widgets')?.shadowRoot.querySelector('canvas')?.width === 512"
    )
    page.wait_for_timeout(1000)  # all images are decoded
    own: Any = page.evaluate(MOVE, [MOVES, count])
    bare: Any = page.evaluate(BARE, [MOVES])
    return p95(own), p95(bare)


def main() -> int:
    """Record a sweep of 24 images, and slide through it."""
    with (
        TemporaryDirectory() as folder,
        Engine() as engine,
        sync_playwright() as playwright,
        Direct().running() as direct,
    ):
        path = Path(folder) / "sweep.cassette"
        with ComfyClient(engine.url, journal=False) as client, record(path, client):
            for seed in range(24):
                client.run(example(), seed=seed, steps=4)
        comm.create_comm = direct.comm
        slider = ReplaySlider(path)
        browser = playwright.chromium.launch(executable_path=chromium(), args=launch_arguments(), headless=True)
        page = browser.new_page(viewport={"width": 700, "height": 900})
        page.goto(direct.url(slider, 600))
        own, bare = measure(page, 24)
        browser.close()
        size = path.stat().st_size
    print(f"24 images of 512 x 512 in one cassette: {size / 1e6:.2f} MB, {size / 24 / 1e3:.0f} kB each")
    print(f"from move to paint, p95 of {MOVES}: {own:.1f} ms, a bare canvas {bare:.1f} ms, ratio {own / bare:.2f}")
    print(f"target: p95 under {TARGET:.0f} ms: {'kept' if own < TARGET else 'MISSED'}")
    return 0 if own < TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
