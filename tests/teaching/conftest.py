"""Widgets without a browser, on one engine for all of a file."""

from __future__ import annotations

from collections.abc import Iterator

import comm
import pytest
from ipywidgets.widgets.widget import _instances
from PIL import Image

from comfy_widgets import ComfyClient, Engine, Workflow, example

from ..widgets.page import Page

SMALL = {"width": 64, "height": 64, "steps": 2}


@pytest.fixture(autouse=True)
def pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give every widget a `Page`, and close what a test left open."""
    monkeypatch.setattr(comm, "create_comm", Page)
    before = set(_instances)
    yield
    for key in set(_instances) - before:
        if key in _instances:
            _instances[key].close()


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as engine:
        yield engine


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[ComfyClient]:
    with ComfyClient(engine.url) as client:
        yield client


@pytest.fixture
def workflow() -> Workflow:
    return example().with_params(**SMALL)


@pytest.fixture
def image() -> Image.Image:
    made = Image.new("RGB", (128, 64), "navy")
    made.paste("orange", (0, 0, 64, 64))
    return made
