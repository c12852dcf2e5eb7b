"""What a person does with images: look closely, select, star, take, and use them again."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from comfy_widgets import ComfyClient, ComfyPanel, Graph, ImageGrid, Workflow, example
from comfy_widgets.engine import Engine

from .conftest import Show
from .notebook import Notebook
from .panel import PATIENCE, Panel

HTML = "<img src=x onerror=alert(1)> <b>bold</b>"
SCALE = "room => new DOMMatrix(getComputedStyle(room.querySelector('.zoomed')).transform).a"

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def client(engine: Engine) -> Any:
    with ComfyClient(engine.url) as client:
        yield client


def finished(client: ComfyClient, count: int = 4, **values: Any) -> ComfyPanel:
    """A panel that has made some images."""
    panel = ComfyPanel(example().with_params(batch_size=count, steps=1, width=64, height=64, **values), client)
    panel.run().result(60)
    return panel


def tile(page: Page, number: int) -> Locator:
    return page.locator("button.tile").nth(number)


def lightbox(page: Page) -> Locator:
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible(timeout=PATIENCE)
    return dialog


def scale(dialog: Locator) -> float:
    return float(dialog.locator(".room").evaluate(SCALE))


def test_an_image_is_zoomed_to_the_pointer_dragged_and_left_by_keys(show: Show, client: ComfyClient) -> None:
    page = show(finished(client))
    tile(page, 1).click()
    dialog = lightbox(page)
    expect(dialog).to_have_accessible_name(re.compile(r"ComfyUI_\d+_\.png · 64 . 64"))
    image = dialog.locator(".zoomed")
    expect(image.get_by_role("img")).to_have_accessible_name(re.compile("64 . 64"))
    whole = scale(dialog)
    box = dialog.locator(".room").bounding_box()
    assert box is not None
    # What is under the pointer stays there.
    x, y = box["x"] + box["width"] / 2 + 60, box["y"] + box["height"] / 2 + 40
    before = image.bounding_box()
    page.mouse.move(x, y)
    page.mouse.wheel(0, -900)
    expect(dialog.locator(".room")).to_have_attribute("data-zoomed", "true")
    until(page, lambda: scale(dialog) == 32)
    after = image.bounding_box()
    assert before is not None and after is not None
    part = [(x - one["x"]) / one["width"] for one in (before, after)]
    assert part[0] == pytest.approx(part[1], abs=0.02)
    page.mouse.down()
    page.mouse.move(x - 50, y - 30, steps=4)
    page.mouse.up()
    until(page, lambda: (image.bounding_box() or after)["x"] < after["x"] - 30)
    page.keyboard.press("1")
    until(page, lambda: abs(scale(dialog) - 1) < 0.01)
    page.keyboard.press("+")
    until(page, lambda: abs(scale(dialog) - 1.5) < 0.01)
    dialog.get_by_role("button", name="Fit").click()
    until(page, lambda: abs(scale(dialog) - whole) < 0.01)
    # Through all of them and round, from either end.
    expect(dialog).to_contain_text("2 of 4")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(dialog).to_contain_text("1 of 4")
    page.keyboard.press("ArrowLeft")
    expect(dialog).to_contain_text("4 of 4")
    # The keyboard stays in it.
    for _ in range(24):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.shadowRoot?.activeElement?.closest('dialog') !== null")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(tile(page, 1)).to_be_focused()


def test_images_are_selected_by_click_keyboard_and_range_and_python_has_them(show: Show, client: ComfyClient) -> None:
    panel = finished(client, 6)
    seen: list[int] = []
    panel.observe(lambda change: seen.append(len(change.new)), "selected")
    page = show(panel)
    bar = page.get_by_role("toolbar", name="Selected images")
    tile(page, 0).click(modifiers=["Control"])
    expect(bar).to_contain_text("1 selected", timeout=PATIENCE)
    tile(page, 3).click(modifiers=["Shift"])
    expect(bar).to_contain_text("4 selected")
    page.get_by_role("checkbox", name=re.compile("Select")).nth(1).click()
    expect(bar).to_contain_text("3 selected")
    tile(page, 3).focus()
    page.keyboard.press("ArrowRight")
    expect(tile(page, 4)).to_be_focused()
    page.keyboard.press(" ")
    page.keyboard.press("s")
    expect(bar).to_contain_text("4 selected")
    expect(tile(page, 4)).to_have_accessible_name(re.compile("selected, starred"))
    expect(page.get_by_role("dialog")).to_be_hidden()
    until(page, lambda: len(panel.selected) == 4 and len(panel.starred) == 1)
    assert [image.size for image in panel.selected] == [(64, 64)] * 4
    until(page, lambda: bool(seen) and seen[-1] == 4)
    # A page that is opened later shows the same.
    later = show(panel, width=400)
    expect(later.get_by_role("toolbar", name="Selected images")).to_contain_text("4 selected", timeout=PATIENCE)
    later.get_by_role("button", name="Clear the selection").click()
    until(page, lambda: panel.selected == [])
    expect(bar).to_be_hidden()


def until(page: Page, holds: Any) -> None:
    """Wait until something holds in Python, while the page goes on."""
    for _ in range(600):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it does not come true")


def test_the_story_of_an_image_is_told_as_text_and_its_workflow_is_drawn_and_saved(
    show: Show, client: ComfyClient
) -> None:
    panel = finished(client, 1, positive=HTML, seed=7)
    page = show(panel)
    tile(page, 0).click()
    dialog = lightbox(page)
    page.keyboard.press("i")
    story = dialog.get_by_role("complementary", name="Details")
    expect(story).to_contain_text(HTML)
    for words in ("64 \N{MULTIPLICATION SIGN} 64", "Seed", "Time", "Server", "Prompt id"):
        expect(story).to_contain_text(words)
    assert story.locator("b").count() == 0
    dialog.get_by_role("button", name="Open workflow").click()
    expect(dialog.get_by_role("img", name=re.compile("The workflow of"))).to_be_visible()
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Save workflow").click()
    assert Workflow.load(download.value.path().read_bytes()).params()["seed"].value == 7
    assert download.value.suggested_filename.endswith(".json")
    page.keyboard.press("Escape")
    one = Panel(page)
    one.fill(steps="9")
    tile(page, 0).click()
    page.keyboard.press("i")
    dialog.get_by_role("button", name="Use these values").click()
    page.keyboard.press("Escape")
    expect(one.field("Steps")).to_have_value("1")


def with_image(client: ComfyClient) -> Workflow:
    """A workflow that takes an image and saves it, turned around."""
    file = client.upload_image(Image.new("RGB", (32, 32), "red"), "red.png", overwrite=True)
    graph = Graph(client.object_info())
    image = graph.LoadImage(image=file.filename)
    inverted = graph.ImageInvert(image=image[0])
    graph.SaveImage(images=inverted, filename_prefix="inverted")
    return graph.workflow()


def test_an_image_is_saved_starred_and_becomes_the_input(show: Show, client: ComfyClient) -> None:
    panel = ComfyPanel(with_image(client), client)
    result = panel.run().result(60)
    page = show(panel)
    tile(page, 0).click(modifiers=["Control"])
    bar = page.get_by_role("toolbar", name="Selected images")
    with page.expect_download() as download:
        bar.get_by_role("button", name="Save").click()
    assert download.value.path().read_bytes() == result.bytes(result.image_files[0])
    bar.get_by_role("button", name="Star").click()
    expect(bar.get_by_role("button", name="Star")).to_have_attribute("aria-pressed", "true")
    bar.get_by_role("button", name=re.compile("Use as input")).click()
    expect(bar.get_by_role("status")).to_contain_text("Now the input")
    until(page, lambda: str(panel.value["image"]).startswith("inverted"))
    again = panel.run().result(60)
    assert again.images[0].convert("RGB").getpixel((0, 0)) == (255, 0, 0)


def test_an_image_is_copied_as_png(show: Show) -> None:
    page = show(ImageGrid([Image.new("RGB", (8, 8), "green")]))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tile(page, 0).click(modifiers=["Control"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    content = page.evaluate(
        "async () => [...new Uint8Array(await (await (await navigator.clipboard.read())[0]"
        ".getType('image/png')).arrayBuffer())]"
    )
    with Image.open(io.BytesIO(bytes(content))) as image:
        assert image.convert("RGB").getpixel((0, 0)) == (0, 128, 0)


def test_a_grid_has_heads_that_stay_and_lightbox_and_selection(show: Show) -> None:
    images = [Image.new("RGB", (64, 64), f"hsl({index * 12}, 60%, 50%)") for index in range(30)]
    grid = ImageGrid(images, x={"cfg": [1, 4, HTML]}, y={"seed": range(10)})
    page = show(grid, width=500)
    expect(page.locator(".head")).to_have_count(13, timeout=PATIENCE)
    expect(page.get_by_text(HTML, exact=True)).to_be_visible()
    tile(page, 29).scroll_into_view_if_needed()
    top = page.locator(".grid").bounding_box()
    first = page.locator(".head").first.bounding_box()
    assert top is not None and first is not None and abs(first["y"] - top["y"]) < 2
    expect(tile(page, 4)).to_have_accessible_name("cfg 4 · seed 1")
    tile(page, 4).click()
    dialog = lightbox(page)
    expect(dialog).to_have_accessible_name("cfg 4 · seed 1")
    page.keyboard.press("x")
    page.keyboard.press("Escape")
    until(page, lambda: [image.getpixel((0, 0)) for image in grid.selected] == [images[4].getpixel((0, 0))])
    grid.images = images[:3]
    expect(page.locator(".head")).to_have_count(0)
    assert grid.selected == []


def test_the_original_is_fetched_where_a_stand_in_is_shown(show: Show, client: ComfyClient) -> None:
    panel = ComfyPanel(example().with_params(batch_size=40, steps=1, width=512, height=512), client)
    panel.run().result(120)
    page = show(panel)
    tile(page, 39).click()
    dialog = lightbox(page)
    natural = "room => room.querySelector('img').naturalWidth"
    until(page, lambda: dialog.locator(".room").evaluate(natural) == 512)


def test_its_keys_stay_out_of_the_notebook(notebook: Notebook) -> None:
    notebook.open(
        [
            "from comfy_widgets import ComfyClient, ComfyPanel, example\n"
            "workflow = example().with_params(steps=1, batch_size=2, width=64, height=64)\n"
            "panel = ComfyPanel(workflow, client=ComfyClient())\n"
            "result = panel.run().result(60)\n"
            "panel",
            "print(len(panel.selected), len(panel.starred))",
        ]
    )
    notebook.run(0)
    page = notebook.page
    cells = page.locator(".jp-Cell")
    count = cells.count()
    tile(page, 0).click()
    dialog = lightbox(page)
    # In the notebook these would add, cut, move and run cells.
    for key in ("x", "s", "b", "a", "d", "d", "i", "1", "0", "ArrowRight", "y"):
        page.keyboard.press(key)
    expect(dialog).to_contain_text("2 of 2")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(tile(page, 0)).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    expect(page.get_by_role("toolbar", name="Selected images")).to_contain_text("2 selected")
    assert cells.count() == count
    notebook.run(1)
    expect(notebook.output(1)).to_have_text("2 1")
