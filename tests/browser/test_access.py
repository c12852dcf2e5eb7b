"""Who cannot see well, or works with the keyboard alone: names and roles by axe, contrasts by a check of our own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from comfy_widgets import ComfyClient, ComfyPanel, ImageGrid, example
from comfy_widgets.engine import Engine
from comfy_widgets.testing import ScriptedServer, standard_run, text_to_image

from .conftest import Show
from .panel import Panel

# The page around a widget is a bare one.
NOT_OURS = ["landmark-one-main", "region", "page-has-heading-one", "heading-order"]

# What is too faint: text under 4.5 to 1 against all that lies under it, borders of controls under 3 to 1.
FAINT = """() => {
  const parse = (text) => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((part, index) => part * a + under[index] * (1 - a));
  const parentOf = (element) => element.parentElement ?? element.getRootNode().host ?? null;
  const ground = (element) => {
    const layers = [];
    for (let at = element; at !== null; at = parentOf(at)) layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const light = (colour) => {
    const linear = (part) => (part <= 10 ? part / 3294 : ((part / 255 + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = colour.map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const isSeen = (element) => {
    const { width, height } = element.getBoundingClientRect();
    const { visibility, clipPath } = getComputedStyle(element);
    return width > 1 && height > 1 && visibility === "visible" && clipPath === "none";
  };
  const found = [];
  for (const host of document.querySelectorAll(".comfy-widgets")) {
    for (const element of host.shadowRoot.querySelectorAll("*")) {
      if (!isSeen(element) || element.closest("[aria-disabled=true]") || element.tagName === "STYLE") continue;
      const name = element.className?.baseVal ?? (element.className || element.tagName);
      const style = getComputedStyle(element);
      const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "");
      const words = own || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);
      const under = ground(element);
      if (words) {
        const contrast = ratio(over(parse(style.color), under), under);
        if (contrast < 4.5) found.push(`text ${name} ${contrast.toFixed(2)}`);
      }
      if (element.matches(".control, .button:not(.primary)")) {
        const around = ground(parentOf(element));
        const contrast = ratio(over(parse(style.borderTopColor), around), around);
        if (contrast < 3) found.push(`border ${name} ${contrast.toFixed(2)}`);
      }
    }
  }
  return found;
}"""
PLANT = """() => {
  const root = document.querySelector(".comfy-widgets").shadowRoot.querySelector(".root");
  const faint = Object.assign(document.createElement("p"), { className: "planted", textContent: "faint" });
  faint.style.color = "color-mix(in srgb, var(--text) 30%, var(--page))";
  root.append(faint);
}"""


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[ComfyClient]:
    with ComfyClient(engine.url) as client:
        yield client


def problems(page: Page) -> list[str]:
    """What axe finds, by rule and place."""
    results: Any = Axe().run(page).response
    return [
        f"{violation['id']}: {node['target']}"
        for violation in results["violations"]
        if violation["id"] not in NOT_OURS
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_panel_is_for_everybody(show: Show, client: ComfyClient, theme: str) -> None:
    page = show(ComfyPanel(example(), client), theme=theme)
    one = Panel(page)
    one.expect_status("Ready")
    one.root.get_by_text("More settings").click()
    assert problems(page) == []
    assert page.evaluate(FAINT) == []
    one.fill(steps="0")
    one.run_button.click()
    expect(one.root.locator(".message")).to_be_visible()
    assert page.evaluate(FAINT) == []
    one.fill(steps="2")
    one.run_button.click()
    one.expect_status("Done")
    expect(one.pictures).to_have_count(1)
    one.root.get_by_role("button", name="Details").click()
    expect(one.root.locator(".details")).to_contain_text("Positive prompt")
    assert problems(page) == []
    assert page.evaluate(FAINT) == []
    one.pictures.click()
    expect(one.root.get_by_role("dialog")).to_be_visible()
    assert problems(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_goes_wrong_is_told_to_everybody(show: Show, theme: str) -> None:
    with ScriptedServer() as server, ComfyClient(server.url) as client:
        server.script = standard_run(fail_at="3")
        panel = ComfyPanel(text_to_image(), client)

        def fail(_: object) -> None:
            raise ValueError("<b>mine</b>")

        panel.params.observe(fail, "steps")
        page = show(panel, theme=theme)
        one = Panel(page)
        one.fill(steps="5")
        one.run_button.click()
        one.expect_status("Failed")
        expect(one.alert.get_by_text("Details")).to_be_visible()
        expect(one.root.get_by_text("An observer of 'steps' failed. ValueError: <b>mine</b>")).to_have_count(1)
        assert problems(page) == []
        assert page.evaluate(FAINT) == []
        one.alert.get_by_text("Details").click()
        assert page.evaluate(FAINT) == []
        one.root.get_by_role("button", name="Nodes").click()
        one.root.get_by_role("button", name="Graph").click()
        expect(one.root.get_by_role("button", name="Fit")).to_be_visible()
        assert problems(page) == []
        assert page.evaluate(FAINT) == []


def test_a_planted_faint_text_is_found(show: Show, client: ComfyClient) -> None:
    page = show(ComfyPanel(example(), client))
    Panel(page).expect_status("Ready")
    page.evaluate(PLANT)
    (found,) = page.evaluate(FAINT)
    assert found.startswith("text planted")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_done_with_images_is_for_everybody(show: Show, client: ComfyClient, theme: str) -> None:
    panel = ComfyPanel(example().with_params(batch_size=2, steps=2, width=64, height=64), client)
    panel.run().result(60)
    page = show(panel, theme=theme)
    for number in (0, 1):
        page.get_by_role("checkbox", name="Select").nth(number).check()
    bar = page.get_by_role("toolbar", name="Selected images")
    expect(bar).to_contain_text("2 selected")
    assert problems(page) == []
    assert page.evaluate(FAINT) == []
    bar.get_by_role("button", name="Compare").click()
    dialog = page.get_by_role("dialog", name="Two images compared")
    expect(dialog.get_by_role("img")).to_have_count(2)
    expect(dialog).to_contain_text("The workflows are the same.")
    assert problems(page) == []
    page.keyboard.press("Escape")
    page.locator("button.tile").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("i")
    expect(page.get_by_role("complementary", name="Details")).to_contain_text("Prompt id")
    assert problems(page) == []


def test_labels_of_a_grid_are_seen(show: Show) -> None:
    colors = ("red", "green", "blue")
    page = show(ImageGrid([Image.new("RGB", (64, 64), color) for color in colors], labels=colors))
    for color in colors:
        expect(page.get_by_role("figure").filter(has_text=color)).to_be_visible()
        expect(page.get_by_role("img", name=color)).to_be_visible()
    assert problems(page) == []
    assert page.evaluate(FAINT) == []


def test_the_keyboard_is_enough(show: Show, client: ComfyClient) -> None:
    page = show(ComfyPanel(example(), client))
    one = Panel(page)
    prompt = one.field("Positive prompt")
    prompt.fill("a red boat")
    page.keyboard.press("Shift+Enter")
    expect(prompt).to_have_value("a red boat\n")
    page.keyboard.press("Backspace")
    page.keyboard.press("Control+ArrowUp")
    expect(prompt).to_have_value("a red (boat:1.05)")
    page.keyboard.press("Control+ArrowUp")
    expect(prompt).to_have_value("a red (boat:1.1)")
    page.keyboard.press("Control+z")
    expect(prompt).to_have_value("a red (boat:1.05)")
    one.fill(steps="2")
    prompt.focus()
    page.keyboard.press("Control+Enter")
    one.expect_status("Done")
    expect(prompt).to_be_focused()
    one.run_button.focus()
    page.keyboard.press("Enter")
    expect(one.run_button).to_be_focused()
    one.expect_status("Done")
    one.root.locator("button.tile").focus()
    page.keyboard.press("Enter")
    expect(one.root.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(one.root.get_by_role("dialog")).to_be_hidden()
    expect(one.root.locator("button.tile")).to_be_focused()
