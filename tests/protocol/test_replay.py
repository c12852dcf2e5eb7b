"""Every recorded frame and body goes through the parser, and means what the recording says.

The recordings in the repository are of the project's own servers (`record.py` makes them). Those of several versions of
ComfyUI are too large for it, and are read as well where they stand beside it.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from comfy_widgets.protocol import (
    SERVER_VERSIONS,
    Event,
    Executed,
    ExecutionError,
    HistoryEntry,
    Malformed,
    Preview,
    ProgressState,
    PromptReply,
    Queue,
    Refusal,
    Status,
    SystemStats,
    Unknown,
    parse_binary,
    parse_text,
)

TRACES = Path(__file__).resolve().parents[3] / "shared" / "traces"
OWN = Path(__file__).with_name("recordings")
FILES = [*sorted(OWN.rglob("events.jsonl")), *sorted(TRACES.rglob("events.jsonl"))]


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def frames(path: Path) -> Iterator[tuple[dict[str, Any], Event]]:
    for line in lines(path):
        if line["kind"] == "ws_recv":
            if "b64" in line:
                yield line, parse_binary(base64.b64decode(line["b64"]))
            elif "json" in line or "text" in line:
                yield line, parse_text(json.dumps(line["json"]) if "json" in line else line["text"])


def name(path: Path) -> str:
    return str(path.parent.relative_to(OWN if OWN in path.parents else TRACES))


def test_the_repository_has_recordings_of_every_kind_of_message() -> None:
    events = [event for path in FILES if OWN in path.parents for _, event in frames(path)]
    kinds = {type(event) for event in events}
    assert kinds == set(Event.__subclasses__()) - {Malformed}
    assert {event.node_id is None for event in events if isinstance(event, Preview)} == {True, False}
    assert sum(path.stat().st_size for path in OWN.rglob("*")) < 300_000


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_frame_becomes_the_event_it_is(path: Path) -> None:
    for line, event in frames(path):
        assert not isinstance(event, Malformed), line
        if "json" not in line:
            assert isinstance(event, Preview) or event.type == "progress_text", line
            if isinstance(event, Preview):
                assert len(event.image) == line["image"]["bytes"]
                assert event.mime == f"image/{line['image']['format'].lower()}"
            continue
        data = line["json"]["data"]
        assert event.type == line["json"]["type"] or isinstance(event, Unknown)
        assert event.prompt_id == data.get("prompt_id")
        if isinstance(event, Status):
            assert event.queue_remaining == data["status"]["exec_info"]["queue_remaining"]
        if isinstance(event, ProgressState):
            assert {key: (node.value, node.max, node.state) for key, node in event.nodes.items()} == {
                key: (node["value"], node["max"], node["state"]) for key, node in data["nodes"].items()
            }
        if isinstance(event, Executed):
            assert event.output == (data["output"] or {})
        if isinstance(event, ExecutionError):
            assert event.exception_message == data["exception_message"].strip()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_answer_is_read(path: Path) -> None:
    for line in lines(path):
        if line["kind"] != "http" or "json" not in line.get("response", {}):
            continue
        body, status, route = line["response"]["json"], line["response"]["status"], line["path"].removeprefix("/api")
        if route == "/prompt" and line["method"] == "POST":
            if status == 200:
                assert PromptReply.parse(body).prompt_id == body["prompt_id"]
            else:
                refusal = Refusal.parse(body, status)
                assert refusal.type == body["error"]["type"]
                prompt = (line["request"].get("json") or {}).get("prompt")
                for problem in refusal.problems(prompt if isinstance(prompt, dict) else {}):
                    assert problem.text.strip() == problem.text
                    assert "None" not in problem.text
        elif route == "/queue" and line["method"] == "GET":
            queue = Queue.parse(body)
            assert [i.prompt_id for i in queue.queue_running] == [item[1] for item in body["queue_running"]]
            assert sorted(i.prompt_id for i in queue.queue_pending) == sorted(i[1] for i in body["queue_pending"])
        elif route.startswith("/history/") and body:
            ((prompt_id, value),) = body.items()
            entry = HistoryEntry.parse(prompt_id, value)
            kinds = [message[0] for message in value["status"]["messages"]]
            expected = (
                "cancelled"
                if "execution_interrupted" in kinds
                else "completed"
                if value["status"]["status_str"] == "success"
                else "failed"
            )
            assert entry.outcome == expected
            assert Counter(file.filename for file in entry.files) <= Counter(
                item["filename"]
                for output in value["outputs"].values()
                for items in output.values()
                for item in items
                if isinstance(item, dict)
            )
        elif route == "/system_stats":
            stats = SystemStats.parse(body)
            assert stats.system.comfyui_version == body["system"]["comfyui_version"]
            assert len(stats.devices) == len(body["devices"])


@pytest.mark.skipif(not TRACES.is_dir(), reason="the recorded traffic of real servers is not beside this repository")
def test_the_versions_that_were_tried_are_those_recorded() -> None:
    found = set()
    for path in TRACES.rglob("08-rest/events.jsonl"):
        for line in lines(path):
            if line["kind"] == "http" and line["path"] == "/system_stats" and "json" in line["response"]:
                found.add(line["response"]["json"]["system"]["comfyui_version"])
    assert found == set(SERVER_VERSIONS)
