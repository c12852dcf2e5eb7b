"""Two images compared as a person does it, alone and in a panel."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from comfy_widgets import ComfyClient, ComfyPanel, ImageCompare, example
from comfy_widgets.engine import Engine

from .conftest import Show
from .panel import PATIENCE, Panel

HTML = "<img src=x onerror=alert(1)>"

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def client(engine: Engine) -> Any:
    with ComfyClient(engine.url) as client:
        yield client


def comparison(page: Page) -> Locator:
    root = page.locator(".comparison")
    expect(root.get_by_role("img")).to_have_count(2, timeout=PATIENCE)
    return root


def color_at(page: Page, x: float, y: float) -> tuple[int, ...]:
    """The colour of a point on the screen."""

    shot = page.screenshot(clip={"x": x, "y": y, "width": 1, "height": 1})
    with Image.open(BytesIO(shot)) as image:
        return tuple(image.convert("RGB").getpixel((0, 0)))


def eventually(page: Page, point: tuple[float, float], color: tuple[int, ...]) -> None:
    for _ in range(600):
        if color_at(page, *point) == color:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{point} is {color_at(page, *point)}, not {color}")


def test_the_slider_divides_and_every_other_way_to_look_is_there(show: Show) -> None:
    red, blue = Image.new("RGB", (64, 64), (200, 0, 0)), Image.new("RGB", (64, 64), (0, 0, 210))
    page = show(ImageCompare(red, blue, [HTML, "blue"]), width=700)
    root = comparison(page)
    expect(root.get_by_text(HTML, exact=True)).to_be_visible()
    expect(root).to_contain_text("No workflow is known of these two.")
    box = root.locator(".room").bounding_box()
    assert box is not None
    words = root.locator(".captions").bounding_box()
    # The words stand under the images that they name, wherever those are.
    assert words is not None and words["x"] == pytest.approx(box["x"], abs=1)
    assert words["width"] == pytest.approx(box["width"], abs=1)
    left = (box["x"] + 0.25 * box["width"], box["y"] + box["height"] / 2)
    right = (box["x"] + 0.75 * box["width"], left[1])
    eventually(page, left, (200, 0, 0))
    eventually(page, right, (0, 0, 210))
    # Dragged to the right the left one is larger, and with the keyboard the right one again.
    page.mouse.move(box["x"] + box["width"] / 2, left[1])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * box["width"], left[1], steps=4)
    page.mouse.up()
    eventually(page, right, (200, 0, 0))
    divide = root.get_by_role("slider", name="Divide")
    divide.focus()
    page.keyboard.press("Home")
    eventually(page, left, (0, 0, 210))
    root.get_by_role("button", name="Flicker").click()
    root.get_by_role("button", name="Hold").click()
    shown = color_at(page, *left)
    assert shown in ((200, 0, 0), (0, 0, 210))
    root.get_by_role("button", name="Swap").click()
    eventually(page, left, (200, 0, 0) if shown == (0, 0, 210) else (0, 0, 210))
    root.get_by_role("button", name="Difference").click()
    expect(root.get_by_role("status")).to_have_text(re.compile(r"100 % of the pixels differ, by 136\.7 of 255"))
    root.get_by_role("button", name=re.compile("^.1$")).click()
    eventually(page, left, (200, 0, 210))
    root.get_by_role("button", name="Side by side").click()
    rooms = root.locator(".room")
    expect(rooms).to_have_count(2)
    first = rooms.first.bounding_box()
    assert first is not None
    page.mouse.move(first["x"] + 20, first["y"] + 20)
    page.mouse.wheel(0, -900)
    styles = "rooms => rooms.map((room) => room.querySelector('.zoomed').style.transform)"
    expect(rooms.first).to_have_attribute("data-zoomed", "true")
    one, other = rooms.evaluate_all(styles)
    assert one == other


def test_images_of_different_sizes_are_fitted_and_told(show: Show) -> None:
    page = show(ImageCompare(Image.new("RGB", (64, 64), "red"), Image.new("RGB", (32, 32), "red")))
    root = comparison(page)
    expect(root).to_contain_text(re.compile("sizes differ, 64 . 64 and 32 . 32: the smaller one is fitted"))
    root.get_by_role("button", name="Difference").click()
    expect(root.get_by_role("status")).to_have_text("The same, pixel by pixel.")


def test_two_selected_images_of_two_runs_are_compared_with_what_differs(show: Show, client: ComfyClient) -> None:
    panel = ComfyPanel(example().with_params(steps=1, width=64, height=64), client)
    first = panel.run().result(60)
    panel.params.positive = HTML
    panel.run().result(60)
    page = show(panel)
    one = Panel(page)
    one.pictures.first.click(modifiers=["Control"])
    page.get_by_role("button", name=re.compile("^Run 1:")).click()
    bar = page.get_by_role("toolbar", name="Selected images")
    expect(bar).to_contain_text("1 selected")
    expect(one.root.locator("button.tile")).to_have_accessible_name(re.compile(first.image_files[0].filename))
    one.pictures.first.click(modifiers=["Control"])
    expect(bar).to_contain_text("2 selected")
    bar.get_by_role("button", name="Compare").click()
    dialog = page.get_by_role("dialog", name="Two images compared")
    comparison(page)
    expect(dialog.get_by_role("list", name="Differences between the workflows")).to_contain_text(HTML)
    expect(dialog.get_by_role("list", name="Differences between the workflows")).to_contain_text("Positive prompt ")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
