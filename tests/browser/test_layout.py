"""What stands where, in a panel of any width, whatever a run gives."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from comfy_widgets import ComfyClient, ComfyPanel, ImageGrid, JobProgress, Workflow, example
from comfy_widgets.engine import Engine

from .conftest import Show
from .panel import PATIENCE, Panel

LONG = "Sampler of the second pass with a very long title that somebody has given it " * 3
PLACES = """(root) => Object.fromEntries(
  [...root.querySelectorAll(".stage, .prompts, .buttons, .outcome, .settings, .eta, .status, header")]
    .map((part) => [part.className.split(" ").at(-1) || "header", part.getBoundingClientRect().toJSON()]))"""
CUT = """(root) => [...root.querySelectorAll("button, input, select, textarea, .stage, .status, h2")]
  .filter((part) => {
    const { left, right, width } = part.getBoundingClientRect();
    const room = root.getBoundingClientRect();
    return width > 0 && getComputedStyle(part).clipPath === "none" && (left < room.left - 1 || right > room.right + 1);
  })
  .map((part) => part.className || part.tagName)"""


@pytest.fixture(scope="module")
def client(engine: Engine) -> Any:
    with ComfyClient(engine.url) as client:
        yield client


def titled(title: str, **values: Any) -> Workflow:
    """The example, with this title on its sampler."""
    prompt = example().with_params(**values).to_prompt()
    for node in prompt.values():
        if node["class_type"] == "KSampler":
            node["_meta"] = {"title": title}
    return Workflow.load(prompt)


def tiles(page: Page) -> list[dict[str, float]]:
    """The places of all tiles."""
    boxes: list[dict[str, float]] = page.locator(".tile").evaluate_all(
        "tiles => tiles.map((tile) => tile.getBoundingClientRect().toJSON())"
    )
    return boxes


@pytest.mark.parametrize("width", [1100, 720, 460, 340])
def test_nothing_is_cut_off_or_moved_by_a_long_title(show: Show, client: ComfyClient, width: int) -> None:
    panel = ComfyPanel(titled(LONG, steps=10_000), client, title="A title of " + "many words " * 8)
    page = show(panel, width=width)
    one = Panel(page)
    one.expect_status("Ready")
    assert one.root.evaluate(CUT) == []
    before = one.root.evaluate(PLACES)
    one.run_button.click()
    expect(one.status).to_have_text(re.compile("step [1-9]"), timeout=PATIENCE)
    expect(one.root.locator(".eta")).to_contain_text("left", timeout=PATIENCE)
    assert one.root.evaluate(CUT) == []
    after = one.root.evaluate(PLACES)
    for name in ("stage", "buttons", "prompts"):
        assert after[name] == before[name], name
    # Under the stage, what is told of runs may grow.
    assert after["outcome"]["width"] == before["outcome"]["width"]
    assert after["eta"]["right"] <= after["outcome"]["right"] + 1
    one.cancel_button.click()
    one.expect_status("Cancelled")


def test_a_title_keeps_its_distance_from_the_buttons_and_its_own_direction(show: Show, client: ComfyClient) -> None:
    arabic = "صورة من المرحلة الثانية " * 3
    panel = ComfyPanel(titled(arabic, steps=10_000, positive=arabic), client, title="x" * 200)
    page = show(panel)
    one = Panel(page)
    one.run_button.click()
    expect(one.status).to_have_text(re.compile("step [1-9]"), timeout=PATIENCE)
    title, cancel = one.root.locator("h2").bounding_box(), one.cancel_button.bounding_box()
    assert title is not None and cancel is not None
    assert title["x"] + title["width"] + 8 <= cancel["x"]
    # The first letter stands at the right end, of a text that is shortened, too.
    first = """(element) => {
      const range = document.createRange();
      range.setStart(element.firstChild, 0);
      range.setEnd(element.firstChild, 1);
      return element.getBoundingClientRect().right - range.getBoundingClientRect().right;
    }"""
    assert 0 <= one.status.evaluate(first) < 10
    assert one.field("Positive prompt").evaluate("(field) => getComputedStyle(field).unicodeBidi") == "plaintext"
    one.cancel_button.click()
    one.expect_status("Cancelled")


@pytest.mark.parametrize(("width", "is_wide"), [(1100, True), (600, False), (360, False)])
def test_prompt_run_and_image_are_in_reading_order(show: Show, client: ComfyClient, width: int, is_wide: bool) -> None:
    page = show(ComfyPanel(example(), client), width=width)
    one = Panel(page)
    one.expect_status("Ready")
    places = one.root.evaluate(PLACES)
    if is_wide:
        assert places["outcome"]["left"] >= places["settings"]["right"]
        assert places["buttons"]["bottom"] <= places["outcome"]["top"]
        # Cancel, which is not seen yet, leaves no gap beside Run.
        page.locator(".repeat").wait_for(timeout=PATIENCE)
        repeat, run = page.locator(".repeat").bounding_box(), one.run_button.bounding_box()
        assert repeat is not None and run is not None
        assert 0 <= run["x"] - (repeat["x"] + repeat["width"]) <= 16
    else:
        order = [places[name] for name in ("header", "prompts", "buttons", "outcome", "settings")]
        assert all(one["bottom"] <= other["top"] for one, other in pairwise(order))
        one.field("Negative prompt").focus()
        page.keyboard.press("Tab")
        expect(one.run_button).to_be_focused()


@pytest.mark.parametrize(
    ("count", "size"), [(1, (64, 64)), (3, (128, 64)), (8, (64, 64)), (16, (64, 64)), (16, (64, 128))]
)
def test_a_few_images_fill_the_stage_and_end_with_it(
    show: Show, client: ComfyClient, count: int, size: tuple[int, int]
) -> None:
    width, height = size
    panel = ComfyPanel(example().with_params(batch_size=count, steps=1, width=width, height=height), client)
    page = show(panel)
    one = Panel(page)
    one.run_button.click()
    one.expect_status("Done")
    expect(one.pictures).to_have_count(count)
    stage = one.root.evaluate(PLACES)["stage"]
    assert max(tile["bottom"] for tile in tiles(page)) == pytest.approx(stage["bottom"], abs=1.5)
    assert max(tile["right"] for tile in tiles(page)) == pytest.approx(stage["right"], abs=1.5)
    layer = one.root.locator(".layer")
    assert layer.evaluate("layer => layer.scrollHeight - layer.clientHeight") <= 1


@pytest.mark.parametrize("size", [(96, 64), (64, 64), (64, 96)])
def test_a_few_more_images_fill_the_stage_too(show: Show, client: ComfyClient, size: tuple[int, int]) -> None:
    width, height = size
    panel = ComfyPanel(example().with_params(batch_size=18, steps=1, width=width, height=height), client)
    page = show(panel)
    one = Panel(page)
    one.run_button.click()
    one.expect_status("Done")
    expect(one.pictures).to_have_count(18)
    stage = one.root.evaluate(PLACES)["stage"]
    used = max(tile["bottom"] for tile in tiles(page)) - stage["top"]
    # With one column less, the last row would be out of sight.
    assert 0.7 * stage["height"] < used <= stage["height"] + 1


@pytest.mark.parametrize(("width", "columns"), [(1100, 5), (400, 3)])
def test_many_images_of_a_run_scroll_in_the_stage(show: Show, client: ComfyClient, width: int, columns: int) -> None:
    panel = ComfyPanel(example().with_params(batch_size=40, steps=1, width=64, height=64), client)
    page = show(panel, width=width)
    one = Panel(page)
    one.expect_status("Ready")
    before = one.root.evaluate(PLACES)["stage"]
    one.run_button.click()
    one.expect_status("Done")
    expect(one.pictures).to_have_count(40)
    assert one.root.evaluate(PLACES)["stage"] == before
    assert min(tile["width"] for tile in tiles(page)) >= 100
    assert len({round(tile["left"]) for tile in tiles(page)}) == columns
    one.pictures.last.scroll_into_view_if_needed()
    one.pictures.last.click()
    expect(one.root.get_by_role("dialog")).to_be_visible()


@pytest.mark.parametrize("count", [1, 16, 64, 500])
@pytest.mark.parametrize("width", [1100, 340])
def test_a_grid_has_tiles_that_can_be_seen(show: Show, count: int, width: int) -> None:
    images = [Image.new("RGB", (64, 64), f"hsl({index * 37 % 360}, 60%, 60%)") for index in range(count)]
    page = show(ImageGrid(images), width=width)
    expect(page.locator("button.tile")).to_have_count(count, timeout=PATIENCE)
    expect(page.locator(".tile img").first).to_be_visible(timeout=PATIENCE)
    boxes = tiles(page)
    assert min(box["width"] for box in boxes) >= 100
    assert max(box["right"] for box in boxes) <= width + 9
    if count > 16:
        assert max(box["right"] for box in boxes) >= width - 120
    height = page.locator(".grid").evaluate("grid => grid.getBoundingClientRect().height")
    assert height <= 961


def test_progress_alone_keeps_its_figures_beside_a_long_title(show: Show, client: ComfyClient) -> None:
    job = client.submit(titled(LONG, steps=10_000))
    page = show(JobProgress(job), width=300)
    eta = page.locator(".eta")
    expect(eta).to_contain_text("left", timeout=PATIENCE)
    box = eta.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 309
    job.cancel()
