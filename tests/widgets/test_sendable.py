"""Jupyter refuses a message with half an emoji or a NaN in it, whole: none may ever be sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from comfy_widgets import ComfyPanel, ImageCompare, ImageGrid, WorkflowGraph
from comfy_widgets.testing import text_to_image
from comfy_widgets.widgets import sendable

from .conftest import page_of
from .page import Page

HALF = "half \ud83d <b>"
TOLD = "half \\ud83d <b>"


def pack(page: Page) -> str:
    """All that was sent, as Jupyter packs it."""
    texts = [json.dumps(sent.data, ensure_ascii=False, allow_nan=False).encode().decode() for sent in page.sent]
    return "\n".join(texts)


def test_a_panel_with_half_an_emoji_in_its_prompt_runs(make_panel: Callable[..., ComfyPanel]) -> None:
    panel = make_panel(text_to_image(), title=HALF)
    panel.params.positive = HALF
    page = page_of(panel)
    page.press_run()
    page.wait_phase("done")
    page.say("details", run=1)
    page.say("story", run=1, index=0)
    assert page.custom("story")
    assert json.dumps(TOLD)[1:-1] in pack(page)
    # The workflow itself has what was set.
    assert panel.workflow.to_prompt()["6"]["inputs"]["text"] == HALF


def test_texts_of_widgets_that_show_images_and_graphs() -> None:
    red = Image.new("RGB", (4, 4), "red")
    workflow = text_to_image()
    workflow["3"]["_meta"] = {"title": HALF}
    for widget in (
        ImageGrid([red], labels=[HALF]),
        ImageGrid([red], x={HALF: [HALF]}),
        ImageCompare(red, red, [HALF, "b"]),
        WorkflowGraph(workflow),
    ):
        page = page_of(widget)
        page.say("graph")
        page.say("hello")
        assert json.dumps(TOLD)[1:-1] in pack(page)


def test_numbers_that_are_no_json_are_nothing() -> None:
    assert sendable({"a": [float("nan"), 1.5, (float("inf"), b"x", "é")]}) == {"a": [None, 1.5, [None, b"x", "é"]]}


LIES: list[Any] = [0.5, "0", None, [], {}, True, -1, 7, 10**30, float("nan")]


@pytest.mark.parametrize("kind", ["select", "star"])
def test_only_images_that_there_are_can_be_marked(kind: str) -> None:
    grid = ImageGrid([Image.new("RGB", (4, 4), color) for color in ("red", "blue")])
    page_of(grid).say(kind, run=1, images=[*LIES, 1, 1])
    assert len(grid.selected if kind == "select" else grid.starred) == 1


@pytest.mark.parametrize("kind", ["select", "star"])
def test_only_images_of_a_run_can_be_marked(kind: str, panel: ComfyPanel, page: Page) -> None:
    page.press_run()
    page.wait_phase("done")
    page.say(kind, run=1, images=[*LIES, 0, 0])
    assert len(panel.selected if kind == "select" else panel.starred) == 1
