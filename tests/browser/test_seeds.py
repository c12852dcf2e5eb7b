"""A seed and what becomes of it from run to run, as a person sees and changes it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from comfy_widgets import ComfyClient, ComfyPanel, example
from comfy_widgets.engine import Engine

from .conftest import Show
from .panel import PATIENCE, Panel
from .test_access import FAINT, problems

BIGGEST = 2**64 - 1
NOTE = "Repeats get seeds of their own"

# What lies under an element, or is cut off by the panel.
OVERLAPS = """(note) => {
  const own = note.getBoundingClientRect();
  const room = note.getRootNode().querySelector(".panel").getBoundingClientRect();
  const cut = own.left < room.left || own.right > room.right ? ["cut off"] : [];
  const parts = "button, input, select, textarea, h2, .server, .stage, label";
  return cut.concat([...note.getRootNode().querySelectorAll(parts)].filter((other) => {
    const { left, right, top, bottom, width } = other.getBoundingClientRect();
    return width > 1 && left < own.right && right > own.left && top < own.bottom && bottom > own.top;
  }).map((other) => other.className || other.tagName));
}"""

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def client(engine: Engine) -> Any:
    with ComfyClient(engine.url) as client:
        yield client


def panel_of(client: ComfyClient, name: str = "text_to_image", **values: Any) -> ComfyPanel:
    workflow = example(name, client.object_info())
    return ComfyPanel(workflow.with_params(steps=1, width=64, height=64, **values), client)


def mode_of(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Seed from run to run")


def expect_runs(python: ComfyPanel, one: Panel, seeds: list[int]) -> None:
    """Wait until the runs that were asked for are done, and look at their seeds and at the form's."""
    expect(one.field("Seed")).to_have_value(str(seeds[-1]), timeout=PATIENCE)
    told = one.root.get_by_role("region", name="Runs").locator("strong")
    expect(told).to_have_text(f"Run {len(seeds)}", timeout=PATIENCE)
    assert [run.values["seed"] for run in python.runs] == seeds
    assert python.params.seed == seeds[-1]


def test_a_seed_is_counted_on_by_keyboard_alone(show: Show, client: ComfyClient) -> None:
    python = panel_of(client)
    page = show(python)
    one = Panel(page)
    one.field("Seed").fill("5")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(mode_of(page)).to_be_focused()
    expect(mode_of(page)).to_have_value("fixed")
    page.keyboard.press("i")
    expect(mode_of(page)).to_have_value("increment")
    for count in range(1, 4):
        page.keyboard.press("Control+Enter")
        one.expect_status("Done")
        expect_runs(python, one, [5, 6, 7][:count])
    expect(mode_of(page)).to_be_focused()


def test_several_runs_count_on_and_every_view_has_the_mode(show: Show, client: ComfyClient) -> None:
    python = panel_of(client)
    page = show(python)
    one = Panel(page)
    mode_of(page).select_option("decrement")
    one.field("Seed").fill("5")
    one.field("Number of runs").select_option("3")
    expect(page.get_by_text(NOTE)).to_have_count(0)
    one.run_button.click()
    expect_runs(python, one, [5, 4, 3])
    assert python.seed_modes == {"seed": "decrement"}
    expect(mode_of(show(python.form))).to_have_value("decrement")
    python.seed_modes["seed"] = "randomize"
    expect(mode_of(page)).to_have_value("randomize")


def test_values_of_an_earlier_run_are_used_as_they_are(show: Show, client: ComfyClient) -> None:
    python = panel_of(client, seed=BIGGEST - 1)
    page = show(python)
    one = Panel(page)
    mode_of(page).select_option("increment")
    one.field("Number of runs").select_option("2")
    one.run_button.click()
    expect_runs(python, one, [BIGGEST - 1, BIGGEST])
    one.root.get_by_role("button", name="Run 1:").click()
    one.root.get_by_role("button", name="Use these values").click()
    expect(one.field("Seed")).to_have_value(str(BIGGEST - 1))
    one.field("Number of runs").select_option("1")
    one.run_button.click()
    expect_runs(python, one, [BIGGEST - 1, BIGGEST, BIGGEST - 1])
    expect(mode_of(page)).to_have_value("increment")


def test_an_editors_file_says_the_mode(show: Show, client: ComfyClient) -> None:
    python = panel_of(client, "text_to_image_ui")
    page = show(python)
    one = Panel(page)
    expect(mode_of(page)).to_have_value("randomize")
    expect(one.field("Seed")).to_have_value("42")
    one.run_button.click()
    expect_runs(python, one, [42])
    one.run_button.click()
    expect(one.field("Seed")).not_to_have_value("42", timeout=PATIENCE)
    one.expect_status("Done")
    assert one.field("Seed").input_value() == str(python.runs[1].values["seed"])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 360])
def test_what_several_runs_do_with_a_fixed_seed_is_told(
    show: Show, client: ComfyClient, width: int, theme: str
) -> None:
    python = panel_of(client, seed=5)
    page = show(python, width=width, theme=theme)
    one = Panel(page)
    repeat = one.field("Number of runs")
    before = one.root.bounding_box()
    repeat.select_option("4")
    note = page.get_by_text(NOTE)
    expect(note).to_be_visible()
    expect(repeat).to_have_accessible_description(NOTE)
    # It has its place where nothing else stands, and moves nothing.
    assert one.root.bounding_box() == before
    assert note.evaluate(OVERLAPS) == []
    assert problems(page) == []
    assert page.evaluate(FAINT) == []
    one.run_button.click()
    expect(one.root.get_by_role("button", name="Run 3:")).to_be_visible(timeout=PATIENCE)
    one.expect_status("Done")
    seeds = [run.values["seed"] for run in python.runs]
    assert (seeds[0], len(set(seeds))) == (5, 4)
    expect(one.field("Seed")).to_have_value("5")
    mode_of(page).select_option("randomize")
    expect(note).to_have_count(0)
    assert problems(page) == []
    assert page.evaluate(FAINT) == []
    seed, mode = one.field("Seed").bounding_box(), mode_of(page).bounding_box()
    assert seed is not None and mode is not None
    # Above its seed, at the end of the row, and large enough for a finger.
    assert mode["y"] + mode["height"] <= seed["y"] and mode["x"] > seed["x"] + seed["width"] / 3
    assert mode["height"] >= 24
