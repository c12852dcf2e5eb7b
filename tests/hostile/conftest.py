"""A client whose patience is short, for servers that try it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from comfy_widgets.client import ComfyClient, Pace

PACE = Pace(poll=0.05, silence=0.3, lost_after=1.5, gone=0.1, dead_worker=1.0, uncertain=1.0)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COMFY_WIDGETS_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def connect() -> Iterator[Callable[..., ComfyClient]]:
    made: list[ComfyClient] = []

    def make(url: str, **options: object) -> ComfyClient:
        settings = {"reconnect_interval": 0.05, "pace": PACE, "timeout": 5.0, **options}
        made.append(ComfyClient(url, **settings))  # type: ignore[arg-type]  # the options are the test's own
        return made[-1]

    yield make
    for client in made:
        client.close()
