"""A scripted server and a quick client, so that tests of waiting need not wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from comfy_widgets.client import ComfyClient, Pace
from comfy_widgets.testing import ScriptedServer

QUICK = Pace(poll=0.05, silence=1.0, lost_after=1.0, gone=0.1, dead_worker=0.3)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Journal and timings of the test alone."""
    monkeypatch.setenv("COMFY_WIDGETS_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def connect() -> Iterator[Callable[..., ComfyClient]]:
    """Makes clients with a quick pace, and closes them."""
    made: list[ComfyClient] = []

    def make(url: str, **options: object) -> ComfyClient:
        settings = {"reconnect_interval": 0.05, "pace": QUICK, "timeout": 20.0, **options}
        made.append(ComfyClient(url, **settings))  # type: ignore[arg-type]  # the options are the test's own
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(server: ScriptedServer, connect: Callable[..., ComfyClient]) -> ComfyClient:
    return connect(server.url)
