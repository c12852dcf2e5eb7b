"""A page without a browser, and servers: one scripted, one real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import comm
import pytest
from ipywidgets.widgets.widget import _instances

from comfy_widgets import ComfyClient, ComfyPanel
from comfy_widgets.engine import Engine
from comfy_widgets.testing import ScriptedServer, text_to_image
from comfy_widgets.widgets._pump import pump

from .page import Page


@pytest.fixture(autouse=True)
def pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give every widget a `Page`, and close what a test left open."""
    monkeypatch.setattr(comm, "create_comm", Page)
    before = set(_instances)
    yield
    for key in set(_instances) - before:
        # A panel has closed its parts already.
        if key in _instances:
            _instances[key].close()
    pump.stop()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(version="0.33.0") as server:
        yield server


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[ComfyClient]:
    with ComfyClient(server.url) as client:
        yield client


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as engine:
        yield engine


@pytest.fixture
def make_panel(client: ComfyClient) -> Callable[..., ComfyPanel]:
    def make(workflow: Any = None, **options: Any) -> ComfyPanel:
        return ComfyPanel(text_to_image() if workflow is None else workflow, client, **options)

    return make


@pytest.fixture
def panel(make_panel: Callable[..., ComfyPanel]) -> ComfyPanel:
    return make_panel()


@pytest.fixture
def page(panel: ComfyPanel) -> Page:
    return page_of(panel)


def page_of(widget: Any) -> Page:
    """The page that a widget speaks to."""
    page = widget.comm
    assert isinstance(page, Page)
    return page


@pytest.fixture
def make_engine_panel(engine: Engine) -> Iterator[Callable[..., ComfyPanel]]:
    with ComfyClient(engine.url) as client:
        yield lambda workflow, **options: ComfyPanel(workflow, client, **options)
