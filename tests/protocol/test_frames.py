"""Frames, byte by byte and field by field: what each message becomes, and what is made of an odd one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comfy_widgets.protocol import (
    FEATURE_FLAGS_FRAME,
    Event,
    Executed,
    Executing,
    ExecutionCached,
    ExecutionError,
    ExecutionInterrupted,
    ExecutionStart,
    ExecutionSuccess,
    FeatureFlags,
    HistoryEntry,
    Logs,
    Malformed,
    NodeProgress,
    Preview,
    ProgressEvent,
    ProgressState,
    ProgressText,
    Status,
    Unknown,
    parse_binary,
    parse_text,
)

ID = "5cc2c4bd-38b0-4b1a-9a2f-1a1f5d9f2b10"


def message(name: object, data: object) -> str:
    return json.dumps({"type": name, "data": data})


def u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def part(text: str) -> bytes:
    return u32(len(text.encode())) + text.encode()


def preview_frame(image: bytes = b"image", **meta: object) -> bytes:
    encoded = json.dumps(meta).encode()
    return u32(4) + u32(len(encoded)) + encoded + image


WHOLE: list[tuple[str, dict[str, Any], Event]] = [
    ("status", {"status": {"exec_info": {"queue_remaining": 3}}, "sid": "me"}, Status(queue_remaining=3, sid="me")),
    ("status", {"status": {"exec_info": {"queue_remaining": 0}}}, Status(queue_remaining=0)),
    ("feature_flags", {"supports_preview_metadata": True}, FeatureFlags(flags={"supports_preview_metadata": True})),
    ("execution_start", {"prompt_id": ID, "timestamp": 17}, ExecutionStart(timestamp=17, prompt_id=ID)),
    (
        "execution_cached",
        {"prompt_id": ID, "nodes": ["4", "6"], "timestamp": 17},
        ExecutionCached(nodes=("4", "6"), timestamp=17, prompt_id=ID),
    ),
    (
        "executing",
        {"prompt_id": ID, "node": "3.0.1", "display_node": "3"},
        Executing(node="3.0.1", display_node="3", prompt_id=ID),
    ),
    ("executing", {"prompt_id": ID, "node": "3"}, Executing(node="3", display_node="3", prompt_id=ID)),
    ("executing", {"prompt_id": ID, "node": None}, Executing(prompt_id=ID)),
    (
        "progress",
        {"prompt_id": ID, "node": "3", "value": 2, "max": 20},
        ProgressEvent(node="3", value=2, max=20, prompt_id=ID),
    ),
    (
        "progress_state",
        {
            "prompt_id": ID,
            "nodes": {
                "3": {"value": 2, "max": 20, "state": "running", "display_node_id": "3"},
                "7.1": {"value": 1, "max": 1, "state": "finished", "display_node_id": "7"},
            },
        },
        ProgressState(
            nodes={"3": NodeProgress("3", 2, 20, "running", "3"), "7.1": NodeProgress("7.1", 1, 1, "finished", "7")},
            prompt_id=ID,
        ),
    ),
    (
        "executed",
        {"prompt_id": ID, "node": "9.1", "display_node": "9", "output": {"text": ["a"]}},
        Executed(node="9.1", display_node="9", output={"text": ["a"]}, prompt_id=ID),
    ),
    (
        "executed",
        {"prompt_id": ID, "node": "9", "output": None},
        Executed(node="9", display_node="9", output={}, prompt_id=ID),
    ),
    ("execution_success", {"prompt_id": ID, "timestamp": 17}, ExecutionSuccess(timestamp=17, prompt_id=ID)),
    (
        "execution_error",
        {
            "prompt_id": ID,
            "node_id": "3",
            "node_type": "KSampler",
            "executed": ["4"],
            "exception_message": " out of memory\n",
            "exception_type": "torch.OutOfMemoryError",
            "traceback": ["line one\n", "line two\n"],
            "current_inputs": {"seed": [7]},
        },
        ExecutionError(
            node_id="3",
            node_type="KSampler",
            exception_message="out of memory",
            exception_type="torch.OutOfMemoryError",
            traceback=("line one\n", "line two\n"),
            current_inputs={"seed": [7]},
            executed=("4",),
            prompt_id=ID,
        ),
    ),
    (
        "execution_interrupted",
        {"prompt_id": ID, "node_id": "3", "node_type": "KSampler", "executed": ["4", "6"]},
        ExecutionInterrupted(node_id="3", node_type="KSampler", executed=("4", "6"), prompt_id=ID),
    ),
    ("crystools.monitor", {"cpu": 12.5}, Unknown(name="crystools.monitor", data={"cpu": 12.5})),
    ("some.pack", {"prompt_id": ID}, Unknown(name="some.pack", data={"prompt_id": ID}, prompt_id=ID)),
    ("some.pack", {"prompt_id": 7}, Unknown(name="some.pack", data={"prompt_id": 7}, prompt_id="7")),
]


@pytest.mark.parametrize(("name", "data", "event"), WHOLE, ids=[name for name, _, _ in WHOLE])
def test_each_message_becomes_its_event(name: str, data: dict[str, Any], event: Event) -> None:
    assert parse_text(message(name, data)) == event
    assert parse_text(message(name, data).encode()) == event


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("status", Status()),
        ("feature_flags", FeatureFlags()),
        ("execution_start", ExecutionStart()),
        ("execution_cached", ExecutionCached()),
        ("executing", Executing()),
        ("progress", ProgressEvent(node=None, value=0.0, max=1.0)),
        ("progress_state", ProgressState()),
        ("executed", Executed()),
        ("execution_success", ExecutionSuccess()),
        ("execution_error", ExecutionError()),
        ("execution_interrupted", ExecutionInterrupted()),
    ],
)
def test_a_message_that_lacks_everything_has_the_defaults(name: str, event: Event) -> None:
    assert parse_text(message(name, {})) == event
    assert event.type == name
    for data in (None, [], "text", 7):
        frame = message(name, data)
        assert parse_text(frame) == Malformed(reason=f"{name} without data", size=len(frame))


def test_ids_that_are_numbers_are_read_as_text_and_other_things_are_none() -> None:
    assert parse_text(message("executing", {"node": 3})) == Executing(node="3", display_node="3")
    for value in (True, 3.5, ["3"], {"id": "3"}):
        assert parse_text(message("executing", {"node": value, "display_node": value, "prompt_id": value})) == (
            Executing()
        )


def test_a_timestamp_is_a_whole_number() -> None:
    for value in (True, 1.5, "17", None):
        assert parse_text(message("execution_start", {"timestamp": value})) == ExecutionStart()


@pytest.mark.parametrize("largest", [2**53, -(2**53), float(2**53)])
def test_numbers_count_up_to_what_a_float_holds_exactly(largest: float) -> None:
    assert parse_text(message("progress", {"value": largest, "max": largest})) == (
        ProgressEvent(value=largest, max=largest)
    )
    beyond = int(largest) * 2
    assert parse_text(message("progress", {"value": beyond, "max": beyond})) == ProgressEvent(value=0.0, max=1.0)


@pytest.mark.parametrize("number", [True, "3", None, float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_counts_as_no_progress(number: object) -> None:
    assert parse_text(message("progress", {"node": "3", "value": number, "max": number})) == ProgressEvent(node="3")
    nodes = {"3": {"value": number, "max": number, "state": "running"}}
    assert parse_text(message("progress_state", {"nodes": nodes})) == (
        ProgressState(nodes={"3": NodeProgress("3", 0.0, 1.0, "running", "3")})
    )


@pytest.mark.parametrize("shown", [None, 3, ["3"], {}])
def test_a_node_without_a_display_node_stands_for_itself(shown: object) -> None:
    nodes = {"3": {"value": 1, "max": 2, "state": "running", "display_node_id": shown}, "4": {"value": 1}, "5": None}
    event = parse_text(message("progress_state", {"nodes": nodes}))
    assert isinstance(event, ProgressState)
    assert event.nodes == {"3": NodeProgress("3", 1, 2, "running", "3"), "4": NodeProgress("4", 1, 1.0, "None", "4")}


def test_only_a_blocked_branch_is_blocked() -> None:
    blocked = parse_text(message("execution_error", {"exception_type": "ExecutionBlocked", "current_inputs": []}))
    assert isinstance(blocked, ExecutionError)
    assert blocked.blocked
    assert blocked.current_inputs == {}
    assert not ExecutionError(exception_type="ValueError").blocked


@pytest.mark.parametrize("frame", ["", "{", "[" * 100_000, b"\xff", "\ud800"])
def test_what_is_not_json_is_malformed(frame: str | bytes) -> None:
    event = parse_text(frame)
    assert isinstance(event, Malformed)
    assert event.reason.startswith("not JSON: ")
    assert event.size == len(frame)


@pytest.mark.parametrize("frame", ["[1, 2]", "null", '"text"', "7"])
def test_json_that_is_no_object_is_malformed(frame: str) -> None:
    assert parse_text(frame) == Malformed(reason="JSON, but not an object", size=len(frame))


@pytest.mark.parametrize("name", [None, 7, ["status"], {}])
def test_a_type_that_is_no_text_is_unknown(name: object) -> None:
    assert parse_text(message(name, {"prompt_id": ID})) == (
        Unknown(name=str(name), data={"prompt_id": ID}, prompt_id=ID)
    )
    assert parse_text(message(name, [ID])) == Unknown(name=str(name), data=[ID])


def test_plain_previews_have_no_ids() -> None:
    assert parse_binary(u32(1) + u32(1) + b"jpeg") == Preview(image=b"jpeg", mime="image/jpeg")
    assert parse_binary(u32(1) + u32(2) + b"png") == Preview(image=b"png", mime="image/png")
    assert parse_binary(u32(1) + u32(9) + b"?") == Preview(image=b"?", mime="image/jpeg")
    assert parse_binary(u32(1) + u32(1)) == Preview(image=b"")


def test_a_preview_with_metadata_names_its_node_and_its_prompt() -> None:
    frame = preview_frame(node_id="3.1", display_node_id="3", prompt_id=ID, image_type="image/png")
    assert parse_binary(frame) == (
        Preview(image=b"image", mime="image/png", node_id="3.1", display_node_id="3", prompt_id=ID)
    )


@pytest.mark.parametrize("shown", [{}, {"display_node_id": None}, {"display_node_id": ""}])
def test_a_preview_without_a_display_node_belongs_to_the_node_itself(shown: dict[str, Any]) -> None:
    event = parse_binary(preview_frame(node_id="3", **shown))
    assert event == Preview(image=b"image", mime="image/jpeg", node_id="3", display_node_id="3")


def test_a_preview_that_is_cut_in_its_metadata_is_malformed() -> None:
    frame = preview_frame(b"", node_id="3")
    assert parse_binary(frame) == Preview(node_id="3", display_node_id="3")
    assert parse_binary(frame[:-1]) == Malformed(reason="preview metadata cut short", size=len(frame) - 1)


ODD_METADATA = [(b"{", "is not JSON"), (b"\xff", "is not JSON"), (b"[" * 99_999, "is not JSON")]


@pytest.mark.parametrize(("meta", "reason"), [*ODD_METADATA, (b"[]", "is not an object")])
def test_a_preview_with_odd_metadata_is_malformed(meta: bytes, reason: str) -> None:
    frame = u32(4) + u32(len(meta)) + meta + b"image"
    assert parse_binary(frame) == Malformed(reason=f"preview metadata {reason}", size=len(frame))


def test_text_of_a_node_with_and_without_the_id_of_the_prompt() -> None:
    plain = u32(3) + part("3") + "loading äöü".encode()
    assert parse_binary(plain) == ProgressText(node_id="3", text="loading äöü")
    named = u32(3) + part(ID) + part("3") + b"loading"
    assert parse_binary(named, text_has_prompt_id=True) == ProgressText(node_id="3", text="loading", prompt_id=ID)
    assert parse_binary(u32(3) + part("") + b"text") == ProgressText(node_id="", text="text")
    assert parse_binary(u32(3) + part("123")) == ProgressText(node_id="123", text="")
    assert parse_binary(u32(3) + part(ID) + part("3"), text_has_prompt_id=True) == (
        ProgressText(node_id="3", text="", prompt_id=ID)
    )
    assert parse_binary(u32(3) + part("") + part(""), text_has_prompt_id=True) == ProgressText(node_id="", prompt_id="")


def test_text_that_is_no_utf_8_is_shown_all_the_same() -> None:
    assert parse_binary(u32(3) + u32(1) + b"\xff\xfe") == ProgressText(node_id="�", text="�")
    assert parse_binary(u32(3) + u32(1) + b"\xff" + u32(1) + b"\xff\xff", text_has_prompt_id=True) == (
        ProgressText(node_id="�", text="�", prompt_id="�")
    )


@pytest.mark.parametrize("cut", [1, 2, 5, 6])
def test_text_that_is_cut_is_malformed(cut: int) -> None:
    frame = (u32(3) + part(ID) + part("3"))[:-cut]
    assert parse_binary(frame, text_has_prompt_id=True) == Malformed(reason="progress text cut short", size=len(frame))
    plain = u32(3) + part("a long node id")[: -min(cut, 5)]
    assert parse_binary(plain) == Malformed(reason="progress text cut short", size=len(plain))


@pytest.mark.parametrize("length", range(8))
def test_a_binary_frame_needs_a_whole_header(length: int) -> None:
    frame = (u32(1) + u32(1))[:length]
    assert parse_binary(frame) == Malformed(reason="binary frame shorter than its header", size=length)


@pytest.mark.parametrize("kind", [0, 2, 5, 2**32 - 1])
def test_other_kinds_of_binary_frame_are_unknown(kind: int) -> None:
    assert parse_binary(u32(kind) + u32(1) + b"image") == Unknown(name=f"binary {kind}")


def test_the_flags_are_what_comfyui_reads() -> None:
    assert json.loads(FEATURE_FLAGS_FRAME) == {"type": "feature_flags", "data": {"supports_preview_metadata": True}}


def test_messages_of_a_history_entry_are_the_same_events() -> None:
    kept = [["execution_start", {"prompt_id": ID, "timestamp": 1}], ["some.pack", {"a": 1}], ["execution_start"], "x"]
    kept += [["execution_start", []], [7, {}], [["execution_start"], {}], ["execution_start", {}, 1]]
    entry = HistoryEntry.parse(ID, {"status": {"messages": kept}})
    odd = Malformed(reason="not a [type, data] pair")
    assert entry.status.messages == (
        *(ExecutionStart(timestamp=1, prompt_id=ID), Unknown(name="some.pack", data={"a": 1})),
        *(odd, odd, odd, odd, odd, odd),
    )


def test_what_the_server_logged() -> None:
    entries = [{"t": "2026-11-25T23:52:55", "m": "\x1b[32m[INFO]\x1b[0m got prompt\n"}, {"m": 3}, None]
    event = parse_text(json.dumps({"type": "logs", "data": {"entries": entries, "size": None}}))
    assert isinstance(event, Logs)
    assert [entry.m for entry in event.entries] == ["\x1b[32m[INFO]\x1b[0m got prompt\n", "3"]
    assert parse_text('{"type": "logs", "data": {"entries": 5}}') == Logs()
