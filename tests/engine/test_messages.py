"""What is told about a run, in which order and shape."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from comfy_widgets.engine import Engine

from .wire import Binary, Socket, entry, lab_images, lab_progress, recorded, run, submit, text_to_image


def label(message: Any) -> tuple[Any, ...]:
    """Reduce a message to what the law of order is about."""
    if isinstance(message, Binary):
        return ("binary", message.event)
    data = message["data"]
    nodes = data.get("nodes")
    if isinstance(nodes, dict):
        nodes = tuple((node_id, state["state"]) for node_id, state in nodes.items())
    return (
        message["type"],
        data.get("node"),
        data.get("value"),
        nodes if message["type"] == "progress_state" else None,
    )


def shape(value: Any) -> Any:
    """Reduce JSON to its keys and types; numbers are numbers."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


CHECKPOINT = "procedural-scenes-64.safetensors"


def recorded_runs(scenario: str) -> list[tuple[dict[str, Any], list[Any]]]:
    """Return each run of a recorded scenario: the prompt, and its messages from execution_start to the end marker."""
    prompts: dict[str, dict[str, Any]] = {}
    runs: dict[str, list[Any]] = {}
    current: list[Any] | None = None
    for event in recorded(scenario):
        if event["kind"] == "http" and event["path"] == "/prompt" and event["response"]["status"] == 200:
            prompts[event["response"]["json"]["prompt_id"]] = event["request"]["json"]["prompt"]
        message = event.get("json") if event["kind"] == "ws_recv" else None
        if message and message["type"] == "execution_start":
            current = runs[message["data"]["prompt_id"]] = []
        if message and current is not None:
            current.append(message)
        if message and message["type"] == "executing" and message["data"]["node"] is None:
            current = None
    return [(prompts[prompt_id], messages) for prompt_id, messages in runs.items()]


def replay(url: str, socket: Socket, prompt: dict[str, Any]) -> list[Any]:
    """Run a recorded prompt here; returns its JSON messages from execution_start to the end marker."""
    for node in prompt.values():
        if node["class_type"] == "CheckpointLoaderSimple":
            node["inputs"]["ckpt_name"] = CHECKPOINT
    messages = socket.until_end(submit(url, prompt, socket.client_id))
    starts = [i for i, m in enumerate(messages) if not isinstance(m, Binary) and m["type"] == "execution_start"]
    return [m for m in messages[starts[-1] :] if not isinstance(m, Binary)]


def test_a_run_its_cached_rerun_and_a_changed_output_are_told_as_recorded(
    url: str, socket: Socket, traces: Path
) -> None:
    runs = recorded_runs("02-cached-rerun")
    assert len(runs) == 5
    run(url, lab_images())  # so that nothing of these is in the cache
    for prompt, theirs in runs:
        ours = replay(url, socket, prompt)
        assert [label(m) for m in ours] == [label(m) for m in theirs]
        assert {m["type"]: shape_of(m) for m in ours} == {m["type"]: shape_of(m) for m in theirs}


def shape_of(message: Any) -> Any:
    """Return the shape of a message; which nodes a progress_state names is the order's business."""
    data = dict(message["data"])
    if message["type"] == "progress_state":
        data["nodes"] = next(iter(data["nodes"].values()))
    return shape(data)


def test_a_preview_stands_between_progress_state_and_progress(url: str, socket: Socket) -> None:
    messages = socket.until_end(submit(url, lab_progress(3, preview_every=1), socket.client_id))
    labels = [label(m)[0] for m in messages]
    where = [i for i, m in enumerate(messages) if isinstance(m, Binary) and m.event == 4]
    assert where
    assert all(labels[i - 1] == "progress_state" and labels[i + 1] == "progress" for i in where)
    metadata = messages[where[0]].metadata
    assert metadata["node_id"] == metadata["display_node_id"] == metadata["real_node_id"] == "1"
    assert metadata["parent_node_id"] is None
    assert metadata["image_type"] == "image/jpeg"
    assert Image.open(io.BytesIO(messages[where[0]].image)).format == "JPEG"


def test_a_client_without_the_flag_gets_plain_previews_after_progress(url: str) -> None:
    socket = Socket(url, flags=False)
    messages = socket.until_end(submit(url, lab_progress(3, preview_every=1), socket.client_id))
    labels = [label(m) for m in messages]
    where = [i for i, m in enumerate(messages) if isinstance(m, Binary)]
    assert where
    assert all(labels[i] == ("binary", 1) and labels[i - 1][0] == "progress" for i in where)
    assert messages[where[0]].format == 1
    socket.close()


def test_flags_count_only_as_the_first_object(url: str) -> None:
    late = Socket(url, first='{"type": "hello"}')
    after_junk = Socket(url, first="no json")
    for socket, event in ((late, 1), (after_junk, 4)):
        messages = socket.until_end(submit(url, lab_progress(2, preview_every=1), socket.client_id))
        assert {m.event for m in messages if isinstance(m, Binary)} == {event}
        socket.close()


def test_the_sampler_previews_its_steps_as_the_picture_is_shaped(url: str, socket: Socket) -> None:
    graph = text_to_image(steps=6, seed=31)
    graph["5"]["inputs"].update(width=256, height=128)
    extra = {"preview_method": "auto"}
    messages = socket.until_end(submit(url, graph, socket.client_id, extra_data=extra))
    frames = [Image.open(io.BytesIO(m.image)) for m in messages if isinstance(m, Binary)]
    assert len(frames) >= 2
    assert {frame.size for frame in frames} == {(256, 128)}
    assert frames[0].tobytes() != frames[-1].tobytes()


@pytest.mark.parametrize(("seed", "method"), list(enumerate([None, "none", "default", "something", 7])))
def test_a_sampler_sends_no_previews_unless_it_is_asked(url: str, socket: Socket, seed: int, method: Any) -> None:
    extra = {} if method is None else {"preview_method": method}
    prompt_id = submit(url, text_to_image(steps=2, seed=4000 + seed), socket.client_id, extra_data=extra)
    messages = socket.until_end(prompt_id)
    assert not [m for m in messages if isinstance(m, Binary)]
    assert [m for m in messages if m["type"] == "progress"]


def test_an_engine_with_a_preview_method_sends_them_unless_a_prompt_says_none() -> None:
    with Engine(preview_method="latent2rgb") as other:
        told = Socket(other.url)
        plain = told.until_end(submit(other.url, text_to_image(steps=2), told.client_id))
        assert [m for m in plain if isinstance(m, Binary)]
        seen = len(plain)
        extra = {"preview_method": "none"}
        asked_not = told.until_end(submit(other.url, text_to_image(seed=2), told.client_id, extra_data=extra))
        assert not [m for m in asked_not[seen:] if isinstance(m, Binary)]
        told.close()


def test_previews_of_other_nodes_are_sent_in_any_case(url: str, socket: Socket) -> None:
    extra = {"preview_method": "none"}
    messages = socket.until_end(submit(url, lab_progress(3, preview_every=1), socket.client_id, extra_data=extra))
    assert [m for m in messages if isinstance(m, Binary)]


def test_text_of_a_node(url: str, socket: Socket) -> None:
    prompt = {"1": {"class_type": "LabText", "inputs": {"text": "ä"}}}
    messages = socket.until_end(submit(url, prompt, socket.client_id))
    told = next(m for m in messages if isinstance(m, Binary))
    assert (told.event, told.node, told.text) == (3, "1", "working")
    executed = next(m["data"] for m in messages if not isinstance(m, Binary) and m["type"] == "executed")
    assert executed["output"] == {"text": ["ä", "line two: äöü ✓"]}


def test_history_is_there_when_the_end_is_told(url: str, socket: Socket) -> None:
    for _ in range(20):
        prompt_id = submit(url, lab_images(), socket.client_id)
        socket.until_end(prompt_id)
        assert prompt_id in requests.get(f"{url}/history/{prompt_id}", timeout=60).json()


def test_a_failing_node(url: str, socket: Socket, traces: Path) -> None:
    prompt = {
        **lab_images(),
        "3": {
            "class_type": "LabFail",
            "inputs": {"message": "boom", "kind": "ValueError", "after_seconds": 0, "enabled": True, "image": ["1", 0]},
        },
        "4": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}},
    }
    prompt_id = submit(url, prompt, socket.client_id)
    messages = socket.until_end(prompt_id)
    assert [m["type"] for m in messages[-3:]] == ["execution_error", "status", "executing"]
    error = messages[-3]["data"]
    assert (error["node_id"], error["node_type"]) == ("3", "LabFail")
    assert (error["exception_type"], error["exception_message"]) == ("ValueError", "boom\n")
    assert error["executed"] == ["1", "2"]
    assert error["current_inputs"]["kind"] == ["ValueError"]
    assert any("lab_nodes.py" in line for line in error["traceback"])
    theirs = next(
        event["json"]["data"]
        for event in recorded("05-execution-error")
        if event["kind"] == "ws_recv" and event.get("json", {}).get("type") == "execution_error"
    )
    assert shape(error).keys() == shape(theirs).keys()
    ended = entry(url, prompt_id)
    assert (ended["status"]["status_str"], ended["status"]["completed"]) == ("error", False)
    assert ended["status"]["messages"][-1] == ["execution_error", error]
    assert list(ended["outputs"]) == ["2"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [("SystemExit", "SystemExit"), ("MemoryError", "MemoryError"), ("PIL", "PIL.UnidentifiedImageError")],
)
def test_nothing_that_a_node_raises_stops_the_worker(url: str, kind: str, name: str) -> None:
    inputs = {"message": "x", "kind": kind, "after_seconds": 0, "enabled": True}
    prompt = {
        "1": {"class_type": "LabFail", "inputs": inputs},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    assert run(url, prompt)["status"]["messages"][-1][1]["exception_type"] == name
    assert run(url, lab_images())["status"]["completed"]


def test_what_cannot_be_told_is_the_nodes_error(url: str) -> None:
    prompt_id = submit(url, {"1": {"class_type": "LabBadUi", "inputs": {"text": "x"}}}, "nobody")
    assert entry(url, prompt_id)["status"]["messages"][-1][0] == "execution_error"
    assert prompt_id in requests.get(f"{url}/history", timeout=60).json()


def test_a_blocked_branch_is_told_and_not_the_end(url: str, socket: Socket) -> None:
    prompt = {
        "1": {"class_type": "LabBlock", "inputs": {"message": "not today", "seed": 5}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
        "3": {"class_type": "LabImages", "inputs": {"count": 1, "width": 16, "height": 16, "seed": 77}},
        "4": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}},
    }
    prompt_id = submit(url, prompt, socket.client_id)
    messages = socket.until_end(prompt_id)
    blocked = next(m["data"] for m in messages if m["type"] == "execution_error")
    assert blocked["exception_type"] == "ExecutionBlocked"
    assert blocked["exception_message"] == "Execution Blocked: not today"
    assert (blocked["node_id"], blocked["current_inputs"], blocked["traceback"]) == ("2", [], [])
    assert "timestamp" not in blocked
    ended = entry(url, prompt_id)
    assert ended["status"]["completed"]
    assert list(ended["outputs"]) == ["4"]
    assert [kind for kind, _ in ended["status"]["messages"]] == [
        "execution_start",
        "execution_cached",
        "execution_success",
    ]


def test_lists_run_a_node_for_each_item(url: str) -> None:
    prompt = lab_images(count=3)
    prompt["1"]["class_type"] = "LabImageList"
    items = run(url, prompt)["outputs"]["2"]["images"]
    assert len({item["filename"] for item in items}) == 3


class TestWhoHearsWhat:
    def test_a_prompt_of_another_client_is_not_told(self, url: str, socket: Socket) -> None:
        other = Socket(url)
        prompt_id = submit(url, lab_progress(2), other.client_id)
        other.until_end(prompt_id)
        mine = submit(url, lab_images(), socket.client_id)
        heard = {m["type"] for m in socket.until_end(mine) if m["data"].get("prompt_id") == prompt_id}
        assert heard == set()
        assert [m for m in socket.messages if m["type"] == "status"]
        other.close()

    def test_a_prompt_without_client_is_told_to_all_in_part(self, url: str, socket: Socket) -> None:
        prompt_id = submit(url, lab_progress(3, preview_every=1))
        entry(url, prompt_id)
        mine = submit(url, lab_images(), socket.client_id)
        heard = socket.until_end(mine)
        kinds = {m["type"] for m in heard if not isinstance(m, Binary) and m["data"].get("prompt_id") == prompt_id}
        assert kinds == {"progress", "progress_state"}
        assert {m.event for m in heard if isinstance(m, Binary)} == {1}


def test_words_that_the_model_does_not_know_are_told(url: str, socket: Socket) -> None:
    prompt_id = submit(url, text_to_image(text="a red dog and a balloon"), socket.client_id)
    messages = socket.until_end(prompt_id)
    told = [message.text for message in messages if isinstance(message, Binary) and message.event == 3]
    note = 'This small model does not know "dog" (the nearest that it knows is "cat"). Such words change nothing.'
    assert note in told
    assert [ui["text"] for ui in entry(url, prompt_id)["outputs"].values() if "text" in ui] == [[note]]
