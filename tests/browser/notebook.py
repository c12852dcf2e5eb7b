"""A notebook open in a browser, and what a person does with it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Locator, Page

from .host import Host

SHOTS = Path(__file__).parent / "shots"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

# What the hosts themselves write to the console, seen with a notebook of `1+1`: nobody else may add to it.
HOST_NOISE = (
    "Cannot read properties of undefined (reading 'schema')",
    "Could not restore the debugger state",  # a kernel that is shut down soon after its start
)

# Keys and clicks that come before the kernel is connected and idle get lost.
READY = """async () => {
  const app = window.jupyterapp;
  await app.restored;
  const until = async (look) => {
    for (;;) {
      const seen = look();
      if (seen) return seen;
      await new Promise((again) => setTimeout(again, 50));
    }
  };
  const panel = await until(() => app.shell.currentWidget?.sessionContext && app.shell.currentWidget);
  await panel.context.ready;
  await panel.sessionContext.ready;
  const kernel = await until(() => panel.sessionContext.session?.kernel);
  await kernel.info;
  await until(() => kernel.connectionStatus === "connected" && kernel.status === "idle");
}"""

RUN_CELL = """async (index) => {
  const { commands, shell } = window.jupyterapp;
  shell.currentWidget.content.activeCellIndex = index;
  await commands.execute("notebook:run-cell");
}"""

START_CELL = """(index) => {
  const { commands, shell } = window.jupyterapp;
  shell.currentWidget.content.activeCellIndex = index;
  void commands.execute("notebook:run-cell");
}"""

LAST_CELL = """(text) => window.jupyterapp.shell.currentWidget.content.widgets
  .findIndex(({ model }) => model.type === "code" && model.sharedModel.source.includes(text))"""

FAILED_CELLS = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .filter(({ model }) => model.type === "code" && model.outputs.toJSON().some((out) => out.output_type === "error"))
  .length"""

TRUST = """() => {
  for (const { model } of window.jupyterapp.shell.currentWidget.content.widgets) model.trusted = true;
}"""

SHUT_DOWN = "async () => { await window.jupyterapp?.shell.currentWidget?.sessionContext?.shutdown(); }"


class Notebook:
    """One page with one notebook and one kernel."""

    def __init__(self, host: Host, page: Page) -> None:
        self.host = host
        self.page = page
        self.errors: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._failed(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._failed(f"{message.text} ({message.location.get('url', '')})")

    def _failed(self, text: str) -> None:
        if not any(noise in text for noise in HOST_NOISE):
            self.errors.append(text)

    def open(self, source: Path | Sequence[str], name: str = "test.ipynb") -> None:
        """Put a notebook file, or a notebook of these code cells, into the host's folder and show it."""
        target = self.host.folder / name
        if isinstance(source, Path):
            target.write_bytes(source.read_bytes())
        else:
            target.write_text(json.dumps(notebook_of(source)))
        self.reopen(name)

    def reopen(self, name: str = "test.ipynb") -> None:
        """Load the page anew, as on the next day; wait until the kernel can take a cell."""
        self.page.goto(self.host.address(name))
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        self.page.evaluate(READY)

    def reload(self, name: str = "test.ipynb") -> None:
        """Load the page anew while the kernel goes on, whatever it is doing."""
        self.page.goto(self.host.address(name))
        self.page.evaluate("() => window.jupyterapp.restored")
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for()

    def trust(self) -> None:
        """Let the outputs of a notebook that somebody else has run come to life."""
        self.page.evaluate(TRUST)

    def cell(self, index: int) -> Locator:
        """Return a cell, counted over all cells from 0."""
        return self.page.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{index}']")

    def output(self, index: int) -> Locator:
        """Return what stands under a cell."""
        return self.cell(index).locator(".jp-OutputArea")

    def run(self, index: int) -> None:
        """Run a cell and wait until it is done."""
        self.page.evaluate(RUN_CELL, index)

    def start(self, index: int) -> None:
        """Run a cell and do not wait for it."""
        self.page.evaluate(START_CELL, index)

    def run_through(self, text: str) -> None:
        """Run the cells from the top, one after the other, through the first code that contains `text`."""
        for index in range(self.page.evaluate(LAST_CELL, text) + 1):
            self.run(index)

    def run_all(self) -> bool:
        """Run all cells and wait until the last is done. Return whether none failed."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        return not self.page.evaluate(FAILED_CELLS)

    def restart(self) -> None:
        """Shut the kernel down and start another."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")

    def shut_down(self) -> None:
        """Shut the kernel down, as with the menu."""
        self.page.evaluate(SHUT_DOWN)

    def forgive(self, text: str) -> None:
        """Take back errors that are not ours; there must be one."""
        kept = [error for error in self.errors if text not in error]
        assert len(kept) < len(self.errors), f"no error says {text!r}"
        self.errors = kept

    def save(self) -> None:
        """Save the notebook and wait until it is written."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    @contextmanager
    def theme(self, name: str) -> Iterator[None]:
        """Show the page in the light or the dark theme for a while."""
        self._set_theme(THEMES[name])
        yield
        self._set_theme(THEMES["light"])

    def _set_theme(self, theme: str) -> None:
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        self.page.locator(f"body[data-jp-theme-name='{theme}']").wait_for(state="attached")
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")  # two at a time trip over each other

    def shot(self, name: str, part: Locator | None = None) -> None:
        """Keep a picture of the page, or of a part of it, in both themes."""
        SHOTS.mkdir(exist_ok=True)
        for theme in THEMES:
            with self.theme(theme):
                (part or self.page).screenshot(path=SHOTS / f"{name}-{theme}.png")

    def close(self) -> None:
        """End the kernel and close the page."""
        self.page.evaluate(SHUT_DOWN)
        self.page.close()


def launch_arguments() -> list[str]:
    """Return Chromium's flags: headless in a container, silent, and with nothing but this machine to talk to."""
    flags = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    flags += ["--disable-background-networking", "--disable-component-update"]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        flags.append("--no-sandbox")  # Chromium's sandbox refuses root
    return [*flags, "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost"]


def notebook_of(cells: Sequence[str]) -> dict[str, Any]:
    code: dict[str, Any] = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [{**code, "id": f"cell-{index}", "source": source.strip()} for index, source in enumerate(cells)],
    }
