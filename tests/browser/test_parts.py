"""The parts of a panel in other places, and its traits observed and linked, as a person sees it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .notebook import Notebook
from .panel import PATIENCE, Panel

PANEL = """
import ipywidgets
from comfy_widgets import ComfyClient, ComfyPanel, ImageGrid, JobProgress, example
panel = ComfyPanel(example().with_params(steps=4), client=ComfyClient())
"""

pytestmark = pytest.mark.timeout(300)


def test_a_form_and_a_gallery_of_one_panel_stand_in_two_boxes_side_by_side(notebook: Notebook) -> None:
    notebook.open(
        [
            PANEL,
            "left = ipywidgets.VBox([panel.form, panel.controls], layout={'width': '50%'})\n"
            "right = ipywidgets.VBox([panel.stage], layout={'width': '50%'})\n"
            "ipywidgets.HBox([left, right])",
            "print(panel.params.steps, panel.status)",
        ]
    )
    notebook.run(0)
    notebook.run(1)
    boxes = notebook.output(1)
    steps = boxes.get_by_label("Steps", exact=True)
    steps.fill("5")
    boxes.get_by_role("button", name="Run", exact=True).click()
    image = boxes.locator(".grid img")
    expect(image).to_have_count(1, timeout=PATIENCE)
    form, shown = steps.bounding_box(), image.bounding_box()
    assert form is not None and shown is not None
    assert shown["x"] > form["x"] + form["width"] - 1
    assert shown["width"] > 200
    expect(boxes.locator(".status")).to_have_text("Done")
    notebook.shot("parts-side-by-side", boxes)
    notebook.run(2)
    expect(notebook.output(2)).to_have_text("5 completed")


def test_images_are_observed_and_linked(notebook: Notebook) -> None:
    notebook.open(
        [
            PANEL + "panel",
            "seen = []\n"
            "panel.observe(lambda change: seen.append(len(change.new)), 'images')\n"
            "grid, bar = ImageGrid(), JobProgress()\n"
            "ipywidgets.dlink((panel, 'images'), (grid, 'images'))\n"
            "ipywidgets.dlink((panel, 'job'), (bar, 'job'))\n"
            "ipywidgets.VBox([bar, grid])",
            "print(seen, panel.images[0].size)",
        ]
    )
    notebook.run(0)
    notebook.run(1)
    panel = Panel(notebook.page)
    for count in range(1, 3):
        panel.fill(seed=str(count))
        panel.run_button.click()
        panel.expect_status("Done")
        second = notebook.output(1)
        expect(second.locator(".grid img")).to_have_count(1, timeout=PATIENCE)
        expect(second.locator(".status")).to_have_text("Done")
    notebook.shot("parts-linked", notebook.output(1))
    notebook.run(2)
    expect(notebook.output(2)).to_have_text("[1, 1] (512, 512)")
