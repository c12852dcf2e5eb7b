"""Statements that the embedded engine can show: the same again, against a server that was not written for the test."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

from comfy_widgets import ComfyClient, Engine, Workflow, WorkflowError, example
from comfy_widgets.errors import JobCancelled, PromptRefused
from comfy_widgets.testing import FaultProxy, Manner, SeenMessage, image

from .helpers import ONLY_WHEN_TOLD, conformance, until

Connect = Callable[..., ComfyClient]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as engine:
        yield engine


@pytest.fixture
def client(engine: Engine, connect: Connect) -> ComfyClient:
    client = connect(engine.url)
    client.object_info()
    return client


def prompt_of(client: ComfyClient, **values: Any) -> dict[str, Any]:
    """The example's prompt, quick to run."""
    workflow = Workflow.load(example(), object_info=client.object_info())
    return workflow.with_params(steps=2, **values).to_prompt()


def node_of(prompt: dict[str, Any], class_type: str) -> str:
    return next(key for key, node in prompt.items() if node["class_type"] == class_type)


@conformance(9)
@pytest.mark.parametrize("manner", ["reset", "close", "silent"])
def test_previews_keep_their_ids_after_a_reconnect(engine: Engine, connect: Connect, manner: Manner) -> None:
    # The flag belongs to the socket: had the new one not said it again, its previews would carry no ids.
    with FaultProxy(engine.url) as proxy:
        client = connect(proxy.url, ping_interval=0.2)
        proxy.cut_websocket(after_messages=6, manner=manner)
        job = client.submit(prompt_of(client), seed=len(manner), previews="auto", steps=1000)
        proxy.wait_for(lambda: len(proxy.websockets) == 2)
        # The first one may have been on its way before the flag arrived.
        proxy.wait_for(lambda: 4 in [event_of(m) for m in list(proxy.messages) if m.connection == 1])
        job.cancel()
        job.wait(30)
        assert proxy.most_open_websockets(client.client_id) == 1


def event_of(message: SeenMessage) -> int | None:
    """The kind of a binary message."""
    return int.from_bytes(message.data[:4], "big") if isinstance(message.data, bytes) else None


@conformance(31)
def test_a_seed_in_history(client: ComfyClient) -> None:
    prompt = prompt_of(client, seed=2**64 - 1)
    result = client.run(prompt, timeout=60)
    entry = client.history(result.prompt_id)
    assert entry is not None
    assert entry.prompt[node_of(prompt, "KSampler")]["inputs"]["seed"] == 2**64 - 1


@conformance(34)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0),
        ("cfg", 1000),
        ("sampler_name", "nobody's"),
        ("seed", "seven"),
        ("model", None),
    ],
)
def test_refusals_in_words(client: ComfyClient, name: str, value: Any) -> None:
    prompt = prompt_of(client)
    sampler = prompt[node_of(prompt, "KSampler")]
    sampler["_meta"] = {"title": "My sampler"}
    sampler["inputs"][name] = value
    if value is None:
        del sampler["inputs"][name]
    with pytest.raises(PromptRefused) as caught:
        client.prompt(prompt)
    for word in ("My sampler", "KSampler", name):
        assert word in str(caught.value)


@conformance(34)
def test_all_missing_classes(client: ComfyClient) -> None:
    prompt = prompt_of(client)
    prompt["90"] = {"class_type": "FancyPack", "inputs": {}}
    prompt["91"] = {"class_type": "OtherPack", "inputs": {}}
    with pytest.raises(PromptRefused, match=r"(?s)FancyPack.*OtherPack"):
        client.prompt(prompt)


@conformance(35)
def test_one_good_output_and_one_bad(client: ComfyClient) -> None:
    prompt = prompt_of(client, seed=35)
    prompt["90"] = {"class_type": "PreviewImage", "inputs": {}, "_meta": {"title": "Second look"}}
    job = client.submit(prompt)
    assert len(job.result(60).images) == 1
    assert any("Second look" in warning for warning in job.warnings)


@conformance(43)
def test_interrupting(client: ComfyClient) -> None:
    job = client.submit(prompt_of(client, seed=43), steps=5000)
    until(lambda: job.progress.step, "the first step", 60)
    client.interrupt(job.prompt_id)
    assert isinstance(job.exception(60), JobCancelled)


@conformance(49)
@conformance(50)
def test_waiting_and_cancelling(engine: Engine, client: ComfyClient, connect: Connect) -> None:
    waiter = connect(engine.url)
    running = client.submit(prompt_of(client, seed=49), steps=5000)
    until(lambda: running.progress.step, "the first step", 60)
    first, second = waiter.submit(prompt_of(client, seed=1)), waiter.submit(prompt_of(client, seed=2))
    until(lambda: (first.progress.queue_position, second.progress.queue_position) == (1, 2), "the places")
    assert first.cancel()
    assert first.wait(30).status == "cancelled"
    until(lambda: second.progress.queue_position == 1, "the new place")
    assert running.cancel()
    assert running.wait(60).status == "cancelled"
    assert len(second.result(60).images) == 1


@conformance(52)
def test_a_cached_run(engine: Engine, client: ComfyClient, connect: Connect) -> None:
    told = connect(engine.url, pace=ONLY_WHEN_TOLD)
    prompt = prompt_of(client, seed=52)
    first, second = told.run(prompt, timeout=60), told.run(prompt, timeout=60)
    assert first.files == second.files
    assert first.images[0].tobytes() == second.images[0].tobytes()
    entry = told.history(second.prompt_id)
    assert entry is not None
    (cached,) = [event for event in entry.status.messages if event.type == "execution_cached"]
    assert set(cached.nodes) == set(prompt)


@conformance(57)
def test_an_upload_is_used(client: ComfyClient) -> None:
    file = client.upload_image(image("x"), "Größe ✓.png")
    prompt = {
        "1": {"class_type": "LoadImage", "inputs": {"image": file.filename}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    result = client.run(prompt, timeout=60)
    assert result.images[0].convert("RGB").tobytes() == Image.open(io.BytesIO(image("x"))).tobytes()


@conformance(60)
def test_bounds_of_the_engine_s_own_nodes(client: ComfyClient) -> None:
    prompt = prompt_of(client)
    for name, value in (("steps", 0), ("steps", 10**9), ("width", 1), ("seed", -1), ("ckpt_name", "none.safetensors")):
        with pytest.raises(WorkflowError):
            client.run(prompt, timeout=10, **{name: value})
