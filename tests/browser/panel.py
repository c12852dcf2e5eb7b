"""The panel as a person sees it: by its labels, buttons and words."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from playwright.sync_api import Locator, Page, expect

PATIENCE = 60_000  # milliseconds; generous, as it only bounds a failure

# Notes each picture that the preview's canvas has shown, and each value that the bar has had.
WATCH = """(panel) => {
  const seen = { frames: new Set(), bar: [] };
  let painted = "";
  const look = () => {
    const canvas = panel.querySelector("canvas");
    if (canvas !== null && (canvas.dataset.frames ?? "") !== painted) {
      painted = canvas.dataset.frames ?? "";
      if (painted !== "") seen.frames.add(canvas.toDataURL("image/jpeg"));
    }
    const value = panel.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow");
    if (value && Number(value) !== seen.bar.at(-1)) seen.bar.push(Number(value));
  };
  new MutationObserver(look).observe(panel, { subtree: true, childList: true, attributes: true });
  panel.seen = seen;
}"""


class Panel:
    """One panel on a page; the first, where there are several."""

    def __init__(self, page: Page, number: int = 0) -> None:
        self.root: Locator = page.locator("section.panel").nth(number)
        self.run_button = self.root.get_by_role("button", name="Run", exact=True)
        self.cancel_button = self.root.get_by_role("button", name="Cancel", exact=True)
        self.bar = self.root.get_by_role("progressbar")
        self.status = self.root.locator(".status")
        self.pictures = self.root.locator(".grid img")
        self.alert = self.root.get_by_role("alert")

    def field(self, label: str) -> Locator:
        return self.root.get_by_label(label, exact=True)

    def fill(self, **values: str) -> None:
        """Type values into fields, named by their labels, as a person does: the field is left at the end."""
        for label, value in values.items():
            self.field(label.capitalize()).fill(value)
            self.field(label.capitalize()).blur()

    def watch(self) -> None:
        """Start to note previews and the bar."""
        self.root.evaluate(WATCH)

    def seen(self) -> tuple[int, list[int]]:
        """Return how many different previews were painted, and the values that the bar had, in percent."""
        frames, bar = self.root.evaluate("panel => [panel.seen.frames.size, panel.seen.bar]")
        return frames, bar

    def expect_status(self, words: str) -> None:
        expect(self.status).to_have_text(words, timeout=PATIENCE)


def get(url: str) -> Any:
    """Ask a server, past all of our own code."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)
