"""Frames of the websocket to events. No frame, however odd, raises: what cannot be read becomes `Malformed`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ._events import (
    Event,
    Executed,
    Executing,
    ExecutionCached,
    ExecutionError,
    ExecutionInterrupted,
    ExecutionStart,
    ExecutionSuccess,
    FeatureFlags,
    LogEntry,
    Logs,
    Malformed,
    NodeProgress,
    Preview,
    ProgressEvent,
    ProgressState,
    ProgressText,
    Status,
    Unknown,
)
from ._text import plain, plain_lines, words

FEATURE_FLAGS_FRAME = json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
"""The first frame to send on every new socket; as a second frame the server ignores it."""

_MOST = 2.0**53
_MAX_TYPE = 200
_MIME = {1: "image/jpeg", 2: "image/png"}


def parse_text(frame: str | bytes) -> Event:
    """Read one text frame.

    Parameters
    ----------
    frame : str or bytes
        The payload; bytes are UTF-8.

    Returns
    -------
    Event
        `Unknown` for a type this package does not know, `Malformed` for what is no message at all.

    Examples
    --------
    >>> parse_text('{"type": "executing", "data": {"node": "3", "prompt_id": "a1"}}').node
    '3'
    """
    try:
        message = json.loads(frame)
    except (ValueError, RecursionError) as error:
        return Malformed(reason=f"not JSON: {error}", size=len(frame))
    if not isinstance(message, dict):
        return Malformed(reason="JSON, but not an object", size=len(frame))
    name, data = message.get("type"), message.get("data")
    parse = _PARSERS.get(name) if isinstance(name, str) else None
    if parse is None:
        return Unknown(
            name=words(name), data=data, prompt_id=_text(data.get("prompt_id")) if type(data) is dict else None
        )
    if not isinstance(data, dict):
        return Malformed(reason=f"{name} without data", size=len(frame))
    return parse(data)


def parse_binary(frame: bytes, *, text_has_prompt_id: bool = False) -> Event:
    """Read one binary frame; all its integers are big-endian and 32 bits wide.

    Parameters
    ----------
    frame : bytes
        The payload.
    text_has_prompt_id : bool, default False
        Whether the server announced ``supports_progress_text_metadata``: kind 3 then carries a prompt id as well.

    Returns
    -------
    Event
        `Preview` or `ProgressText`; `Unknown` for other kinds, `Malformed` for a frame cut short.

    Examples
    --------
    >>> preview = parse_binary(bytes([0, 0, 0, 1, 0, 0, 0, 2]) + b"the bytes of a PNG")
    >>> preview.mime, preview.image
    ('image/png', b'the bytes of a PNG')
    """
    if len(frame) < 8:
        return Malformed(reason="binary frame shorter than its header", size=len(frame))
    kind, second = int.from_bytes(frame[:4], "big"), int.from_bytes(frame[4:8], "big")
    if kind == 1:
        return Preview(image=bytes(frame[8:]), mime=_MIME.get(second, "image/jpeg"))
    if kind == 3:
        return _progress_text(frame, second, text_has_prompt_id)
    if kind == 4:
        return _preview_with_metadata(frame, second)
    return Unknown(name=f"binary {kind}")


def _preview_with_metadata(frame: bytes, length: int) -> Event:
    end = 8 + length
    if end > len(frame):
        return Malformed(reason="preview metadata cut short", size=len(frame))
    try:
        meta = json.loads(frame[8:end])
    except (ValueError, RecursionError):
        return Malformed(reason="preview metadata is not JSON", size=len(frame))
    if not isinstance(meta, dict):
        return Malformed(reason="preview metadata is not an object", size=len(frame))
    node = _text(meta.get("node_id"))
    return Preview(
        image=bytes(frame[end:]),
        mime="image/png" if meta.get("image_type") == "image/png" else "image/jpeg",
        node_id=node,
        display_node_id=_text(meta.get("display_node_id")) or node,
        prompt_id=_text(meta.get("prompt_id")),
    )


def _progress_text(frame: bytes, length: int, has_prompt_id: bool) -> Event:
    prompt_id, at = None, 4
    if has_prompt_id:
        if 8 + length + 4 > len(frame):
            return Malformed(reason="progress text cut short", size=len(frame))
        prompt_id, at = frame[8 : 8 + length].decode("utf-8", "replace"), 8 + length
        length = int.from_bytes(frame[at : at + 4], "big")
    start = at + 4
    if start + length > len(frame):
        return Malformed(reason="progress text cut short", size=len(frame))
    node = frame[start : start + length].decode("utf-8", "replace")
    text = frame[start + length :].decode("utf-8", "replace")
    return ProgressText(node_id=node, text=text, prompt_id=prompt_id)


def _text(value: object) -> str | None:
    """Ids are strings; a number is read as one, anything else is no id."""
    if isinstance(value, str):
        return value
    return str(value) if type(value) is int else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(words, value)) if isinstance(value, list) else ()


def _number(value: object, default: float) -> float:
    """A number that steps can be counted with: a server may send a bare NaN or Infinity, and any number of digits."""
    # The comparison is false for NaN too.
    return value if (type(value) is int or type(value) is float) and -_MOST <= value <= _MOST else default


def _integer(value: object) -> int | None:
    return value if type(value) is int else None


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _status(data: dict[str, Any]) -> Event:
    info = _mapping(_mapping(data.get("status")).get("exec_info"))
    return Status(queue_remaining=_integer(info.get("queue_remaining")), sid=_text(data.get("sid")))


def _progress_state(data: dict[str, Any]) -> Event:
    nodes = {}
    # Each message names every node that started so far, so this loop is what reading a long run costs.
    for key, entry in _mapping(data.get("nodes")).items():
        if type(entry) is not dict:
            continue
        shown = entry.get("display_node_id")
        nodes[key] = NodeProgress(
            key,
            _number(entry.get("value"), 0.0),
            _number(entry.get("max"), 1.0),
            words(entry.get("state")),
            shown if type(shown) is str else key,
        )
    return ProgressState(nodes=nodes, prompt_id=_text(data.get("prompt_id")))


def _logs(data: dict[str, Any]) -> Event:
    entries = data.get("entries")
    items = entries if isinstance(entries, list) else []
    return Logs(tuple(LogEntry(words(item.get("t")), words(item.get("m"))) for item in items if isinstance(item, dict)))


def _execution_error(data: dict[str, Any]) -> Event:
    return ExecutionError(
        node_id=_text(data.get("node_id")),
        node_type=_text(data.get("node_type")),
        # For people, as the traceback is: libraries colour what they print, and some print a whole tensor.
        exception_message=plain(words(data.get("exception_message") or "").strip()),
        exception_type=plain(words(data.get("exception_type") or ""), _MAX_TYPE),
        traceback=plain_lines(_texts(data.get("traceback"))),
        # A blocked branch sends a list here.
        current_inputs=_mapping(data.get("current_inputs")),
        executed=_texts(data.get("executed")),
        prompt_id=_text(data.get("prompt_id")),
    )


_PARSERS: dict[str, Callable[[dict[str, Any]], Event]] = {
    "status": _status,
    "feature_flags": lambda d: FeatureFlags(flags=d),
    "execution_start": lambda d: ExecutionStart(
        timestamp=_integer(d.get("timestamp")), prompt_id=_text(d.get("prompt_id"))
    ),
    "execution_cached": lambda d: ExecutionCached(
        nodes=_texts(d.get("nodes")), timestamp=_integer(d.get("timestamp")), prompt_id=_text(d.get("prompt_id"))
    ),
    "executing": lambda d: Executing(
        node=_text(d.get("node")),
        display_node=_text(d.get("display_node")) or _text(d.get("node")),
        prompt_id=_text(d.get("prompt_id")),
    ),
    "progress": lambda d: ProgressEvent(
        node=_text(d.get("node")),
        value=_number(d.get("value"), 0.0),
        max=_number(d.get("max"), 1.0),
        prompt_id=_text(d.get("prompt_id")),
    ),
    "progress_state": _progress_state,
    "executed": lambda d: Executed(
        node=_text(d.get("node")),
        display_node=_text(d.get("display_node")) or _text(d.get("node")),
        output=_mapping(d.get("output")),
        prompt_id=_text(d.get("prompt_id")),
    ),
    "execution_success": lambda d: ExecutionSuccess(
        timestamp=_integer(d.get("timestamp")), prompt_id=_text(d.get("prompt_id"))
    ),
    "logs": _logs,
    "execution_error": _execution_error,
    "execution_interrupted": lambda d: ExecutionInterrupted(
        node_id=_text(d.get("node_id")),
        node_type=_text(d.get("node_type")),
        executed=_texts(d.get("executed")),
        prompt_id=_text(d.get("prompt_id")),
    ),
}


def event_from_history(message: object) -> Event:
    """Read one entry of a history's ``status.messages``.

    Parameters
    ----------
    message : list
        ``[type, data]``.

    Returns
    -------
    Event
        `Malformed` where it is no such pair.
    """
    if isinstance(message, list) and len(message) == 2 and isinstance(message[0], str) and isinstance(message[1], dict):
        parse = _PARSERS.get(message[0])
        return parse(message[1]) if parse else Unknown(name=message[0], data=message[1])
    return Malformed(reason="not a [type, data] pair")
