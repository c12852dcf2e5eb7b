"""Models that are not here: refused with a hint, or stood in for by the engine's own one, which is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from comfy_widgets import ComfyClient, example
from comfy_widgets.engine import Engine
from comfy_widgets.errors import PromptRefused

from .wire import Binary, Socket, run, submit, text_to_image, view

TIMEOUT = 60
FOREIGN = "flux1-dev-fp8.safetensors"


@pytest.fixture(scope="module")
def generous() -> Iterator[Engine]:
    with Engine(stand_in=True) as running:
        yield running


def with_checkpoint(name: str, **inputs: Any) -> dict[str, Any]:
    graph = text_to_image(**inputs)
    graph["4"]["inputs"]["ckpt_name"] = name
    return graph


def test_without_it_a_foreign_model_is_refused_with_a_hint(url: str) -> None:
    answer = requests.post(f"{url}/prompt", json={"prompt": with_checkpoint(FOREIGN)}, timeout=TIMEOUT)
    assert answer.status_code == 400
    (error,) = answer.json()["node_errors"]["4"]["errors"]
    assert error["type"] == "value_not_in_list"
    assert "stand_in=True" in error["extra_info"]["hint"]
    with ComfyClient(url) as client, pytest.raises(PromptRefused, match=r"Engine\(stand_in=True\)"):
        client.run(with_checkpoint(FOREIGN), timeout=TIMEOUT)


def test_other_lists_have_no_hint(url: str) -> None:
    graph = text_to_image(sampler_name="no_such_sampler")
    error = requests.post(f"{url}/prompt", json={"prompt": graph}, timeout=TIMEOUT).json()["node_errors"]["3"][
        "errors"
    ][0]
    assert "hint" not in error["extra_info"]


def test_it_stands_in_and_says_so(generous: Engine) -> None:
    socket = Socket(generous.url)
    messages = socket.until_end(submit(generous.url, with_checkpoint(FOREIGN), socket.client_id))
    told = [message for message in messages if isinstance(message, Binary) and message.event == 3]
    assert told[0].node == "4"
    assert told[0].text.startswith(f"{FOREIGN} is not here: procedural-scenes-64.safetensors")
    socket.close()
    own, foreign = (
        run(generous.url, with_checkpoint(name, seed=77)) for name in ("procedural-scenes-64.safetensors", FOREIGN)
    )
    assert "4" not in own["outputs"]
    assert foreign["outputs"]["4"]["text"] == [told[0].text]
    pictures = [view(generous.url, ended["outputs"]["9"]["images"][0]) for ended in (own, foreign)]
    assert pictures[0].split(b"IDAT")[1] == pictures[1].split(b"IDAT")[1]


def test_the_result_tells_it(generous: Engine) -> None:
    with ComfyClient(generous.url) as client:
        for _ in range(2):  # The second time it comes from the cache.
            result = client.run(with_checkpoint(FOREIGN), timeout=TIMEOUT)
            assert any(FOREIGN in text for text in result.texts)
        assert not client.run(example().with_params(width=64, height=64, steps=1), timeout=TIMEOUT).texts


def test_separate_files_and_loras(generous: Engine) -> None:
    graph = text_to_image()
    graph |= {
        "10": {"class_type": "UNETLoader", "inputs": {"unet_name": FOREIGN, "weight_dtype": "default"}},
        "11": {"class_type": "CLIPLoader", "inputs": {"clip_name": "t5xxl_fp16.safetensors", "type": "sd3"}},
        "12": {"class_type": "VAELoader", "inputs": {"vae_name": "ae.safetensors"}},
        "13": {
            "class_type": "LoraLoaderModelOnly",
            "inputs": {"model": ["10", 0], "lora_name": "lcm-lora.safetensors", "strength_model": 1.0},
        },
    }
    del graph["4"]
    graph["3"]["inputs"]["model"] = ["13", 0]
    graph["6"]["inputs"]["clip"] = graph["7"]["inputs"]["clip"] = ["11", 0]
    graph["8"]["inputs"]["vae"] = ["12", 0]
    ended = run(generous.url, graph)
    assert ended["status"]["completed"]
    assert {"10", "11", "12", "13", "9"} <= set(ended["outputs"])
    assert ended["outputs"]["13"]["text"] == ["lcm-lora.safetensors is not here, and changes nothing."]


def test_what_is_no_name_is_refused_all_the_same(generous: Engine) -> None:
    for name in (7, None, ""):
        graph = with_checkpoint("")
        graph["4"]["inputs"]["ckpt_name"] = name
        assert requests.post(f"{generous.url}/prompt", json={"prompt": graph}, timeout=TIMEOUT).status_code == 400
