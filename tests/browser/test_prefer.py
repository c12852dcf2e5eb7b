"""Two images to choose from, as a person does it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from comfy_widgets import ComfyClient, example, prefer, sweep
from comfy_widgets.engine import Engine
from comfy_widgets.experiments import Experiment
from comfy_widgets.widgets import PairChooser

from .conftest import SHOTS, Show

PATIENCE = 60_000
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def run(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Experiment]:
    small = example().with_params(steps=3, width=192, height=192)
    with ComfyClient(engine.url) as client:
        made = sweep(small, seed=range(3), client=client, folder=tmp_path_factory.mktemp("likes") / "store").wait(120)
        yield made
        made.close()


@pytest.mark.parametrize(("width", "theme"), [(900, "light"), (340, "dark")])
def test_keys_and_clicks_choose_until_it_is_sure(show: Show, run: Experiment, width: int, theme: str) -> None:
    likes = prefer(run)
    while len(likes):
        likes.undo()
    page = show(PairChooser(likes), width=width, theme=theme)
    root = page.locator(".prefer")
    images = root.locator("img")
    expect(images).to_have_count(2, timeout=PATIENCE)
    assert all(image.get_attribute("alt") in ("left", "right") for image in images.all()), "the values give it away"
    boxes = [frame.bounding_box() for frame in root.locator(".frame").all()]

    root.focus()
    page.keyboard.press("ArrowLeft")
    expect(root.locator(".told")).to_contain_text("1 answer", timeout=PATIENCE)
    root.get_by_label("The right one").click()
    expect(root.locator(".told")).to_contain_text("2 answers", timeout=PATIENCE)
    page.keyboard.press("ArrowDown")
    expect(root.locator(".told")).to_contain_text("3 answers", timeout=PATIENCE)
    page.keyboard.press("Backspace")
    expect(root.locator(".told")).to_contain_text("2 answers", timeout=PATIENCE)
    assert [frame.bounding_box() for frame in root.locator(".frame").all()] == boxes, "something moved"
    assert len(likes) == 2

    root.get_by_label("Show values").check()
    expect(root.locator(".words")).to_have_count(2)
    SHOTS.mkdir(exist_ok=True)
    root.screenshot(path=SHOTS / f"prefer-{theme}-{width}.png")
    while not likes.sure:
        count = len(likes)
        assert count < 40
        left, right = root.locator(".words").all_text_contents()
        root.get_by_label("The left one" if left > right else "The right one").click()
        expect(root.locator(".told")).to_contain_text(f"after {count + 1} answers", timeout=PATIENCE)
    expect(root.locator(".told.sure")).to_contain_text("seed 2 is liked best")
    root.screenshot(path=SHOTS / f"prefer-sure-{theme}-{width}.png")
