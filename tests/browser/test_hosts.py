"""The main path in the front ends that are not JupyterLab: Notebook 7, Voila, an app made of a notebook, and marimo."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from comfy_widgets.engine import Engine

from . import hub
from .host import STARTUP, TOKEN, Host
from .notebook import Notebook, notebook_of
from .panel import PATIENCE, Panel

SHOW = """
from comfy_widgets import ComfyClient, ComfyPanel, example
panel = ComfyPanel(example(), client=ComfyClient(), history="runs")
panel
"""
APP = """
import marimo
app = marimo.App()

@app.cell
def _():
    from comfy_widgets import ComfyClient, ComfyPanel, example
    panel = ComfyPanel(example(), client=ComfyClient(), history="runs")
    panel
    return

if __name__ == "__main__":
    app.run()
"""
# What these hosts write to the console by themselves: pages of other releases of Jupyter, and a CDN out of reach.
NOISE = ("shared module", "ERR_NAME_NOT_RESOLVED", "Connection lost", "WebSocket", "ERR_CONNECTION_REFUSED")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Open pages; in the end their consoles must be free of errors that are not the host's."""
    pages: list[Page] = []
    errors: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(noise in message.text for noise in NOISE):
            errors.append(message.text)

    def make(url: str) -> Page:
        page = browser.new_page(viewport={"width": 1280, "height": 1200})
        page.set_default_timeout(PATIENCE)
        page.on("console", heard)
        page.on("pageerror", lambda error: errors.append(str(error)))
        pages.append(page)
        page.goto(url)
        return page

    yield make
    for page in pages:
        page.close()
    assert not errors, "\n".join(errors)


@contextmanager
def marimo(folder: Path, engine: Engine) -> Iterator[str]:
    """Serve `APP` as an app of its own, with nothing of the user's settings; yield its address."""
    app = folder / "app.py"
    app.write_text(APP)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")}
    command = [sys.executable, "-m", "marimo", "run", str(app), f"--port={port}", "--host=127.0.0.1"]
    log = folder / "marimo.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--headless", "--no-token"],
            cwd=folder,
            env={**os.environ, **own, "COMFYUI_URL": engine.url},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}/"
        end = time.monotonic() + STARTUP
        while True:
            try:
                urllib.request.urlopen(f"{url}health", timeout=5).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"marimo did not start:\n{log.read_text()[-4000:]}") from None
                time.sleep(0.05)
        yield url
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def drive(page: Page) -> None:
    """Run with a seed that counts on, ask for new lists, look at the picture, and find it in the history of runs."""
    panel = Panel(page)
    panel.expect_status("Ready")
    panel.fill(steps="4", seed="41")
    panel.field("Seed from run to run").select_option("increment")
    for seed in ("41", "42"):
        panel.run_button.click()
        expect(panel.root.get_by_text(f"Run {int(seed) - 40}", exact=True).first).to_be_visible()
        panel.expect_status("Done")
        expect(panel.field("Seed")).to_have_value(seed)
    panel.root.get_by_role("button", name="Refresh lists").click()
    expect(panel.root.get_by_text("Nothing new.")).to_be_visible()
    expect(panel.pictures).to_have_count(1)
    panel.pictures.click()
    large = panel.root.get_by_role("dialog")
    expect(large).to_be_visible()
    page.keyboard.press("Escape")
    expect(large).to_be_hidden()
    panel.root.get_by_role("button", name="History").click()
    row = panel.root.get_by_role("region", name="History").get_by_role("listitem").first
    expect(row.locator("img")).to_be_visible()
    row.get_by_role("button", name="a red balloon").click()
    expect(panel.root.get_by_text("Earlier run")).to_be_visible()
    expect(panel.pictures).to_have_count(1)


def test_it_works_in_notebook_7(page_on: Callable[[Host], Notebook], notebook7: Host) -> None:
    notebook = page_on(notebook7)
    notebook.open([SHOW])
    notebook.run(0)
    drive(notebook.page)


def test_it_works_in_voila(open_page: Callable[[str], Page], lab: Host) -> None:
    (lab.folder / "app.ipynb").write_text(json.dumps(notebook_of([SHOW])))
    drive(open_page(f"{lab.url}/voila/render/app.ipynb?token={TOKEN}"))


def test_it_works_in_jupyterhub_behind_a_prefix(browser: Browser, engine: Engine, tmp_path: Path) -> None:
    pytest.importorskip("jupyterhub", reason="JupyterHub is not installed; make hosts tries it")
    if hub.proxy() is None:
        pytest.skip("configurable-http-proxy is not installed; make hosts tries it")
    with hub.running_hub(tmp_path, {"COMFYUI_URL": engine.url}) as url:
        context = browser.new_context(viewport={"width": 1280, "height": 1200})
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(url)
        page.get_by_label("Username").fill(hub.PERSON)
        page.get_by_label("Password").fill("any")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**/user/{hub.PERSON}/lab**")
        notebook = Notebook(Host("lab", f"{url}user/{hub.PERSON}", tmp_path), page)
        notebook.open([SHOW])
        notebook.run(0)
        drive(page)
        assert notebook.errors == []
        context.close()


def test_papermill_runs_a_notebook_that_keeps_its_images(engine: Engine, tmp_path: Path) -> None:
    papermill = pytest.importorskip("papermill", reason="papermill is not installed; make hosts tries it")
    code = "panel.params.seed = seed\npanel.params.steps = 2\npanel.run().wait(120)"
    cells = notebook_of(["seed = 1", SHOW, code])
    cells["cells"][0]["metadata"] = {"tags": ["parameters"]}
    (tmp_path / "in.ipynb").write_text(json.dumps(cells))
    done = papermill.execute_notebook(
        str(tmp_path / "in.ipynb"),
        str(tmp_path / "out.ipynb"),
        parameters={"seed": 7},
        progress_bar=False,
        cwd=str(tmp_path),
    )
    shown = [output["data"] for cell in done.cells for output in cell.get("outputs", []) if "data" in output]
    assert any(mime.startswith("image/") for data in shown for mime in data)
    assert any("Seed: 7" in data.get("text/plain", "") for data in shown), shown


def test_it_works_in_marimo(open_page: Callable[[str], Page], engine: Engine, tmp_path: Path) -> None:
    with marimo(tmp_path, engine) as url:
        page = open_page(url)
        drive(page)
        page.reload()
        drive(page)
