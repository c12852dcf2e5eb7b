from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from comfy_widgets.engine import Engine

from .wire import TRACES, Socket


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine with the lab nodes for all tests."""
    nodes = Path(__file__).with_name("lab_nodes.py")
    with Engine(custom_nodes=[nodes], output_dir=tmp_path_factory.mktemp("output")) as running:
        yield running


@pytest.fixture(scope="session")
def older_engine() -> Iterator[Engine]:
    """One that answers like ComfyUI 0.8.0."""
    with Engine(custom_nodes=[Path(__file__).with_name("lab_nodes.py")], version="0.8.0") as running:
        yield running


@pytest.fixture
def url(engine: Engine) -> str:
    return engine.url


@pytest.fixture
def socket(url: str) -> Iterator[Socket]:
    """A socket that understands previews with metadata."""
    opened = Socket(url)
    opened.until_type("feature_flags")
    yield opened
    opened.close()


@pytest.fixture
def traces() -> Path:
    if not TRACES.is_dir():
        pytest.skip("the recorded traffic is not beside this repository")
    return TRACES
