"""The history of a panel as a person uses it: runs of another kernel are found, shown, used again and deleted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from comfy_widgets import ComfyClient, ComfyPanel, Result, example
from comfy_widgets.engine import Engine
from comfy_widgets.experiments import RunHistory

from .conftest import Show
from .notebook import Notebook
from .panel import PATIENCE, Panel

SHOW = """
from comfy_widgets import ComfyClient, ComfyPanel, example
panel = ComfyPanel(example().with_params(steps=2, width=64, height=64), client=ComfyClient(), history="my runs")
panel
"""
MANY = 10_000

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def result(engine: Engine) -> Result:
    with ComfyClient(engine.url) as client:
        result = client.run(example(), width=64, height=64, steps=2)
        result.images  # noqa: B018 - fetched before the client is closed
        content = result.bytes()
        return replace(result, fetch=lambda file: content)


@pytest.fixture
def fill(result: Result, tmp_path: Path) -> Callable[..., Path]:
    """Puts runs into a folder; the last but two has a prompt of its own."""

    def put(count: int) -> Path:
        history = RunHistory(tmp_path / "runs")
        with history.store.database.transaction():
            for number in range(1, count + 1):
                prompt = "<b>a yellow submarine</b>" if number == count - 2 else f"prompt number {number}"
                history.add(
                    replace(result, prompt_id=f"prompt-{number}"),
                    title="Text to image",
                    started=1.7e9 + 60 * number,
                    finished=1.7e9 + 60 * number + 5,
                    values={"positive": prompt, "cfg": 3.0, "seed": number},
                    details=[("Positive prompt", prompt, ""), ("CFG", "3.0", ""), ("Seed", str(number), "")],
                    count=1,
                )
        history.close()
        return tmp_path / "runs"

    return put


@pytest.fixture
def client(engine: Engine) -> Iterator[ComfyClient]:
    with ComfyClient(engine.url) as client:
        yield client


def test_a_run_is_there_again_in_another_kernel(notebook: Notebook) -> None:
    notebook.open([SHOW, "print(panel.params.cfg, panel.params.positive, len(panel.history))"])
    notebook.run(0)
    panel = Panel(notebook.page)
    panel.expect_status("Ready")
    panel.field("CFG").fill("3")
    panel.field("Positive prompt").fill("a boat by night")
    panel.run_button.click()
    panel.expect_status("Done")
    history = panel.root.get_by_role("button", name="History")
    expect(history).to_have_text("History 1")
    notebook.restart()
    notebook.reopen()
    notebook.run(0)
    panel.expect_status("Ready")
    history.click()
    row = panel.root.get_by_role("button", name="a boat by night")
    expect(row).to_contain_text("CFG 3 → 7")
    row.click()
    expect(panel.pictures).to_have_count(1, timeout=PATIENCE)
    expect(panel.root.get_by_text("Earlier run")).to_be_visible()
    panel.root.locator(".chosen").get_by_role("button", name="Use these values").click()
    expect(panel.field("CFG")).to_have_value("3")
    panel.root.get_by_role("button", name="Details").click()
    expect(panel.root.locator(".details")).to_contain_text("a boat by night")
    notebook.run(1)
    expect(notebook.output(1)).to_have_text("3 a boat by night 1")
    # A new run takes the place of the one that is shown.
    panel.run_button.click()
    panel.expect_status("Done")
    expect(panel.root.get_by_text("Earlier run")).to_have_count(0)
    expect(history).to_have_text("History 2")


def test_ten_thousand_runs_are_scrolled_and_searched(
    show: Show, client: ComfyClient, fill: Callable[..., Path]
) -> None:
    page = show(ComfyPanel(example(), client, history=fill(MANY)))
    panel = Panel(page)
    panel.root.get_by_role("button", name="History 10,000").click()
    rows = panel.root.get_by_role("listitem")
    expect(rows.get_by_role("button", name="prompt number 10000")).to_be_visible()
    expect(rows.locator("img").first).to_be_visible()
    assert rows.count() < 40
    expect(rows.first).to_have_attribute("aria-setsize", str(MANY))
    panel.root.locator(".scroll").evaluate("list => list.scrollTo(0, list.scrollHeight)")
    expect(rows.get_by_role("button", name="prompt number 1,")).to_be_visible()
    panel.root.locator(".scroll").evaluate("list => list.scrollTo(0, list.scrollHeight / 2)")
    expect(rows.get_by_role("button", name="prompt number 4999")).to_be_visible()
    panel.root.get_by_label("Search the history").fill('"number 1234"')
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("prompt number 1234")
    panel.root.get_by_label("Search the history").fill("SUBMARINE")
    # Markup in a prompt is text.
    expect(rows).to_contain_text("<b>a yellow submarine</b>")
    panel.root.get_by_label("Search the history").fill("dinosaur")
    expect(panel.root.get_by_text("Nothing found")).to_be_visible()
    panel.root.get_by_label("Search the history").fill("")
    expect(rows.get_by_role("button", name="prompt number 10000")).to_be_visible()


def test_the_keyboard_goes_through_the_rows(show: Show, client: ComfyClient, fill: Callable[..., Path]) -> None:
    page = show(ComfyPanel(example(), client, history=fill(100)))
    panel = Panel(page)
    panel.root.get_by_role("button", name="History").click()
    panel.root.get_by_label("Search the history").focus()
    rows = panel.root.get_by_role("listitem")
    expect(rows.first).to_contain_text("prompt number 100")
    page.keyboard.press("ArrowDown")
    for number in range(100, 60, -1):
        name = "submarine" if number == 98 else f"prompt number {number},"
        expect(panel.root.get_by_role("button", name=name)).to_be_focused()
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(panel.root.locator('[aria-current="true"]')).to_contain_text("prompt number 61")
    expect(panel.pictures).to_have_count(1, timeout=PATIENCE)


def test_runs_are_starred_and_deleted(show: Show, client: ComfyClient, fill: Callable[..., Path]) -> None:
    widget = ComfyPanel(example(), client, history=fill(5))
    page = show(widget)
    panel = Panel(page)
    panel.root.get_by_role("button", name="History").click()
    panel.root.get_by_role("button", name="submarine").click()
    expect(panel.pictures).to_have_count(1, timeout=PATIENCE)
    expect(panel.root.get_by_role("checkbox", name="Select")).to_have_count(1, timeout=PATIENCE)
    panel.root.locator("button.tile").focus()
    page.keyboard.press("s")
    expect(panel.root.locator("button.tile")).to_have_accessible_name(re.compile("starred"))
    panel.root.get_by_role("button", name="Only starred").click()
    rows = panel.root.get_by_role("listitem")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("submarine")
    delete = panel.root.get_by_role("button", name="Delete the run of")
    delete.click()
    expect(panel.root.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    delete.click()
    panel.root.get_by_role("button", name="Delete", exact=True).click()
    expect(panel.root.get_by_text("Nothing found")).to_be_visible()
    panel.root.get_by_role("button", name="Only starred").click()
    expect(rows).to_have_count(4)
    expect(panel.root.get_by_role("button", name="History")).to_have_text("History 4")
    expect(panel.pictures).to_have_count(0)
    assert widget.history is not None and len(widget.history) == 4


def test_an_empty_folder_says_what_it_is_for(show: Show, client: ComfyClient, tmp_path: Path) -> None:
    page = show(ComfyPanel(example(), client, history=tmp_path / "nothing yet"))
    panel = Panel(page)
    panel.root.get_by_role("button", name="History").click()
    expect(panel.root.get_by_text("Runs will be kept in nothing yet")).to_be_visible()
    panel.fill(steps="2")
    panel.run_button.click()
    expect(panel.root.get_by_role("region", name="History").get_by_role("listitem")).to_have_count(1, timeout=PATIENCE)
