"""What stays behind: of two hundred runs of one panel, of a cell that is run again, and of images in a saved notebook.

In JupyterLab in Chromium, in one run. Counted are the bytes that the page's JavaScript holds after a garbage
collection, its DOM nodes, the kernel's memory and its widgets. What runs 21 to 40 add stands beside what runs 181 to
200 add, and a panel in a cell that is run again beside a button of ipywidgets, for JupyterLab keeps something of each
output itself. Images are as large as photographs of their size.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from comfy_widgets.testing import ScriptedServer, standard_run
from scripts.environment import chromium
from tests.browser.host import Host, running_host
from tests.browser.notebook import Notebook, launch_arguments
from tests.browser.panel import Panel

RUNS = 200
STEP = 20
RERUNS = 30
IMAGES = 16
BATCH = 4
SETUP = """
import ipywidgets
from comfy_widgets import ComfyClient, ComfyPanel
from comfy_widgets.testing import text_to_image
client, workflow = ComfyClient(), text_to_image()
"""
SHOW = "panel = ComfyPanel(workflow, client)\npanel"
RUN = f"for _ in range({STEP}):\n    panel.run().wait()"
AGAIN = "display(ComfyPanel(workflow, client))"
RUN_AGAIN = "panel = ComfyPanel(workflow, client)\ndisplay(panel)\npanel.run().wait();"
BUTTON = "ipywidgets.Widget.close_all()\ndisplay(ipywidgets.Button())"
# Names of its own would be names of the notebook, and a panel that one of these reaches is kept.
MEASURE = """
def _measure():
    import gc, json, os
    from pathlib import Path
    from ipywidgets.widgets.widget import _instances
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    print(json.dumps([resident, len(_instances)]))
_measure()
del _measure
"""
# Without a cell, of which JupyterLab would keep something each time.
EXECUTE = """async (code) => {
  const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
  let text = "";
  const future = kernel.requestExecute({ code, store_history: false });
  future.onIOPub = ({ content }) => { text += content.text ?? content.evalue ?? ""; };
  await future.done;
  return text;
}"""


@dataclass(frozen=True)
class Held:
    """What page and kernel hold at a moment: megabytes and counts."""

    heap: float
    nodes: int
    kernel: float
    widgets: int

    def __sub__(self, before: Held) -> Held:
        return Held(
            self.heap - before.heap,
            self.nodes - before.nodes,
            self.kernel - before.kernel,
            self.widgets - before.widgets,
        )

    def __str__(self) -> str:
        page = f"page {self.heap:+.2f} MB and {self.nodes:+d} nodes"
        return f"{page}, kernel {self.kernel:+.1f} MB and {self.widgets:+d} widgets"


class Watched:
    """A notebook of these cells after one of imports, whose page and kernel are measured."""

    def __init__(self, notebook: Notebook, *cells: str) -> None:
        self.notebook = notebook
        self._devtools = notebook.page.context.new_cdp_session(notebook.page)
        self._devtools.send("Performance.enable")
        notebook.open([SETUP, *cells])
        notebook.run(0)

    def execute(self, code: str) -> Any:
        """Run code without a cell."""
        return self.notebook.page.evaluate(EXECUTE, code)

    def held(self) -> Held:
        """Measure, when all that can be freed is freed."""
        kernel, widgets = json.loads(self.execute(MEASURE))
        self._devtools.send("HeapProfiler.collectGarbage")
        found = self._devtools.send("Performance.getMetrics")["metrics"]
        metrics = {metric["name"]: metric["value"] for metric in found}
        return Held(metrics["JSHeapUsedSize"] / 1e6, int(metrics["Nodes"]), kernel, widgets)


@contextmanager
def page(browser: Browser, host: Host) -> Iterator[Notebook]:
    """Open a page, and end its kernel with it."""
    notebook = Notebook(host, browser.new_page(viewport={"width": 1280, "height": 1500}))
    notebook.page.set_default_timeout(120_000)
    yield notebook
    notebook.close()


def many_runs(notebook: Notebook) -> None:
    """Print what two hundred runs of one panel leave."""
    watched = Watched(notebook, SHOW)
    notebook.run(1)
    panel = Panel(notebook.page)
    held = []
    for number in range(STEP, RUNS + 1, STEP):
        watched.execute(RUN)
        panel.expect_status("Done")
        panel.root.get_by_role("button", name=f"Run {number}").first.wait_for()
        held.append(watched.held())
    print(f"  {RUNS} runs of one panel, each with {BATCH} images of 1024 x 1024:")
    for number in (1, len(held) // 2, len(held) - 1):
        print(f"    runs {STEP * number + 1} to {STEP * (number + 1)}: {held[number] - held[number - 1]}")


def again(notebook: Notebook, cell: str, words: str) -> None:
    """Print what a cell leaves that makes a widget and is run thirty times."""
    watched = Watched(notebook, cell)
    held = []
    for number in range(RERUNS + 1):
        notebook.run(1)
        notebook.output(1).locator("section.panel, .widget-button").wait_for()
        if number in (0, RERUNS // 2, RERUNS):
            held.append(watched.held())
    first, middle, last = held
    print(f"  {RERUNS} runs of a cell that makes {words}:")
    print(f"    first half {middle - first}")
    print(f"    second half {last - middle}")


def saved(notebook: Notebook) -> None:
    """Print by how much a notebook grows in which large images were made."""
    Watched(notebook, SHOW, "panel.run().wait();")
    file = notebook.host.folder / "test.ipynb"
    notebook.run(1)
    panel = Panel(notebook.page)
    panel.expect_status("Ready")
    notebook.save()
    before = file.stat().st_size
    notebook.run(2)
    panel.expect_status("Done")
    notebook.output(1).locator(".jp-RenderedImage img").wait_for(state="attached")
    notebook.save()
    print(
        f"  {IMAGES} images of 1024 x 1024: the saved notebook grows by {(file.stat().st_size - before) / 1e3:.0f} kB"
    )


def image(size: int) -> bytes:
    """Return an image of which PNG makes about what it makes of a photograph."""
    stream = io.BytesIO()
    small = Image.effect_noise((size // 4, size // 4), 60).convert("RGB")
    small.resize((size, size), Image.Resampling.BICUBIC).save(stream, "PNG")
    return stream.getvalue()


def main() -> None:
    """Run all."""
    with ScriptedServer() as server, sync_playwright() as playwright, TemporaryDirectory() as folder:
        images = [server.files.put(f"{index:02}.png", image(1024), folder="output") for index in range(IMAGES)]
        browser = playwright.chromium.launch(executable_path=chromium(), args=launch_arguments(), headless=True)
        (Path(folder) / "lab").mkdir()
        with running_host("lab", Path(folder) / "lab", {"COMFYUI_URL": server.url}) as host:
            server.script = standard_run(outputs={"9": {"images": images[:BATCH]}})
            with page(browser, host) as notebook:
                many_runs(notebook)
            for cell, words in ((BUTTON, "a button"), (AGAIN, "a panel"), (RUN_AGAIN, "a panel and runs it")):
                with page(browser, host) as notebook:
                    again(notebook, cell, words)
            server.script = standard_run(outputs={"9": {"images": images}})
            with page(browser, host) as notebook:
                saved(notebook)
        browser.close()


if __name__ == "__main__":
    main()
