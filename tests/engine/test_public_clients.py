"""Clients that others have written and put on PyPI, each with a real run against the engine."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from PIL import Image

from .wire import text_to_image

TIMEOUT = 60


def workflow(seed: int) -> dict[str, Any]:
    graph = text_to_image(steps=4, seed=seed)
    for node in graph.values():
        node["_meta"] = {"title": "Save Image" if node["class_type"] == "SaveImage" else node["class_type"]}
    return graph


def test_comfy_api_simplified_gets_the_image_and_no_preview(url: str, tmp_path: Path) -> None:
    """It takes binary messages for results, so a preview that nobody asked for would be one."""
    simplified = pytest.importorskip("comfy_api_simplified", reason="comfy-api-simplified is not installed")
    file = tmp_path / "workflow.json"
    file.write_text(json.dumps(workflow(901)))
    loaded = simplified.ComfyWorkflowWrapper(str(file))
    loaded.set_node_param("KSampler", "seed", 902)
    results = simplified.ComfyApiWrapper(url).queue_and_wait_images(loaded, "Save Image")
    (content,) = results.values()
    image = Image.open(io.BytesIO(content))
    assert (image.format, image.size) == ("PNG", (64, 64))
    assert json.loads(image.info["prompt"])["3"]["inputs"]["seed"] == 902


def test_comfyui_utils_follows_a_run(url: str) -> None:
    """It dies of any binary message."""
    comfy = pytest.importorskip("comfyui_utils.comfy", reason="comfyui-utils is not installed")
    seen: list[Any] = []

    class Callbacks(comfy.Callbacks):  # type: ignore[misc, name-defined]
        async def queue_position(self, position: str) -> None: ...

        async def in_progress(self, node_id: int, progress: int, total: int) -> None:
            seen.append((node_id, progress, total))

        async def completed(self, outputs: dict[str, Any], cached: bool) -> None:
            seen.append(outputs)

    # Its websocket opens after its POST, so what it waits for must not be over by then: another run comes before.
    requests.post(f"{url}/prompt", json={"prompt": text_to_image(steps=2000, seed=903)}, timeout=TIMEOUT)

    async def run() -> None:
        task = asyncio.ensure_future(comfy.ComfyAPI(urlsplit(url).netloc).submit(workflow(904), Callbacks()))
        loop = asyncio.get_running_loop()
        # It asks for the queue when its websocket is open; then the run before may end.
        while not await loop.run_in_executor(None, is_followed):
            await asyncio.sleep(0.01)
        await loop.run_in_executor(None, lambda: requests.post(f"{url}/interrupt", timeout=TIMEOUT))
        await asyncio.wait_for(task, TIMEOUT)

    def is_followed() -> bool:
        pending = requests.get(f"{url}/queue", timeout=TIMEOUT).json()["queue_pending"]
        return bool(pending)

    asyncio.run(run())
    assert seen[-1]["images"][0]["filename"].startswith("picture")


def test_the_routes_that_sd_backend_client_asks_first(url: str) -> None:
    for route in ("system_stats", "object_info", "models/configs", "models/checkpoints", "models/vae", "embeddings"):
        assert requests.get(f"{url}/{route}", timeout=TIMEOUT).status_code == 200
