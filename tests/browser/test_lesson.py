"""A lesson as a learner has it, and what is left of it on the next day."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from comfy_widgets import ComfyClient, DrawingCanvas, NoiseExplorer, ReplaySlider, example, record
from comfy_widgets.engine import Engine
from comfy_widgets.teaching import answers

from .conftest import Show
from .notebook import Notebook
from .panel import PATIENCE

LESSON = """
from comfy_widgets import ComfyClient, ComfyPanel, Lesson, example
from comfy_widgets.teaching import choose
small = example().with_params(width=128, height=128, steps=4)
lesson = Lesson(
    ComfyPanel(small, ComfyClient(), params=["seed"]),
    lock=["seed"],
    title="One or two",
    predict=choose("How many images come?", ["one", "two"], answer=lambda result: len(result.images) - 1, reason="So."),
)
lesson
"""

pytestmark = pytest.mark.timeout(300)


def test_a_prediction_opens_run_and_the_answer_is_there_the_next_day(notebook: Notebook) -> None:
    notebook.open([LESSON])
    notebook.run(0)
    output = notebook.output(0)
    expect(output.get_by_label("Seed", exact=True)).to_be_disabled(timeout=PATIENCE)
    run = output.get_by_role("button", name="Run", exact=True)
    expect(output.get_by_role("button", name="Predict", exact=True)).to_be_visible()
    expect(run).to_have_count(0)
    output.get_by_role("button", name="two").click()
    output.get_by_role("button", name="Predict", exact=True).click()
    run.click(timeout=PATIENCE)
    expect(output.locator(".verdict")).to_contain_text("Not quite: one", timeout=PATIENCE)
    expect(output.locator(".side").first).to_contain_text("You predicted")
    # While the widget is there, the record beside it is double.
    readable = output.locator("div.comfy-widgets-record")
    expect(readable).to_be_hidden()
    notebook.shot("lesson", output)

    # The cell is run again.
    notebook.run(0)
    expect(output.locator(".verdict")).to_contain_text("Not quite: one", timeout=PATIENCE)
    notebook.save()
    (answer,) = answers(notebook.host.folder / "test.ipynb")
    assert (answer["answer"], answer["right"], answer["correct"]) == ("two", "one", False)

    # The next day no kernel knows of it.
    notebook.restart()
    notebook.reopen()
    expect(readable).to_contain_text("Predicted: two. It is: one.", timeout=PATIENCE)
    expect(readable).to_be_visible()
    expect(readable.locator("img")).to_be_visible()
    expect(output).to_contain_text("model not found")  # Lab's own words: the kernel is a new one
    notebook.forgive("model not found")
    saved = json.loads((notebook.host.folder / "test.ipynb").read_text(encoding="utf-8"))
    assert "comfy_widgets_answer" in json.dumps(saved["cells"][0]["outputs"])


def test_a_recorded_sweep_follows_the_slider(show: Show, engine: Engine, tmp_path: Path) -> None:
    with ComfyClient(engine.url, journal=False) as client, record(tmp_path / "sweep.cassette", client):
        for seed in range(3):
            client.run(example(), seed=seed, steps=2, width=128, height=128)
    slider = ReplaySlider(tmp_path / "sweep.cassette")
    page = show(slider, width=500)
    seed = page.get_by_role("slider")
    canvas = page.locator("canvas")
    shown = "canvas => canvas.width > 100 && canvas.toDataURL()"
    page.wait_for_function(
        "() => document.querySelector('.comfy-widgets')?.shadowRoot.querySelector('canvas')?.width > 100"
    )
    images = {canvas.evaluate(shown)}
    for value in ("1", "2"):
        seed.fill(value)
        expect(canvas).to_have_attribute("aria-label", f"seed {value}")
        images.add(canvas.evaluate(shown))
    assert len(images) == 3
    expect(page.locator("output")).to_have_text("2")
    until(page, lambda: slider.value == {"seed": 2})  # the last move is told a moment later
    slider.value = {"seed": 0}
    expect(page.locator("output")).to_have_text("0", timeout=PATIENCE)


def test_noise_is_drawn_in_the_browser(show: Show) -> None:
    explorer = NoiseExplorer(Image.new("RGB", (64, 64), "#404040"))
    page = show(explorer, width=400)
    canvas = page.locator("canvas")
    colours = """canvas => new Set(new Uint32Array(canvas.getContext("2d")
        .getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"""
    page.wait_for_function(
        "() => document.querySelector('.comfy-widgets')?.shadowRoot.querySelector('canvas')?.width === 64"
    )
    assert canvas.evaluate(colours) < 4
    page.get_by_role("slider").fill("0.6")
    expect(page.locator("output")).not_to_have_text(re.compile("= 0$"))
    assert canvas.evaluate(colours) > 1000


def test_a_stroke_is_drawn_and_taken_back(show: Show) -> None:
    canvas = DrawingCanvas(width=128, height=128)
    page = show(canvas, width=400)
    sheet = page.get_by_role("img", name="A drawing of")
    page.wait_for_function(
        "() => document.querySelector('.comfy-widgets')?.shadowRoot.querySelector('canvas')?.width === 128"
    )
    page.get_by_role("button", name="#c0392b").click()
    box = sheet.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    expect(page.get_by_role("img", name="A drawing of 1 stroke")).to_be_visible()
    until(page, lambda: canvas.image.getpixel((48, 64)) == (192, 57, 43))
    assert canvas.image.getpixel((100, 64)) == (255, 255, 255)
    page.get_by_role("button", name="Undo").click()
    until(page, lambda: canvas.image.getpixel((48, 64)) == (255, 255, 255))


def until(page: Page, look: Callable[[], bool]) -> None:
    """Wait until Python knows of what was done in the browser."""
    deadline = time.monotonic() + 60
    while not look():
        assert time.monotonic() < deadline
        page.wait_for_timeout(20)  # lets the page, and with it the test's event loop, go on
