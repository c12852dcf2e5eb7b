"""Bodies of answers, field by field, and files with their kinds."""

from __future__ import annotations

from typing import Any

import pytest

from comfy_widgets.protocol import (
    Device,
    ExecutionError,
    ExecutionInterrupted,
    ExecutionSuccess,
    File,
    HistoryEntry,
    PromptReply,
    Queue,
    System,
    SystemStats,
    as_file,
    files_of,
    images_of,
)

ID = "5cc2c4bd-38b0-4b1a-9a2f-1a1f5d9f2b10"


@pytest.mark.parametrize(
    ("filename", "kind"),
    [
        *(
            (f"a.{name}", "image")
            for name in ["png", "jpg", "jpeg", "webp", "gif", "bmp", "avif", "apng", "tif", "tiff", "svg", "PNG"]
        ),
        *((f"a.{name}", "video") for name in ["mp4", "webm", "mov", "mkv", "avi", "m4v"]),
        *((f"a.{name}", "audio") for name in ["flac", "mp3", "wav", "ogg", "opus", "m4a", "aac"]),
        *(
            (f"a.{name}", "3d")
            for name in ["glb", "gltf", "obj", "fbx", "stl", "ply", "usdz", "splat", "ksplat", "spz"]
        ),
        *((f"a.{name}", "text") for name in ["txt", "json", "csv", "md"]),
        *((name, "other") for name in ("a.bin", "a", ".png", "png")),
    ],
)
def test_the_extension_decides_the_kind(filename: str, kind: str) -> None:
    assert File(filename, key="odd").kind == kind
    if kind != "other":
        assert File(filename, key="audio", extra={"format": "video/h264-mp4"}).kind == kind


@pytest.mark.parametrize(
    ("format_", "key", "kind"),
    [
        ("video/h264-mp4", "images", "video"),
        ("image/gif", "gifs", "image"),
        ("audio/flac", "images", "audio"),
        ("application/json", "audio", "audio"),
        (None, "images", "image"),
        (None, "gifs", "image"),
        (None, "video", "video"),
        (None, "3d", "3d"),
        (None, "latents", "other"),
    ],
)
def test_without_a_known_extension_the_format_decides_and_then_the_key(
    format_: str | None, key: str, kind: str
) -> None:
    assert File("a.bin", key=key, extra={} if format_ is None else {"format": format_}).kind == kind


def test_an_item_becomes_a_file_with_all_that_was_said_of_it() -> None:
    item = {"filename": "a.mp4", "subfolder": "x", "type": "temp", "format": "video/mp4", "frame_rate": 8}
    file = as_file(item, node_id="9", key="gifs")
    assert file is not None
    assert (file.filename, file.subfolder, file.type) == ("a.mp4", "x", "temp")
    assert (file.node_id, file.key, file.extra) == ("9", "gifs", {"format": "video/mp4", "frame_rate": 8})
    assert as_file(file) is file
    plain = as_file({"filename": "a.png"})
    assert plain is not None
    assert (plain.subfolder, plain.type, plain.node_id, plain.key, plain.extra) == ("", "output", None, "images", {})
    odd = as_file({"filename": "a.png", "subfolder": None, "type": 7})
    assert odd == plain


@pytest.mark.parametrize("item", [None, "a.png", {}, {"filename": ""}, {"filename": None}, ["a.png"]])
def test_other_items_are_no_files(item: object) -> None:
    assert as_file(item) is None


def test_a_file_is_listed_once_under_the_first_node_that_names_it() -> None:
    one, other = {"filename": "a.png"}, {"filename": "b.flac", "type": "temp"}
    outputs = {"9": {"images": [one, None, one]}, "10": {"audio": [other], "images": [one], "text": ["t"]}, "11": None}
    outputs["12"] = {"images": "a.png"}
    files = files_of(outputs)
    assert files == (File("a.png"), File("b.flac", type="temp"))
    assert [(file.node_id, file.key) for file in files] == [("9", "images"), ("10", "audio")]


def test_images_are_what_nodes_made_and_not_an_input_shown_again() -> None:
    items = [
        {"filename": "made.png"},
        {"filename": "shown.png", "type": "input"},
        {"filename": "seen.png", "type": "temp"},
    ]
    outputs = {"9": {"images": items}, "10": {"gifs": [{"filename": "a.mp4"}]}}
    assert images_of(outputs) == [File("made.png"), File("seen.png", type="temp")]


def test_the_answer_to_a_prompt() -> None:
    body = {"prompt_id": ID, "number": 7, "node_errors": {"3": {}}, "new": 1}
    assert PromptReply.parse(body) == PromptReply(ID, 7, {"3": {}}, {"new": 1})
    assert PromptReply.parse({"prompt_id": ID, "number": "7", "node_errors": []}) == PromptReply(ID)


def item(number: Any, prompt_id: str = ID, *rest: Any) -> list[Any]:
    return [number, prompt_id, *(rest or ({}, {}, ["9"]))]


def test_the_queue_is_in_the_order_in_which_it_will_run() -> None:
    queue = Queue.parse(
        {
            "queue_running": [item(5, "runs", {"3": {}}, {"client_id": "me"}, ["9", 10])],
            "queue_pending": [item(9, "late"), item(-3, "front"), item(0.5, "b"), item(0.5, "a")],
        }
    )
    assert [entry.prompt_id for entry in queue.queue_pending] == ["front", "a", "b", "late"]
    (running,) = queue.queue_running
    assert (running.number, running.prompt, running.extra_data) == (5, {"3": {}}, {"client_id": "me"})
    assert running.outputs_to_execute == ("9", "10")
    assert [queue.position(name) for name in ("runs", "front", "late", "gone")] == [0, 1, 4, None]
    found = queue.find("a")
    assert found is not None
    assert found.number == 0.5
    assert queue.find("gone") is None
    assert queue.running("runs")
    assert not queue.running("front")


def test_the_first_of_several_prompts_with_one_id_counts() -> None:
    queue = Queue.parse({"queue_running": [item(5, "twin")], "queue_pending": [item(7, "twin"), item(8, "other")]})
    assert queue.position("twin") == 0
    twin = queue.find("twin")
    assert twin is not None
    assert twin.number == 5
    assert queue.position("other") == 2


def test_items_that_are_none_are_left_out_and_short_ones_filled_up() -> None:
    nan = float("nan")
    queue = Queue.parse(
        {
            "queue_running": None,
            "queue_pending": [None, [1, "short"], item(nan, "nan"), [3, "few", {}], item("x", "odd")],
        }
    )
    assert [(entry.prompt_id, entry.number) for entry in queue.queue_pending] == [("nan", 0), ("odd", 0), ("few", 3)]
    few = queue.queue_pending[-1]
    assert (few.prompt, few.extra_data, few.outputs_to_execute) == ({}, {}, ())
    (none,) = Queue.parse({"queue_pending": [[1, 7, None, [], "9"]]}).queue_pending
    assert (none.prompt_id, none.prompt, none.extra_data, none.outputs_to_execute) == ("7", {}, {}, ())


SUCCESS = ["execution_success", {"prompt_id": ID, "timestamp": 1}]
FAILURE = ["execution_error", {"prompt_id": ID, "node_id": "3", "exception_type": "ValueError"}]
BLOCKED = ["execution_error", {"prompt_id": ID, "node_id": "3", "exception_type": "ExecutionBlocked"}]
INTERRUPT = ["execution_interrupted", {"prompt_id": ID, "node_id": "3"}]


def entry(status_str: Any, *messages: Any) -> HistoryEntry:
    return HistoryEntry.parse(ID, {"status": {"status_str": status_str, "completed": True, "messages": list(messages)}})


@pytest.mark.parametrize(
    ("status_str", "messages", "outcome"),
    [
        ("success", [SUCCESS], "completed"),
        ("error", [FAILURE], "failed"),
        ("error", [INTERRUPT], "cancelled"),
        ("error", [FAILURE, INTERRUPT], "cancelled"),
        ("success", [BLOCKED, SUCCESS], "completed"),
        ("success", [BLOCKED], "completed"),
        ("error", [BLOCKED], "failed"),
        ("success", [SUCCESS, BLOCKED], "completed"),
        ("error", [], "failed"),
        ("success", [], "completed"),
        (None, [], "completed"),
    ],
)
def test_the_messages_of_a_history_entry_decide_how_it_ended(
    status_str: str | None, messages: list[Any], outcome: str
) -> None:
    assert entry(status_str, *messages).outcome == outcome


def test_the_error_of_a_history_entry_is_the_one_that_ended_it() -> None:
    assert entry("error", BLOCKED, FAILURE).error == ExecutionError(
        node_id="3", exception_type="ValueError", prompt_id=ID
    )
    assert entry("success", BLOCKED, SUCCESS).error is None


def test_a_history_entry_is_read_whole() -> None:
    outputs = {"9": {"images": [{"filename": "a.png"}], "text": ["t"]}}
    body = {
        "prompt": item(7, ID, {"3": {}}, {"client_id": "me"}, ["9"]),
        "outputs": outputs,
        "status": {"status_str": "success", "completed": True, "messages": [SUCCESS]},
        "meta": {"9": {"node_id": "9"}},
        "new": 1,
    }
    found = HistoryEntry.parse(ID, body)
    assert (found.prompt_id, found.number, found.prompt, found.extra_data) == (ID, 7, {"3": {}}, {"client_id": "me"})
    assert (found.outputs_to_execute, found.outputs, found.meta) == (("9",), outputs, {"9": {"node_id": "9"}})
    assert found.extra == {"new": 1}
    assert found.status.status_str == "success"
    assert found.status.completed is True
    assert found.status.messages == (ExecutionSuccess(timestamp=1, prompt_id=ID),)
    assert found.files == (File("a.png"),)
    assert found.texts == ("t",)


def test_a_history_entry_may_lack_everything() -> None:
    found = HistoryEntry.parse(ID, {"prompt": None, "outputs": [], "status": [], "meta": 7})
    assert found == HistoryEntry(ID)
    assert (found.files, found.texts, found.error, found.outcome) == ((), (), None, "completed")
    odd = HistoryEntry.parse(ID, {"status": {"status_str": 7, "completed": "yes", "messages": {}}})
    assert odd == HistoryEntry(ID)
    cut = HistoryEntry.parse(ID, {"status": {"messages": [INTERRUPT]}})
    assert cut.status.messages == (ExecutionInterrupted(node_id="3", prompt_id=ID),)


def test_what_a_server_tells_of_itself() -> None:
    stats = SystemStats.parse(
        {
            "system": {"os": "posix", "ram_total": 7, "comfyui_version": "0.8.0", "argv": ["main.py"], "new": 1},
            "devices": [{"name": "cpu", "type": "cpu", "index": None, "vram_total": 9, "new": 2}, None],
        }
    )
    assert stats.system == System(os="posix", ram_total=7, comfyui_version="0.8.0", argv=["main.py"], extra={"new": 1})
    assert stats.devices == (Device(name="cpu", type="cpu", vram_total=9, extra={"new": 2}),)
    assert SystemStats.parse({"system": None, "devices": None}) == SystemStats()
