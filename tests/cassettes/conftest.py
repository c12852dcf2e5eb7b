"""A cassette of six runs of a scripted server, recorded once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from comfy_widgets import ComfyClient, record
from comfy_widgets.testing import ScriptedServer, text_to_image


def prompt(seed: int, cfg: float, **more: Any) -> dict[str, Any]:
    made = text_to_image(seed=seed, **more)
    made["3"]["inputs"]["cfg"] = cfg
    return made


@pytest.fixture(scope="session")
def cassette_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cassettes") / "lesson.cassette"
    with ScriptedServer() as server, ComfyClient(server.url, journal=False) as client:
        assert client.wait_connected(30)
        with record(path, client, title="Seeds and cfg"):
            for seed in (1, 2):
                for cfg in (2.0, 5.0, 8.0):
                    client.run(prompt(seed, cfg))
    return path
