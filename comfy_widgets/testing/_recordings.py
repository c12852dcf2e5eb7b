"""Recorded traffic of real servers: one JSON object a line, as it came."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class RecordedFrame:
    """One websocket message from the server.

    Attributes
    ----------
    seq : int
        Place in the recording.
    conn : str
        Name of the connection.
    data : str or bytes
        Text as str, binary as bytes.

    Examples
    --------
    >>> frame = RecordedFrame(1, "a", '{"type": "status", "data": {}}')
    >>> isinstance(frame.data, str)
    True
    """

    seq: int
    conn: str
    data: str | bytes


@dataclass(frozen=True)
class RecordedExchange:
    """One HTTP call and its answer.

    Attributes
    ----------
    seq : int
        Place in the recording.
    method : str
        The HTTP method.
    path : str
        Path and query.
    request : object
        The JSON that was sent; None where there was none.
    status : int
        The HTTP status.
    content_type : str
        The media type of the answer; "" where it has none.
    body : bytes or None
        The answer; None where the recording has not kept it.

    Examples
    --------
    >>> exchange = RecordedExchange(1, "GET", "/queue", None, 200, "application/json", b"{}")
    >>> exchange.status, exchange.body
    (200, b'{}')
    """

    seq: int
    method: str
    path: str
    request: Any
    status: int
    content_type: str
    body: bytes | None


@dataclass(frozen=True)
class RecordedConnection:
    """A websocket was opened or ended here.

    Attributes
    ----------
    seq : int
        Place in the recording.
    conn : str
        Name of the connection.
    client_id : str or None
        The id it was opened with.
    opened : bool
        True where it was opened, False where it ended.

    Examples
    --------
    >>> RecordedConnection(1, "a", "me", opened=True).opened
    True
    """

    seq: int
    conn: str
    client_id: str | None
    opened: bool


Recorded = RecordedFrame | RecordedExchange | RecordedConnection


def replay(folder: str | Path) -> Iterator[Recorded]:
    """Read the ``events.jsonl`` of a recording, in order: what a client was told.

    Pings, notes, calls that failed and what the client itself sent over the websocket are left out.

    Parameters
    ----------
    folder : str or Path
        Folder that holds ``events.jsonl`` and the files it speaks of.

    Yields
    ------
    RecordedFrame, RecordedExchange or RecordedConnection
        One for each line that is not left out.

    Raises
    ------
    FileNotFoundError
        The folder holds no ``events.jsonl``.

    Examples
    --------
    >>> lines = '{"seq": 1, "kind": "ws_recv", "conn": "a", "json": {"type": "status", "data": {}}}'
    >>> _ = (folder / "events.jsonl").write_text(lines)
    >>> list(replay(folder))
    [RecordedFrame(seq=1, conn='a', data='{"type": "status", "data": {}}')]
    """
    folder = Path(folder)
    with (folder / "events.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            seq, kind = event["seq"], event["kind"]
            if kind == "http":
                yield _exchange(event, folder)
            elif kind in ("ws_open", "ws_end"):
                yield RecordedConnection(seq, event["conn"], event.get("client_id"), kind == "ws_open")
            elif kind == "ws_recv" and (data := _payload(event)) is not None:
                yield RecordedFrame(seq, event["conn"], data)


def _payload(event: dict[str, Any]) -> str | bytes | None:
    if "b64" in event:
        return base64.b64decode(event["b64"])
    if "json" in event:
        return json.dumps(event["json"])
    return None


def _exchange(event: dict[str, Any], folder: Path) -> RecordedExchange:
    response = event["response"]
    return RecordedExchange(
        event["seq"],
        event["method"],
        event["path"],
        event.get("request", {}).get("json"),
        response["status"],
        response.get("headers", {}).get("Content-Type", ""),
        _body(response, folder),
    )


def _body(response: dict[str, Any], folder: Path) -> bytes | None:
    if "file" in response:
        content = (folder / response["file"]).read_bytes()
        return gzip.decompress(content) if response["file"].endswith(".gz") else content
    if "json" in response:
        return json.dumps(response["json"]).encode()
    if "text" in response:
        return str(response["text"]).encode()
    return b"" if response.get("bytes") == 0 else None
