"""The examples in the docstrings of the room run, against the embedded engine."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from importlib import import_module

import pytest

from comfy_widgets import ComfyClient, Engine, example
from comfy_widgets import workflow as room

MODULES = sorted({getattr(room, name).__module__ for name in room.__all__})


@pytest.fixture(scope="module")
def client() -> Iterator[ComfyClient]:
    with Engine() as engine, ComfyClient(engine.url) as client:
        yield client


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name: str, client: ComfyClient) -> None:
    module = import_module(name)
    globs = {"NodeSpecs": room.NodeSpecs, **vars(module), "client": client, "example": example}
    assert doctest.testmod(module, globs=globs, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0
