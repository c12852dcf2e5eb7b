"""A grid of very many images: only those near what is seen are drawn, and all can be done with each as with few."""

from __future__ import annotations

import re

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from comfy_widgets import ComfyClient, ComfyPanel, ImageGrid
from comfy_widgets.testing import ScriptedServer, image, standard_run, text_to_image
from comfy_widgets.widgets import _images as images_module

from .conftest import Show
from .panel import PATIENCE, Panel

COUNT = 600

pytestmark = pytest.mark.timeout(400)


def colour(number: int) -> tuple[int, int, int]:
    return 80 + number % 100, 80 + number // 100 * 20, 90


def images(count: int = COUNT) -> list[Image.Image]:
    return [Image.new("RGB", (32, 32), colour(number)) for number in range(count)]


def tile(page: Page, number: int) -> Locator:
    return page.locator("button.tile").nth(number)


def drawn(page: Page) -> int:
    return page.locator(".grid img").count()


def test_only_images_near_the_view_are_drawn(show: Show) -> None:
    page = show(ImageGrid(images()))
    expect(page.locator("button.tile")).to_have_count(COUNT, timeout=PATIENCE)
    expect(tile(page, 0).locator("img")).to_be_visible()
    expect(tile(page, COUNT - 1).locator("img")).to_have_count(0)
    assert drawn(page) < COUNT / 2
    page.locator(".grid").evaluate("grid => grid.scrollTo(0, grid.scrollHeight)")
    expect(tile(page, COUNT - 1).locator("img")).to_be_visible(timeout=PATIENCE)
    expect(tile(page, 0).locator("img")).to_have_count(0, timeout=PATIENCE)
    assert drawn(page) < COUNT / 2
    page.locator(".grid").evaluate("grid => grid.scrollTo(0, 0)")
    expect(tile(page, 0).locator("img")).to_be_visible(timeout=PATIENCE)


def test_the_keyboard_and_a_selection_reach_all_of_them(show: Show) -> None:
    grid = ImageGrid(images(), labels=[f"number {number}" for number in range(COUNT)])
    page = show(grid)
    expect(page.locator("button.tile")).to_have_count(COUNT, timeout=PATIENCE)
    expect(page.get_by_role("checkbox").first).to_be_attached(timeout=PATIENCE)
    tile(page, 0).focus()
    for _ in range(60):
        page.keyboard.press("ArrowDown")
    focused = page.locator("button.tile:focus")
    expect(focused.locator("img")).to_be_visible(timeout=PATIENCE)
    at = page.evaluate(
        "[...document.querySelector('.comfy-widgets').shadowRoot.querySelectorAll('button.tile')]"
        ".findIndex((tile) => tile.matches(':focus'))"
    )
    assert at > COUNT / 3
    expect(focused).to_have_accessible_name(f"number {at}")
    page.keyboard.press("x")
    page.locator(".grid").evaluate("grid => grid.scrollTo(0, 0)")
    tile(page, 3).click(modifiers=["Shift"])
    bar = page.get_by_role("toolbar", name="Selected images")
    expect(bar).to_contain_text(f"{at - 2} selected")
    expect(tile(page, at - 1)).to_have_accessible_name(f"number {at - 1}, selected")
    tile(page, at).scroll_into_view_if_needed()
    expect(page.get_by_role("checkbox", name=f"Select number {at}", exact=True)).to_be_checked(timeout=PATIENCE)
    tile(page, at).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_have_accessible_name(re.compile(f"number {at}"), timeout=PATIENCE)
    page.keyboard.press("ArrowRight")
    expect(dialog).to_have_accessible_name(re.compile(f"number {at + 1}"))


@pytest.mark.parametrize("allowance", [images_module.MAX_TOTAL_BYTES, 0])
def test_a_run_of_very_many_images_is_seen_through(show: Show, monkeypatch: pytest.MonkeyPatch, allowance: int) -> None:
    # With none, a small stand-in is made for each image, and for most of them when somebody scrolls there.
    monkeypatch.setattr(images_module, "MAX_TOTAL_BYTES", allowance)
    with ScriptedServer() as server, ComfyClient(server.url) as client:
        files = [server.files.put(f"{number:03}.png", image(number), folder="output") for number in range(300)]
        server.play(standard_run(outputs={"9": {"images": files}}))
        widget = ComfyPanel(text_to_image(), client)
        page = show(widget)
        panel = Panel(page)
        panel.run_button.click()
        panel.expect_status("Done")
        expect(page.locator("button.tile")).to_have_count(300, timeout=PATIENCE)
        page.locator(".layer").first.evaluate("layer => layer.scrollTo(0, layer.scrollHeight)")
        expect(tile(page, 299).locator("img")).to_be_visible(timeout=PATIENCE)
        assert drawn(page) < 250
        # A second page takes nothing from the first.
        other = show(widget)
        expect(tile(other, 0).locator("img")).to_be_visible(timeout=PATIENCE)
        expect(tile(page, 299).locator("img")).to_be_visible()
        # What was never scrolled to is selected and opened like all others.
        tile(other, 100).scroll_into_view_if_needed()
        tile(other, 0).scroll_into_view_if_needed()
        tile(other, 0).click(modifiers=["Control"])
        tile(other, 150).click(modifiers=["Shift"])
        expect(other.get_by_role("toolbar", name="Selected images")).to_contain_text("151 selected")
