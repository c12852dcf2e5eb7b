"""The schema of the messages: one description, of which the TypeScript types are made and by which both sides act."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from comfy_widgets import ComfyPanel
from comfy_widgets.widgets import _schema as schema
from scripts.schema import TARGETS, current

from .page import Page


def kinds(union: object) -> set[str]:
    return {get_args(get_type_hints(message)["kind"])[0] for message in get_args(union)}


@pytest.mark.parametrize("room", TARGETS)
def test_the_typescript_types_are_those_of_the_schema(room: str) -> None:
    assert TARGETS[room].read_text(encoding="utf-8") == current(room), "run python -m scripts.schema"


# `SweepGrid` and the widgets that teach take these, and have tests of their own for each.
OF_OTHERS = {"select-node", "fleet", "act", "rate", "select-cells", "cell-original", "changed", "chosen"}


def test_a_panel_takes_each_message_of_the_browser(
    panel: ComfyPanel, page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    for kind in kinds(schema.FromBrowser) - OF_OTHERS:
        page.say(kind)
    assert "unknown kind" not in caplog.text
    page.say("nonsense")
    assert "unknown kind" in caplog.text


def test_what_python_sends_fits_the_schema(panel: ComfyPanel, page: Page) -> None:
    page.say("hello")
    page.press_run(steps="2")
    page.wait_phase("done")
    messages = {get_args(get_type_hints(m)["kind"])[0]: m for m in get_args(schema.ToBrowser)}
    seen = set()
    for sent in page.sent:
        content = sent.data.get("content")
        if content:
            assert set(content) == set(get_type_hints(messages[content["kind"]]))
            seen.add(content["kind"])
    assert {"welcome", "images"} <= seen
    for trait, shape in {"_form": schema.FormSpec, "_values": schema.Values, "_run": schema.RunState}.items():
        assert set(page.state[trait]) == set(get_type_hints(shape))
