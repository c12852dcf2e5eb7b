"""The way of a preview from the server to the screen: 512 x 512, at 10 and at 200 a second.

In one run, in a bare page in Chromium: how old a preview is when it is painted, from the moment that a server sends it
through client, pump and page; and as the floor how old one is that is sent straight to the page, with nothing before
it. The number of each preview stands in its pixels, so what is measured is what was painted.
"""

from __future__ import annotations

import io
import statistics
import sys
import threading
import time
from pathlib import Path

import comm
from PIL import Image, ImageDraw
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from comfy_widgets import ComfyClient, LivePreview
from comfy_widgets.testing import ScriptedServer, Stage, text_to_image
from scripts.environment import chromium
from tests.browser.direct import Direct
from tests.browser.notebook import launch_arguments

BITS = 11
BLOCK = 32
LIMIT = 60.0
WATCH = """
(canvas, { bits, block }) => {
  const small = new OffscreenCanvas(bits, 1).getContext("2d", { willReadFrequently: true });
  window.painted = [];
  let last = -1;
  new MutationObserver(() => {
    small.drawImage(canvas, 0, 0, bits * block, block, 0, 0, bits, 1);
    const { data } = small.getImageData(0, 0, bits, 1);
    let number = 0;
    for (let bit = 0; bit < bits; bit += 1) if (data[4 * bit] > 127) number += 2 ** bit;
    if (number === last) return;
    last = number;
    requestAnimationFrame(() => setTimeout(() => {
      window.painted.push([number, (performance.timeOrigin + performance.now()) / 1000]);
    }));
  }).observe(canvas, { attributes: true, attributeFilter: ["data-frames"] });
}
"""


def frames(count: int) -> list[bytes]:
    """JPEG images of about the size that ComfyUI sends, each with its number as white and black blocks."""
    noise = Image.effect_noise((64, 64), 60).convert("RGB").resize((512, 512), Image.Resampling.BICUBIC)
    made = []
    for number in range(count):
        image = noise.copy()
        draw = ImageDraw.Draw(image)
        for bit in range(BITS):
            color = "white" if number >> bit & 1 else "black"
            draw.rectangle((bit * BLOCK, 0, (bit + 1) * BLOCK - 1, BLOCK - 1), fill=color)
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=85)
        made.append(stream.getvalue())
    return made


def ages(page: Page, sent: list[float]) -> list[float]:
    """Milliseconds from the sending of each painted preview to its painting."""
    last = len(sent) - 1
    page.wait_for_function("(last) => window.painted.some(([number]) => number === last)", arg=last, timeout=60_000)
    # The first is painted while the page is still starting.
    return [1000 * (at - sent[number]) for number, at in page.evaluate("window.painted") if number > 0]


def open_page(browser: object, direct: Direct, widget: LivePreview) -> Page:
    """Show a preview, and note from then on what is painted."""
    page: Page = browser.new_page(viewport={"width": 700, "height": 700})  # type: ignore[attr-defined]
    page.goto(direct.url(widget, 600))
    page.locator("canvas").evaluate(WATCH, {"bits": BITS, "block": BLOCK}, timeout=60_000)
    return page


def floor(browser: object, direct: Direct, rate: float, images: list[bytes]) -> list[float]:
    """Send previews straight to the page."""
    widget = LivePreview()
    page = open_page(browser, direct, widget)
    sent: list[float] = []

    def send() -> None:
        for seq, image in enumerate(images):
            sent.append(time.time())
            widget.send({"kind": "preview", "run": 1, "seq": seq + 1, "mime": "image/jpeg"}, [image])
            time.sleep(1 / rate)

    thread = threading.Thread(target=send)
    thread.start()
    while thread.is_alive():
        page.wait_for_timeout(50)
    found = ages(page, sent)
    page.close()
    widget.close()
    return found


def whole(browser: object, direct: Direct, rate: float, images: list[bytes]) -> list[float]:
    """Let a server send steps and previews, as ComfyUI does."""
    ready, played = threading.Event(), threading.Event()
    sent: list[float] = []

    def script(stage: Stage) -> None:
        stage.start()
        stage.begin("3")
        ready.wait(60)
        for number, image in enumerate(images):
            sent.append(time.time())
            stage.progress("3", number + 1, len(images) + 1, preview=image)
            time.sleep(1 / rate)
        played.set()
        stage.hang()

    with ScriptedServer() as server, ComfyClient(server.url) as client:
        server.play(script)
        job = client.submit(text_to_image())
        widget = LivePreview(job)
        page = open_page(browser, direct, widget)
        ready.set()
        while not played.is_set():
            page.wait_for_timeout(50)
        found = ages(page, sent)
        page.close()
        widget.close()
        job.cancel()
    return found


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def main() -> int:
    """Print the ages; the exit code tells whether they are within the limit."""
    worst = 0.0
    with sync_playwright() as playwright, Direct().running() as direct:
        comm.create_comm = direct.comm
        browser = playwright.chromium.launch(executable_path=chromium(), args=launch_arguments(), headless=True)
        straight = floor(browser, direct, 10, frames(80))
        floor95, middle = p95(straight), statistics.median(straight)
        print(f"  straight to the page, 10 a second: median {middle:.0f}, 95 % {floor95:.0f} ms")
        for rate, count in ((10, 80), (200, 1200)):
            found = whole(browser, direct, rate, frames(count))
            worst = max(worst, p95(found))
            print(
                f"  through client and pump, {rate} a second: {len(found)} of {count} painted, median "
                f"{statistics.median(found):.0f}, 95 % {p95(found):.0f} ms = {p95(found) / floor95:.1f} times as long"
            )
        browser.close()
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
