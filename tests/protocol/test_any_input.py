"""Whatever a server sends becomes an event or a reply, or a defined error, and never another exception."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfy_widgets.client._progress import reduce
from comfy_widgets.client._run_state import Plan, RunState
from comfy_widgets.protocol import (
    Event,
    HistoryEntry,
    Malformed,
    Preview,
    ProgressText,
    PromptReply,
    Queue,
    Refusal,
    SystemStats,
    as_file,
    files_of,
    node_problems,
    parse_binary,
    parse_text,
    texts_of,
)

TYPES = [
    *("status", "feature_flags", "execution_start", "execution_cached", "executing", "progress", "progress_state"),
    *("executed", "execution_success", "execution_error", "execution_interrupted", "crystools.monitor"),
]
KEYS = [
    *("prompt_id", "node", "display_node", "nodes", "value", "max", "state", "output", "status", "exec_info"),
    *("queue_remaining", "sid", "node_id", "node_type", "exception_message", "exception_type", "traceback"),
    *("current_inputs", "images", "filename", "subfolder", "type", "display_node_id", "executed", "timestamp"),
    *("error", "message", "details", "extra_info", "node_errors", "errors", "class_type", "input_name"),
    *("input_config", "received_value", "messages", "outputs", "prompt", "meta", "queue_running", "queue_pending"),
    *("system", "devices", "text", "number", "code"),
]
scalar = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["3", "9", "id"])
)
value = st.recursive(
    scalar,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner),
    max_leaves=20,
)
data = st.dictionaries(st.sampled_from(KEYS), value, max_size=8)
PROMPT = {"3": {"class_type": "KSampler", "inputs": {}}, "9": {"class_type": "SaveImage", "inputs": {}}}


@given(st.binary(max_size=200) | st.text(max_size=100))
def test_any_text_frame(frame: Any) -> None:
    assert isinstance(parse_text(frame), Event)


@given(st.sampled_from(TYPES), data | value)
@settings(max_examples=300)
def test_any_json_of_a_known_type_and_what_the_reducer_makes_of_it(name: str, content: Any) -> None:
    event = parse_text(json.dumps({"type": name, "data": content}))
    assert isinstance(event, Event)
    assert event.prompt_id is None or isinstance(event.prompt_id, str)
    state = reduce(RunState(Plan.of(PROMPT)), event, 1.0)
    assert 0.0 <= state.progress.fraction < 1.0


@given(st.sampled_from(["value", "max"]), st.sampled_from([float("nan"), float("inf"), -float("inf"), 10**400]))
def test_no_number_disturbs_the_bar(key: str, number: float) -> None:
    counts = {"value": 3, "max": 10, key: number}
    for message in (
        {"type": "progress", "data": {"node": "3", **counts}},
        {"type": "progress_state", "data": {"nodes": {"3": {"state": "running", **counts}}}},
    ):
        state = reduce(RunState(Plan.of(PROMPT)), parse_text(json.dumps(message)), 1.0)
        assert 0.0 <= state.progress.fraction < 1.0


@given(st.sampled_from([0, 1, 2, 3, 4, 5, 2**32 - 1]), st.binary(max_size=80), st.booleans())
@settings(max_examples=300)
def test_any_binary_frame(kind: int, rest: bytes, with_id: bool) -> None:
    assert isinstance(parse_binary(kind.to_bytes(4, "big") + rest, text_has_prompt_id=with_id), Event)


@given(st.binary(max_size=12))
def test_a_frame_cut_anywhere(image: bytes) -> None:
    meta = json.dumps({"node_id": "3", "prompt_id": "id", "image_type": "image/png"}).encode()
    whole = (4).to_bytes(4, "big") + len(meta).to_bytes(4, "big") + meta + image
    event = parse_binary(whole)
    assert isinstance(event, Preview)
    assert (event.image, event.mime, event.node_id, event.prompt_id) == (image, "image/png", "3", "id")
    for end in range(8 + len(meta)):
        assert isinstance(parse_binary(whole[:end]), Malformed)


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_progress_text_with_and_without_a_prompt_id(node: str, prompt_id: str, text: str) -> None:
    def part(string: str) -> bytes:
        return len(string.encode()).to_bytes(4, "big") + string.encode()

    plain = parse_binary((3).to_bytes(4, "big") + part(node) + text.encode())
    if len(plain_frame := (3).to_bytes(4, "big") + part(node) + text.encode()) >= 8:
        assert plain == ProgressText(node_id=node, text=text), plain_frame
    named = parse_binary((3).to_bytes(4, "big") + part(prompt_id) + part(node) + text.encode(), text_has_prompt_id=True)
    assert named == ProgressText(node_id=node, text=text, prompt_id=prompt_id)


@given(data)
@settings(max_examples=300)
def test_any_json_object_as_any_reply(body: dict[str, Any]) -> None:
    PromptReply.parse(body)
    Queue.parse(body).position("id")
    entry = HistoryEntry.parse("id", body)
    assert entry.outcome in ("completed", "failed", "cancelled")
    assert all(file.kind for file in entry.files)
    SystemStats.parse(body)
    files_of(body)
    texts_of(body)
    as_file(body)


@given(value)
@settings(max_examples=300)
def test_any_json_as_a_refusal(body: Any) -> None:
    refusal = Refusal.parse(body, 400)
    problems = refusal.problems(PROMPT)
    assert problems
    assert all(problem.text for problem in problems)
    list(node_problems(refusal.node_errors, PROMPT))


def test_many_random_frames() -> None:
    # A million of them are a matter of half a minute (bench/fuzz_frames.py); these stand for them.
    random_ = random.Random(2026)
    for _ in range(20_000):
        frame = random_.randbytes(random_.randrange(60))
        assert isinstance(parse_text(frame), Event)
        assert isinstance(parse_binary(frame), Event)


@pytest.mark.parametrize("depth", range(900, 996, 3))
def test_nesting_at_the_edge_of_what_python_takes(depth: int) -> None:
    deep = "[" * depth + "]" * depth
    error = {"exception_message": "D", "exception_type": "D", "traceback": ["D"]}
    problem = {"type": "D", "message": "D", "details": "D", "extra_info": {"received_value": "D"}}
    bodies = {
        "frame": {"type": "execution_error", "data": error},
        "queue": {"queue_running": [[0, "D", {}, {}, ["D"]]]},
        "history": {"outputs": {"9": {"x": [{"a": "D"}]}}, "status": {"messages": [["execution_error", error]]}},
        "refusal": {"error": problem, "node_errors": {"3": {"class_type": "D", "errors": [problem]}}},
    }
    read: dict[str, Any] = {}
    for name, body in bodies.items():
        text = json.dumps(body).replace('"D"', deep)
        if name == "frame":
            assert isinstance(parse_text(text), Event)
            continue
        try:
            read[name] = json.loads(text)
        except RecursionError:
            return
    _deeper(lambda: Queue.parse(read["queue"]))
    _deeper(lambda: HistoryEntry.parse("a", read["history"]).texts)
    _deeper(lambda: Refusal.parse(read["refusal"], 400).problems({}))


def _deeper(act: Callable[[], object], frames: int = 12) -> None:
    """Read it further down than it was decoded."""
    if frames:
        _deeper(act, frames - 1)
    else:
        act()
