"""A mask painted over an input as a person does it, with the pointer and with keys alone."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image, ImageOps
from playwright.sync_api import Locator, Page, expect

from comfy_widgets import ComfyClient, ComfyPanel, Graph, Workflow
from comfy_widgets.engine import Engine

from .conftest import Show
from .panel import PATIENCE

SIZE = 128
CENTRE = (SIZE // 2, SIZE // 2)

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def client(engine: Engine) -> Any:
    with ComfyClient(engine.url) as client:
        yield client


def mask_workflow(client: ComfyClient, image: Image.Image, name: str) -> Workflow:
    """A workflow that saves the mask of its image."""
    stream = io.BytesIO()
    image.save(
        stream, "JPEG" if name.endswith("jpg") else "PNG", **({"exif": image.info["exif"]} if image.info else {})
    )
    file = client.upload_image(stream.getvalue(), name, overwrite=True)
    graph = Graph(client.object_info())
    loaded = graph.LoadImage(image=file.filename)
    graph.SaveImage(images=graph.MaskToImage(mask=loaded[1]), filename_prefix="mask")
    return graph.workflow()


def editor(page: Page) -> Locator:
    page.get_by_role("button", name="Paint a mask").click(timeout=PATIENCE)
    dialog = page.get_by_role("dialog", name="Mask of")
    canvas = dialog.get_by_role("img", name="Mask: the arrow keys move the brush")
    expect(canvas).to_have_js_property("width", SIZE, timeout=PATIENCE)
    expect(dialog.get_by_role("button", name="Use the mask")).to_have_attribute("aria-disabled", "false")
    return dialog


def use(page: Page, dialog: Locator, panel: ComfyPanel, client: ComfyClient) -> Image.Image:
    """Use the mask, and return what the server's LoadImage takes for masked."""
    before = panel.value["image"]
    dialog.get_by_role("button", name="Use the mask").click()
    expect(dialog).to_be_hidden()
    for _ in range(600):
        if panel.value["image"] != before:
            break
        page.wait_for_timeout(50)
    name = str(panel.value["image"])
    assert name.startswith("clipspace/clipspace-mask-") and name.endswith(".png [input]")
    return client.run(panel.workflow).images[0].convert("L")


def test_what_is_painted_erased_undone_and_inverted_is_the_mask_of_loadimage(show: Show, client: ComfyClient) -> None:
    original = Image.new("RGB", (SIZE, SIZE), (10, 120, 200))
    panel = ComfyPanel(mask_workflow(client, original, "blue.png"), client)
    page = show(panel)
    dialog = editor(page)
    canvas = dialog.get_by_role("img", name="Mask:")
    box = canvas.bounding_box()
    assert box is not None

    def drag(x0: float, y0: float, x1: float, y1: float) -> None:
        assert box is not None
        page.mouse.move(box["x"] + x0 * box["width"], box["y"] + y0 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + x1 * box["width"], box["y"] + y1 * box["height"], steps=5)
        page.mouse.up()

    undo, redo = (dialog.get_by_role("button", name=name) for name in ("Undo", "Redo"))
    expect(undo).to_have_attribute("aria-disabled", "true")
    dialog.get_by_role("slider", name="Size").fill("20")
    drag(0.2, 0.25, 0.8, 0.25)
    drag(0.2, 0.75, 0.8, 0.75)
    page.keyboard.press("Control+z")
    expect(redo).to_have_attribute("aria-disabled", "false")
    page.keyboard.press("Control+Shift+z")
    undo.click()
    dialog.get_by_role("button", name="Erase").click()
    drag(0.5, 0.1, 0.5, 0.4)
    mask = use(page, dialog, panel, client)
    points = {"painted": (30, 32), "erased": (64, 32), "undone": (30, 96), "corner": (2, 2)}
    assert {name: mask.getpixel(at) for name, at in points.items()} == {
        "painted": 255,
        "erased": 0,
        "undone": 0,
        "corner": 0,
    }
    # The colours are those of the original, as after ComfyUI's own editor.
    file = str(panel.value["image"]).removeprefix("clipspace/").removesuffix(" [input]")
    stored = Image.open(io.BytesIO(client.view({"filename": file, "subfolder": "clipspace", "type": "input"})))
    assert stored.mode == "RGBA" and stored.getpixel((30, 32)) == (10, 120, 200, 0)
    assert stored.getpixel((2, 2)) == (10, 120, 200, 255)
    # The mask that there is comes back into the editor, and can be turned around.
    dialog = editor(page)
    dialog.get_by_role("button", name="Invert").click()
    inverted = use(page, dialog, panel, client)
    assert list(inverted.tobytes()) == list(ImageOps.invert(mask).tobytes())


def test_a_mask_is_painted_with_keys_alone_and_feathered(show: Show, client: ComfyClient) -> None:
    panel = ComfyPanel(mask_workflow(client, Image.new("RGB", (SIZE, SIZE), "green"), "green.png"), client)
    page = show(panel, width=400)
    dialog = editor(page)
    canvas = dialog.get_by_role("img", name="Mask:")
    dialog.get_by_role("slider", name="Size").fill("40")
    feather = dialog.get_by_role("slider", name="Feather")
    feather.focus()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    expect(feather).to_have_value("8")
    canvas.focus()
    page.keyboard.press(" ")
    page.keyboard.press("Shift+ArrowRight")
    # One press of Escape does not lose the work.
    page.keyboard.press("Escape")
    expect(dialog.get_by_role("status")).to_contain_text("Escape once more")
    mask = use(page, dialog, panel, client)
    assert mask.getpixel(CENTRE) == 255 and mask.getpixel((0, 0)) == 0
    edge = [int(mask.getpixel((x, SIZE // 2)) or 0) for x in range(30, 64)]  # type: ignore[arg-type]
    assert edge == sorted(edge) and any(0 < value < 255 for value in edge)


def test_a_photo_that_was_turned_gets_its_mask_where_it_was_painted(show: Show, client: ComfyClient) -> None:
    turned = Image.new("RGB", (SIZE * 2, SIZE), "grey")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.info["exif"] = exif.tobytes()
    panel = ComfyPanel(mask_workflow(client, turned, "turned.jpg"), client)
    page = show(panel)
    dialog = editor(page)
    page.keyboard.press("i")
    canvas = dialog.get_by_role("img", name="Mask:")
    box = canvas.bounding_box()
    assert box is not None
    dialog.get_by_role("button", name="Erase").click()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 0.1 * box["height"])
    mask = use(page, dialog, panel, client)
    assert mask.size == (SIZE, SIZE * 2)
    assert mask.getpixel((SIZE // 2, int(0.1 * 2 * SIZE))) == 0
    assert mask.getpixel((SIZE // 2, int(0.9 * 2 * SIZE))) == 255
