"""A file of anybody that is dropped on a panel: its values or the file itself, by choice."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Locator, Page, expect

from comfy_widgets import ComfyClient, ComfyPanel, Graph, Workflow, example
from comfy_widgets.engine import Engine

from .conftest import Show
from .panel import PATIENCE, Panel

HTML = "<img src=x onerror=alert(1)>"
DROP = """(panel, [text, name, type]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], name, { type }));
  panel.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, composed: true, cancelable: true }));
}"""

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def client(engine: Engine) -> Any:
    with ComfyClient(engine.url) as client:
        yield client


def drop(page: Page, content: bytes, name: str = "theirs.png", mime: str = "image/png") -> Locator:
    one = Panel(page)
    one.expect_status("Ready")
    # The listener for files is there with its style sheet.
    page.locator(".refusal").wait_for(state="attached", timeout=PATIENCE)
    one.root.evaluate(DROP, [base64.b64encode(content).decode(), name, mime])
    return page.get_by_role("region", name="Dropped file")


def made(client: ComfyClient, **values: Any) -> bytes:
    """An image that somebody made."""
    result = client.run(example().with_params(width=64, height=64, **values))
    return result.bytes(result.image_files[0])


def test_the_values_of_an_image_come_into_the_form(show: Show, client: ComfyClient) -> None:
    content = made(client, steps=3, seed=2**64 - 1, positive=HTML)
    panel = ComfyPanel(example(), client)
    page = show(panel)
    offer = drop(page, content, name=f"{HTML}.png")
    expect(offer).to_contain_text("Steps 20 → 3", timeout=PATIENCE)
    expect(offer).to_contain_text(HTML)
    # No field of this workflow takes the image itself.
    expect(offer.get_by_role("button")).to_have_count(2)
    offer.get_by_role("button", name="Use its values").click()
    expect(offer).to_be_hidden()
    one = Panel(page)
    expect(one.field("Steps")).to_have_value("3", timeout=PATIENCE)
    expect(one.field("Seed")).to_have_value(str(2**64 - 1))
    expect(one.field("Positive prompt")).to_have_value(HTML)
    assert panel.params.positive == HTML
    again = drop(page, content)
    expect(again).to_contain_text("was made with the values that stand here", timeout=PATIENCE)
    again.get_by_role("button", name="Leave it").click()
    expect(again).to_be_hidden()
    # Its own seed is told, and not that of the form.
    other = drop(page, made(client, steps=3, seed=5, positive=HTML))
    expect(other).to_contain_text("was made with other values: Seed 5.", timeout=PATIENCE)


def test_an_image_of_another_program_gives_its_settings(show: Show, client: ComfyClient) -> None:
    texts = PngInfo()
    texts.add_text(
        "parameters",
        f"{HTML} a fox\nNegative prompt: blurry\nSteps: 7, Sampler: Euler a, Schedule type: Karras, CFG scale: 6.5, "
        "Seed: 12, Size: 320x256, Model: nowhere, Clip skip: 2, Version: v1.10.1",
    )
    content = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(content, "PNG", pnginfo=texts)
    panel = ComfyPanel(example(), client)
    page = show(panel)
    offer = drop(page, content.getvalue(), name="theirs.png")
    expect(offer).to_contain_text("Steps 20 → 7", timeout=PATIENCE)
    expect(offer).to_contain_text("Not taken over: ")
    for left in ("nowhere", "Clip skip 2"):
        expect(offer).to_contain_text(left)
    offer.get_by_role("button", name="Use its values").click()
    one = Panel(page)
    expect(one.field("Steps")).to_have_value("7", timeout=PATIENCE)
    expect(one.field("Positive prompt")).to_have_value(f"{HTML} a fox")
    values = {name: panel.params[name] for name in ("sampler_name", "scheduler", "cfg", "seed", "width", "height")}
    assert [*values.values()] == ["euler_ancestral", "karras", 6.5, 12, 320, 256]


def test_an_image_with_a_workflow_becomes_the_input_where_that_is_wanted(show: Show, client: ComfyClient) -> None:
    content = made(client, steps=2)
    graph = Graph(client.object_info())
    first = client.upload_image(content, "first.png", overwrite=True)
    loaded = graph.LoadImage(image=first.filename)
    graph.SaveImage(images=loaded[0], filename_prefix="same")
    panel = ComfyPanel(graph.workflow(), client)
    page = show(panel, width=400)
    offer = drop(page, content)
    expect(offer).to_contain_text("theirs.png", timeout=PATIENCE)
    offer.get_by_role("button", name="Use as input: Image").click()
    chosen = page.get_by_role("combobox", name="Image").locator("option:checked")
    expect(chosen).to_have_text("theirs.png", timeout=PATIENCE)


def test_a_workflow_file_gives_its_values_and_what_is_broken_is_told(show: Show, client: ComfyClient) -> None:
    prompt = example().with_params(cfg=3.5).to_prompt()
    panel = ComfyPanel(example(), client)
    page = show(panel, theme="dark", width=600)
    offer = drop(page, json.dumps(prompt).encode(), "flow.json", "application/json")
    expect(offer).to_contain_text("CFG 7 → 3.5", timeout=PATIENCE)
    broken = drop(page, b'{"1": {"class_type": "KSam', "broken.json", "application/json")
    expect(broken).to_contain_text("It carries no workflow and no settings that can be read", timeout=PATIENCE)
    expect(broken.get_by_role("button", name="Use its values")).to_have_attribute("aria-disabled", "true")
    other = Workflow.load({"1": {"class_type": "Note", "inputs": {"text": "a"}}}).to_prompt()
    nothing = drop(page, json.dumps(other).encode(), "other.json", "application/json")
    expect(nothing).to_contain_text("none of them has a field here", timeout=PATIENCE)
