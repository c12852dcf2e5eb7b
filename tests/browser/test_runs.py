"""Several runs of one panel as a person sees them: a queue, what was, and what can be done with each."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .notebook import Notebook
from .panel import PATIENCE, Panel

SHOW = """
from comfy_widgets import ComfyClient, ComfyPanel, example
panel = ComfyPanel(example().with_params(steps=4), client=ComfyClient())
panel
"""

INTERRUPT = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()"

pytestmark = pytest.mark.timeout(400)


def test_runs_queue_up_and_each_can_be_seen_and_used_again(notebook: Notebook) -> None:
    notebook.open([SHOW, "print(panel.params.cfg, len(panel.runs), len(panel.selected))"])
    notebook.run(0)
    panel = Panel(notebook.page)
    panel.expect_status("Ready")
    # One that takes long, one behind it that is cancelled, and two more.
    panel.fill(steps="3000")
    panel.run_button.click()
    expect(panel.cancel_button).to_be_enabled()
    panel.fill(steps="4")
    panel.field("CFG").fill("3")
    panel.run_button.click()
    panel.field("CFG").fill("5")
    panel.root.get_by_label("Number of runs").select_option("2")
    panel.run_button.click()
    queue = panel.root.locator(".queue li")
    expect(queue).to_have_count(4, timeout=PATIENCE)
    expect(queue.nth(1)).to_contain_text("waiting, 1 ahead · CFG 3 → 5")
    notebook.shot("runs-queue", panel.root)
    panel.root.get_by_role("button", name="Cancel run 2", exact=True).click()
    panel.root.get_by_role("button", name="Cancel run 1", exact=True).click()
    panel.expect_status("Done")
    past = panel.root.locator(".past")
    expect(past).to_have_count(4)
    expect(past.locator("img")).to_have_count(2)
    panel.field("CFG").fill("8")
    earlier = panel.root.get_by_role("button", name="Run 3: CFG 5 → 8")
    expect(earlier).to_be_visible(timeout=PATIENCE)
    notebook.shot("runs-strip", panel.root)
    earlier.click()
    expect(earlier).to_have_attribute("aria-pressed", "true")
    panel.root.get_by_role("button", name="Details").click()
    expect(panel.root.locator(".details")).to_contain_text("Positive prompt")
    notebook.shot("runs-details", panel.root)
    panel.root.get_by_role("button", name="Use these values").click()
    expect(panel.field("CFG")).to_have_value("5")
    notebook.run(1)
    expect(notebook.output(1)).to_have_text("5 4 0")


def test_a_cancel_that_a_busy_kernel_does_not_hear_is_told_of(notebook: Notebook) -> None:
    notebook.open([SHOW, "panel.params.steps = 10000\njob = panel.run()\njob.wait()"])
    notebook.run(0)
    panel = Panel(notebook.page)
    panel.expect_status("Ready")
    notebook.start(1)
    expect(panel.status).to_contain_text("step", timeout=PATIENCE)
    panel.cancel_button.click()
    expect(panel.root.get_by_text("The kernel is busy with a cell. Interrupt it to cancel now.")).to_be_visible(
        timeout=PATIENCE
    )
    notebook.page.evaluate(INTERRUPT)
    panel.expect_status("Cancelled")
    expect(panel.root.get_by_text("The kernel is busy")).to_have_count(0)
