"""How the front end reaches the browser: a small start module in each widget, the rest as messages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from ipywidgets import Widget

from comfy_widgets import ComfyClient, ComfyPanel, ImageGrid, JobProgress, LivePreview, WorkflowForm
from comfy_widgets.testing import text_to_image

from .conftest import page_of
from .page import Page

START = 12_000
USABLE = 60_000
SAVED = 15_000
TWENTY = 400_000


def code(page: Page) -> list[dict[str, bytes]]:
    """The files of each message with code, by name."""
    return [dict(zip(message["files"], buffers, strict=True)) for message, buffers in page.custom("code")]


def saved_size(*widgets: Widget) -> int:
    """Bytes of these widgets in a saved notebook, with their layouts."""
    state = {
        model: entry
        for widget in widgets
        for model, entry in Widget.get_manager_state(widgets=[widget])["state"].items()
    }
    return len(json.dumps(state))


def test_a_widget_carries_the_start_module_alone(panel: ComfyPanel, page: Page) -> None:
    assert len(page.state["_esm"].encode()) <= START
    assert page.state["_entry"] == "panel"
    assert len(json.dumps(page.state)) <= SAVED


def test_its_code_is_sent_unasked_and_is_complete(page: Page) -> None:
    (files,) = code(page)
    assert list(files)[-1] == "panel.js"
    assert sum(map(len, files.values())) <= USABLE
    names = list(files)
    for index, (name, content) in enumerate(files.items()):
        imported = re.findall(r'from"\./([\w-]+\.js)"', content.decode())
        assert set(imported) <= set(names[:index]), f"{name} comes before what it imports"


def test_code_is_sent_while_a_cell_still_runs(page: Page) -> None:
    # As the first message after the widget itself, so that the page has it before the first frame.
    assert [sent.data.get("method", sent.type) for sent in page.sent[:2]] == ["comm_open", "custom"]


def test_a_page_that_was_loaded_anew_gets_it_again(page: Page) -> None:
    page.say("code", part="panel")
    first, again = code(page)
    assert again == first


def test_a_feature_comes_when_asked_for_without_what_is_there(page: Page) -> None:
    (own,) = code(page)
    assert "lightbox.js" not in own
    page.say("code", part="lightbox")
    feature = code(page)[1]
    assert list(feature)[-1] == "lightbox.js"
    assert not feature.keys() & own.keys()


def test_an_unknown_part_is_no_end(page: Page, caplog: pytest.LogCaptureFixture) -> None:
    page.say("code", part="../../secrets")
    assert len(code(page)) == 1
    page.say("code", part="panel")
    assert len(code(page)) == 2


def test_each_widget_has_an_entry_of_its_own(client: ComfyClient) -> None:
    job = client.submit(text_to_image())
    widgets = [WorkflowForm(text_to_image(), client), JobProgress(job), LivePreview(job), ImageGrid([])]
    for widget in widgets:
        (files,) = code(page_of(widget))
        assert list(files)[-1] == f"{page_of(widget).state['_entry']}.js"


def test_twenty_panels_make_a_notebook_only_a_little_larger(make_panel: Callable[..., ComfyPanel]) -> None:
    panels = [make_panel() for _ in range(20)]
    assert saved_size(panels[0]) <= SAVED
    assert saved_size(*panels) < TWENTY
