"""Clients that others have written and put on PyPI, each with a real run against the engine.

Their versions are fixed, so that a release of theirs is no change of ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from PIL import Image, ImageChops, ImageStat

from . import third_party
from .wire import text_to_image, until

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


def is_not_flat(image: Image.Image) -> None:
    """Something is on it."""
    assert max(high - low for low, high in image.convert("RGB").getextrema()) > 60


def is_image_of(file: Path, seed: int) -> None:
    """The image that came is the one of this seed, and no flat area."""
    with Image.open(file) as image:
        assert (image.format, image.size) == ("PNG", (64, 64))
        assert json.loads(image.info["prompt"])["3"]["inputs"]["seed"] == seed
        is_not_flat(image)


def test_comfy_cli_runs_a_workflow_and_fetches_its_image(url: str, tmp_path: Path) -> None:
    comfy = third_party.programs("comfy-cli", "comfy-cli==1.23.0") / "comfy"
    (tmp_path / "workflow.json").write_text(json.dumps(workflow(911)))
    where = urlsplit(url)
    address = ("--host", str(where.hostname), "--port", str(where.port))
    said = third_party.call(
        tmp_path, comfy, "--skip-prompt", "--json", "run", "--workflow", "workflow.json", *address, "--wait"
    )
    answer = json.loads(said.strip().splitlines()[-1])
    assert (answer["ok"], answer["data"]["status"]) == (True, "completed")
    assert {"3", "8", "9"} <= set(answer["data"]["executed_node_ids"])  # the engine may have kept the others
    (image,) = answer["data"]["outputs"]
    (tmp_path / "image.png").write_bytes(requests.get(image, timeout=TIMEOUT).content)
    is_image_of(tmp_path / "image.png", 911)


COMFY_SCRIPT = """
import sys, time
from comfy_script.runtime import *
load(sys.argv[1])
from comfy_script.runtime.nodes import *
# Its websocket opens in a thread, and it never learns of a run that has ended by then; it offers no way to ask.
time.sleep(1)
with Workflow(wait=True):
    model, clip, vae = CheckpointLoaderSimple(CheckpointLoaderSimple.ckpt_name.procedural_scenes_64)
    texts = CLIPTextEncode("a red balloon", clip), CLIPTextEncode("", clip)
    latent = KSampler(model, 921, 4, 7, "euler", "normal", *texts, EmptyLatentImage(64, 64, 1), 1)
    images = util.get_images(VAEDecode(latent, vae), save=True)
(image,) = images
image.convert("RGB").save("image.png")
"""


def test_comfy_script_writes_a_workflow_as_python(url: str, tmp_path: Path) -> None:
    """Its extra for clients lacks tqdm, which it imports."""
    python = third_party.programs("comfy-script", "comfy-script[client]==0.6.1", "tqdm") / "python"
    (tmp_path / "script.py").write_text(COMFY_SCRIPT)
    third_party.call(tmp_path, python, "script.py", f"{url}/")
    with Image.open(tmp_path / "image.png") as image:
        assert image.size == (64, 64)
        is_not_flat(image)


SD_BACKEND_CLIENT = """
import sys
from sd_backend_client import DiffusionParams, connect_to_backend
backend = connect_to_backend(sys.argv[1])
assert type(backend).__name__ == "ComfyUiWebservice", backend
checkpoint = next(found.name for found in backend.list_checkpoints() if found.name.startswith("procedural-scenes-64"))
common = dict(prompt="a red balloon", steps=4, width=64, height=64, seed=931, sd_model_name=checkpoint, sampler="euler")
(first,) = backend.submit_txt2img(DiffusionParams(**common)).wait(timeout=30).images
first.save("text.png")
again = DiffusionParams(**common, init_images=[first], denoising_strength=0.2)
backend.submit_img2img(again).wait(timeout=30).images[0].save("image.png")
"""


def test_the_routes_that_sd_backend_client_asks_first(url: str) -> None:
    for route in ("system_stats", "object_info", "models/configs", "models/checkpoints", "models/vae", "embeddings"):
        assert requests.get(f"{url}/{route}", timeout=TIMEOUT).status_code == 200


@pytest.mark.skipif(sys.version_info < (3, 11), reason="sd-backend-client needs Python 3.11")
def test_sd_backend_client_runs_txt2img_and_img2img(url: str, tmp_path: Path) -> None:
    python = third_party.programs("sd-backend-client", "sd-backend-client==0.5.0") / "python"
    (tmp_path / "script.py").write_text(SD_BACKEND_CLIENT)
    third_party.call(tmp_path, python, "script.py", url)
    with Image.open(tmp_path / "text.png") as text, Image.open(tmp_path / "image.png") as image:
        assert text.size == image.size == (64, 64)
        change = ImageStat.Stat(ImageChops.difference(text.convert("L"), image.convert("L"))).rms[0]
    assert 0 < change < 50


COMFY_SDK = """
from comfy_sdk import Comfy
client = Comfy()
workflow = client.workflows.from_file("workflow.json")
workflow.set_input("3", "seed", 942)
(output,) = client.run(workflow).get_outputs("9")
output.to_file("image.png")
"""


def test_comfy_sdk_runs_a_workflow_through_its_proxy(url: str, tmp_path: Path) -> None:
    """It speaks the API v2, which comfy-api-proxy puts before any ComfyUI of one's own; so both are tried."""
    programs = third_party.programs("comfy-sdk", "comfy-sdk==0.5.0", "comfy-api-proxy==0.1.6")
    (tmp_path / "workflow.json").write_text(json.dumps(workflow(941)))
    (tmp_path / "script.py").write_text(COMFY_SDK)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [programs / "comfy-api-proxy", "run", "--comfyui", url, "--port", str(port)]
    log = tmp_path / "proxy.log"
    with log.open("w") as output:
        proxy = subprocess.Popen(command, cwd=tmp_path, env=third_party.environ(tmp_path), stdout=output, stderr=output)

    def answers() -> bool:
        assert proxy.poll() is None, log.read_text()
        with contextlib.suppress(requests.ConnectionError):
            requests.get(f"{address}/api/v2/health", timeout=TIMEOUT)
            return True
        return False

    try:
        until(answers)
        third_party.call(tmp_path, programs / "python", "script.py", COMFY_BASE_URL=address)
    finally:
        proxy.terminate()
        proxy.wait(TIMEOUT)
    is_image_of(tmp_path / "image.png", 942)
