"""Recorded traffic is read in order and whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from comfy_widgets.testing import RecordedConnection, RecordedExchange, RecordedFrame, replay

TRACES = Path(__file__).parents[3] / "shared" / "traces"


def test_reads_frames_exchanges_and_connections(tmp_path: Path) -> None:
    events = [
        {"seq": 0, "kind": "note", "text": "a note"},
        {"seq": 1, "kind": "ws_open", "conn": "A", "client_id": "me"},
        {"seq": 2, "kind": "ws_recv", "conn": "A", "opcode": "text", "json": {"type": "status"}},
        {"seq": 3, "kind": "ws_recv", "conn": "A", "opcode": "binary", "b64": "AAAAAQ=="},
        {"seq": 4, "kind": "ws_recv", "conn": "A", "opcode": "pong"},
        {
            "seq": 5,
            "kind": "http",
            "method": "GET",
            "path": "/view",
            "request": {},
            "response": {"status": 200, "headers": {"Content-Type": "image/png"}, "file": "body-0005.png"},
        },
        {
            "seq": 6,
            "kind": "http",
            "method": "POST",
            "path": "/prompt",
            "request": {"json": {"prompt": {}}},
            "response": {"status": 400, "json": {"error": {}}},
        },
        {"seq": 7, "kind": "ws_end", "conn": "A", "how": "closed by us"},
    ]
    (tmp_path / "events.jsonl").write_text("\n".join(map(json.dumps, events)), encoding="utf-8")
    (tmp_path / "body-0005.png").write_bytes(b"png")
    assert list(replay(tmp_path)) == [
        RecordedConnection(1, "A", "me", True),
        RecordedFrame(2, "A", '{"type": "status"}'),
        RecordedFrame(3, "A", b"\0\0\0\1"),
        RecordedExchange(5, "GET", "/view", None, 200, "image/png", b"png"),
        RecordedExchange(6, "POST", "/prompt", {"prompt": {}}, 400, "", b'{"error": {}}'),
        RecordedConnection(7, "A", None, False),
    ]


@pytest.mark.skipif(not TRACES.is_dir(), reason="the recordings are not beside the repository")
def test_every_recording_can_be_read() -> None:
    folders = [path.parent for path in TRACES.rglob("events.jsonl")]
    assert len(folders) > 20
    for folder in folders:
        for event in replay(folder):
            if isinstance(event, RecordedExchange) and event.content_type.startswith("application/json"):
                assert event.body is None or json.loads(event.body) is not None, (folder, event.seq)
