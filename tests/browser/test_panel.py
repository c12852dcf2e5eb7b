"""The main job, end to end: a workflow goes in, pictures stand in the notebook."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from comfy_widgets.engine import Engine

from .notebook import Notebook
from .panel import PATIENCE, Panel, get

FIRST_NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "01_first_image.ipynb"
BIGGEST_SEED = 2**64 - 1
SHOW = """
from comfy_widgets import ComfyClient, ComfyPanel, example
panel = ComfyPanel(example(), client=ComfyClient())
panel
"""

pytestmark = pytest.mark.timeout(300)


def newest_entry(engine: Engine) -> dict[str, object]:
    """Return what the engine wrote about its last prompt."""
    entry: dict[str, object] = list(get(f"{engine.url}/history").values())[-1]
    return entry


def test_the_first_notebook_from_run_to_pictures(notebook: Notebook) -> None:
    notebook.open(FIRST_NOTEBOOK, "first.ipynb")
    notebook.run_through("ComfyPanel(workflow")
    panel = Panel(notebook.page)
    panel.expect_status("Ready")
    notebook.shot("panel-ready", panel.root)

    panel.watch()
    panel.fill(steps="200")
    panel.run_button.click()
    panel.expect_status("Done")
    expect(panel.pictures).to_have_count(1)
    assert panel.pictures.evaluate("image => image.decode().then(() => image.naturalWidth)") == 512

    frames, bar = panel.seen()
    assert frames >= 3
    assert len(bar) >= 3
    assert bar == sorted(bar), "the bar went back"
    notebook.shot("panel-done", panel.root)
    notebook.shot("notebook-done")


def test_all_cells_of_the_first_notebook_run(notebook: Notebook) -> None:
    notebook.open(FIRST_NOTEBOOK, "first.ipynb")
    assert notebook.run_all(), "a cell failed"


def test_a_long_run_can_be_cancelled(notebook: Notebook, engine: Engine) -> None:
    notebook.open([SHOW])
    notebook.run(0)
    panel = Panel(notebook.page)
    panel.fill(steps="10000")
    panel.run_button.click()
    expect(panel.status).to_have_text(re.compile("step [1-9]"), timeout=PATIENCE)
    expect(panel.run_button).to_be_enabled()
    notebook.shot("panel-running", panel.root)
    panel.cancel_button.click()
    panel.expect_status("Cancelled")
    expect(panel.run_button).to_be_enabled()
    notebook.shot("panel-cancelled", panel.root)
    assert get(f"{engine.url}/queue") == {"queue_running": [], "queue_pending": []}
    assert "execution_interrupted" in str(newest_entry(engine)["status"])


def test_the_biggest_seed_survives_exactly(notebook: Notebook, engine: Engine) -> None:
    notebook.open([SHOW, "print(panel.params.seed, panel.job.prompt['3']['inputs']['seed'])"])
    notebook.run(0)
    panel = Panel(notebook.page)
    panel.fill(seed=str(BIGGEST_SEED))
    panel.run_button.click()
    panel.expect_status("Done")
    prompt = newest_entry(engine)["prompt"]
    assert isinstance(prompt, list)
    assert prompt[2]["3"]["inputs"]["seed"] == BIGGEST_SEED
    notebook.run(1)
    expect(notebook.output(1)).to_have_text(f"{BIGGEST_SEED} {BIGGEST_SEED}")
    expect(panel.field("Seed")).to_have_value(str(BIGGEST_SEED))


def test_a_value_out_of_range_is_told_and_not_sent(notebook: Notebook, engine: Engine) -> None:
    notebook.open([SHOW])
    notebook.run(0)
    panel = Panel(notebook.page)
    before = get(f"{engine.url}/history")
    panel.fill(steps="0")
    expect(panel.field("Steps")).to_have_attribute("aria-invalid", "true")
    panel.run_button.click()
    expect(panel.field("Steps")).to_be_focused()
    expect(panel.root.locator(".message")).to_contain_text("1")
    notebook.shot("panel-out-of-range", panel.root)
    panel.fill(steps="4")
    expect(panel.field("Steps")).to_have_attribute("aria-invalid", "false")
    panel.run_button.click()
    panel.expect_status("Done")
    assert len(get(f"{engine.url}/history")) == len(before) + 1


def test_a_server_that_is_gone_is_told_in_words(notebook: Notebook) -> None:
    with Engine() as own:
        notebook.open([SHOW.replace("ComfyClient()", f"ComfyClient({own.url!r})")])
        notebook.run(0)
        panel = Panel(notebook.page)
        panel.expect_status("Ready")
        own.kill()
        panel.run_button.click()
        expect(panel.alert).to_contain_text(own.url.removeprefix("http://"), timeout=PATIENCE)
        expect(panel.alert).not_to_contain_text("Traceback")
        panel.expect_status("Failed")
        expect(panel.run_button).to_be_enabled()
        notebook.shot("panel-server-gone", panel.root)


def test_the_pictures_are_still_there_on_the_next_day(notebook: Notebook) -> None:
    notebook.open([SHOW])
    notebook.run(0)
    panel = Panel(notebook.page)
    panel.fill(steps="4")
    panel.run_button.click()
    panel.expect_status("Done")
    record = notebook.output(0).locator(".jp-RenderedImage img")
    expect(record).to_be_attached()
    expect(record).to_be_hidden()  # the panel shows the same pictures
    notebook.save()
    notebook.restart()
    notebook.reopen()
    expect(record).to_be_visible()
    assert record.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    expect(notebook.output(0)).to_contain_text("model not found")  # Lab's own words: the kernel is a new one
    notebook.forgive("model not found")
    notebook.shot("notebook-reopened")


def test_a_kernel_that_is_shut_down_is_told(notebook: Notebook) -> None:
    notebook.open([SHOW])
    notebook.run(0)
    panel = Panel(notebook.page)
    panel.expect_status("Ready")
    notebook.shut_down()
    panel.expect_status("The kernel is gone. Run the cell again.")
    expect(panel.run_button).to_be_disabled()
    # Nothing more is heard of the server.
    expect(panel.root.locator(".server")).to_have_attribute("data-ok", "false")


def test_two_views_show_one_panel(notebook: Notebook) -> None:
    notebook.open([SHOW, "panel"])
    notebook.run(0)
    notebook.run(1)
    one, other = Panel(notebook.page, 0), Panel(notebook.page, 1)
    one.fill(steps="5")
    expect(other.field("Steps")).to_have_value("5")
    other.run_button.click()
    for panel in (one, other):
        panel.expect_status("Done")
        expect(panel.pictures).to_have_count(1)
