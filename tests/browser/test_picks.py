"""What is picked in a form: the choice that was meant, new lists of the server, several of many choices, a colour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from comfy_widgets import ComfyClient, ComfyPanel, Engine, example
from comfy_widgets.testing import ScriptedServer, node_info, text_to_image

from .conftest import Show
from .panel import PATIENCE, Panel
from .test_access import FAINT, problems

TAGS = [f"tag {number}" for number in range(30)]

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        color = {"default": 0, "min": 0, "max": 0xFFFFFF, "display": "color"}
        server.object_info["Tags"] = node_info(
            "Tags", "Tags", {"tags": [TAGS, {"multi_select": {}}], "color": ["INT", color]}, ("STRING",)
        )
        models(server, "a.safetensors", "sd_xl_base_1.0.safetensors")
        yield server


@pytest.fixture
def panel(server: ScriptedServer) -> Iterator[ComfyPanel]:
    workflow = text_to_image()
    workflow["4"]["inputs"]["ckpt_name"] = "sdxl_base.safetensors"
    workflow["20"] = {"class_type": "Tags", "inputs": {"tags": ["tag 2"], "color": 0x336699}}
    with ComfyClient(server.url) as client:
        yield ComfyPanel(workflow, client, params=["ckpt_name", "steps", "seed", "Tags.tags", "Tags.color"])


def models(server: ScriptedServer, *names: str) -> None:
    server.object_info["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"] = [[*names], {}]


def inputs_of(server: ScriptedServer, node: str) -> Any:
    return server.posted[-1]["prompt"][node]["inputs"]


def opened(page: Page) -> Panel:
    panel = Panel(page)
    expect(panel.root.get_by_role("button", name="Refresh lists")).to_be_visible(timeout=PATIENCE)
    return panel


def test_the_choice_that_was_meant_is_one_click_away(show: Show, server: ScriptedServer, panel: ComfyPanel) -> None:
    one = opened(show(panel))
    expect(one.root.get_by_text("The server does not have “sdxl_base.safetensors”. Choose another.")).to_be_visible()
    one.root.get_by_role("button", name="Use sd_xl_base_1.0.safetensors").click()
    expect(one.root.get_by_text("Choose another")).to_have_count(0)
    expect(one.root.get_by_label("Checkpoint").locator("option:checked")).to_have_text("sd_xl_base_1.0.safetensors")
    one.run_button.click()
    one.expect_status("Done")
    assert inputs_of(server, "4")["ckpt_name"] == "sd_xl_base_1.0.safetensors"


def test_new_lists_leave_what_is_being_typed(show: Show, server: ScriptedServer, panel: ComfyPanel) -> None:
    one = opened(show(panel))
    one.field("Steps").fill("many")
    one.field("Seed").fill("123")
    models(server, "a.safetensors", "b.safetensors", "sdxl_base.safetensors")
    one.root.get_by_role("button", name="Refresh lists").click()
    expect(one.root.locator(".lists").get_by_role("status")).to_have_text("New: 2 in Checkpoint. 1 gone.")
    expect(one.root.get_by_label("Checkpoint").locator("option")).to_have_count(3)
    # What was missing is there now.
    expect(one.root.get_by_text("The server does not have")).to_have_count(0)
    expect(one.field("Steps")).to_have_value("many")
    expect(one.field("Seed")).to_have_value("123")
    one.root.get_by_role("button", name="Refresh lists").click()
    expect(one.root.locator(".lists").get_by_role("status")).to_have_text("Nothing new.")


def test_several_choices_are_checked(show: Show, server: ScriptedServer, panel: ComfyPanel) -> None:
    panel.params.ckpt_name = "a.safetensors"
    page = show(panel)
    one = opened(page)
    tags = one.root.get_by_role("group", name="Tags", exact=True)
    expect(tags.get_by_role("checkbox", name="tag 2", exact=True)).to_be_checked(timeout=PATIENCE)
    tags.get_by_role("checkbox", name="tag 2", exact=True).uncheck()
    tags.get_by_label("Search Tags").fill("tag 1")
    expect(tags.get_by_role("checkbox")).to_have_count(12)
    tags.get_by_role("checkbox", name="tag 11").focus()
    page.keyboard.press("Space")
    tags.get_by_label("Search Tags").fill("")
    tags.get_by_role("checkbox", name="tag 7").check()
    expect(tags.get_by_text("2 chosen")).to_be_visible()
    one.run_button.click()
    one.expect_status("Done")
    assert inputs_of(server, "20")["tags"] == {"__value__": ["tag 7", "tag 11"]}


def test_a_colour_is_picked_or_written(show: Show, server: ScriptedServer, panel: ComfyPanel) -> None:
    panel.params.ckpt_name = "a.safetensors"
    one = opened(show(panel))
    picker, text = one.root.get_by_label("Color, picker"), one.root.get_by_label("Color", exact=True)
    expect(text).to_have_value("#336699")
    expect(picker).to_have_value("#336699")
    picker.fill("#ff8000")
    expect(text).to_have_value("#ff8000")
    one.run_button.click()
    one.expect_status("Done")
    assert inputs_of(server, "20")["color"] == 0xFF8000
    text.fill("blue")
    text.blur()
    expect(one.root.get_by_text("must be a colour such as #ff8800")).to_be_visible()
    text.fill("#0000ff")
    text.blur()
    expect(one.root.get_by_text("must be a colour")).to_have_count(0)
    expect(picker).to_have_value("#0000ff")


def test_the_images_of_runs_before_are_listed_and_the_newest_is_taken(show: Show) -> None:
    again = {
        "1": {"class_type": "LoadImageOutput", "inputs": {"image": ""}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "again"}},
    }
    with Engine() as engine, ComfyClient(engine.url) as client:
        (first,) = client.run(example().with_params(width=64, height=64, steps=1)).image_files
        again["1"]["inputs"]["image"] = f"{first.filename} [output]"
        one = opened(show(ComfyPanel(again, client)))
        image = one.root.get_by_role("combobox", name="Image", exact=True)
        expect(image.locator("option", has_text=first.filename)).to_have_count(1)
        one.run_button.click()
        one.expect_status("Done")
        one.root.get_by_role("button", name="Refresh lists").click()
        expect(image.locator("option:checked")).to_have_text(re.compile(r"again_\d+_\.png \[output\]"))
        image.select_option(f"{first.filename} [output]")
        one.run_button.click()
        one.expect_status("Done")
        expect(one.root.get_by_text("Run 2")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_for_everybody(show: Show, panel: ComfyPanel, theme: str) -> None:
    for width in (1100, 360):
        page = show(panel, width=width, theme=theme)
        one = opened(page)
        expect(one.root.get_by_role("button", name="Use sd_xl_base_1.0.safetensors")).to_be_visible()
        expect(one.root.get_by_role("group", name="Tags", exact=True)).to_be_visible(timeout=PATIENCE)
        assert problems(page) == []
        assert page.evaluate(FAINT) == []
