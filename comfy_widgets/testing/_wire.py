"""HTTP heads and websocket frames as bytes, with no I/O: what the proxy and the scripted server both read and write.

Sources: RFC 9112 (HTTP/1.1 message format) and RFC 6455 (websocket framing).
"""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass
from enum import IntEnum
from fnmatch import fnmatchcase

_ACCEPT_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # fixed by RFC 6455, section 1.3


@dataclass(frozen=True)
class Head:
    """The first line and the headers of an HTTP message, header names as they were written."""

    start: str
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, raw: bytes) -> Head:
        """Read a head up to and including its empty line; raises ValueError on a line that is no header."""
        start, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
        headers = []
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                raise ValueError(f"not an HTTP header: {line!r}")
            headers.append((name, value.strip()))
        return cls(start, tuple(headers))

    def encode(self) -> bytes:
        """Write the head as bytes, empty line included."""
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers), "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def get(self, name: str, default: str = "") -> str:
        """Value of the first header of this name, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), default)

    def without(self, *names: str) -> Head:
        """Copy that lacks these headers."""
        drop = {name.lower() for name in names}
        return Head(self.start, tuple(item for item in self.headers if item[0].lower() not in drop))

    def replaced(self, name: str, value: str) -> Head:
        """Copy whose only header of this name has this value."""
        return Head(self.start, (*self.without(name).headers, (name, value)))

    @property
    def method(self) -> str:
        """Method of a request."""
        return self.start.split(" ", 1)[0]

    @property
    def target(self) -> str:
        """Path and query of a request."""
        return self.start.split(" ")[1]

    @property
    def status(self) -> int:
        """Status code of a reply."""
        return int(self.start.split(" ", 2)[1])


def bare_path(target: str) -> str:
    """Path without query and without the ``/api`` that ComfyUI takes or leaves before every route."""
    path = target.split("?", 1)[0]
    return path[4:] if path.startswith("/api/") and not path.startswith(("/api/jobs", "/api/api/")) else path


def path_matches(target: str, pattern: str) -> bool:
    """Whether a request target falls under a pattern such as ``/history/*``, either with or without ``/api``."""
    return fnmatchcase(bare_path(target), bare_path(pattern))


class Opcode(IntEnum):
    """Websocket frame types (RFC 6455, section 5.2)."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


@dataclass(frozen=True)
class Frame:
    """One websocket frame, unmasked, with the bytes it came in."""

    opcode: Opcode
    payload: bytes
    final: bool
    raw: bytes


def accept_key(key: str) -> str:
    """``Sec-WebSocket-Accept`` for a ``Sec-WebSocket-Key``."""
    return base64.b64encode(hashlib.sha1(key.encode() + _ACCEPT_GUID).digest()).decode()


def encode_frame(opcode: Opcode, payload: bytes, *, final: bool = True, mask: bytes | None = None) -> bytes:
    """Write one frame; a client's frames carry a 4-byte `mask`, a server's none."""
    head = bytearray([(0x80 if final else 0) | opcode])
    flag = 0x80 if mask is not None else 0
    if len(payload) < 126:
        head.append(flag | len(payload))
    elif len(payload) < 1 << 16:
        head += struct.pack(">BH", flag | 126, len(payload))
    else:
        head += struct.pack(">BQ", flag | 127, len(payload))
    if mask is not None:
        head += mask
        payload = _masked(payload, mask)
    return bytes(head) + payload


def close_payload(code: int, reason: str = "") -> bytes:
    """Payload of a close frame."""
    return struct.pack(">H", code) + reason.encode()


def _masked(payload: bytes, mask: bytes) -> bytes:
    # One XOR of two big integers is some hundred times faster than a loop over the bytes.
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


class FrameReader:
    """Cuts a stream of bytes into frames: feed it what arrived, take what is complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Add bytes and return the frames they complete, in order."""
        self._buffer += data
        frames = []
        while (frame := self._take()) is not None:
            frames.append(frame)
        return frames

    def _take(self) -> Frame | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, at = buffer[1] & 0x7F, 2
        if size == 126:
            at = 4
        elif size == 127:
            at = 10
        if len(buffer) < at:
            return None
        if at > 2:
            size = int.from_bytes(buffer[2:at], "big")
        mask = b""
        if buffer[1] & 0x80:
            mask = bytes(buffer[at : at + 4])
            at += 4
        if len(buffer) < at + size:
            return None
        raw = bytes(buffer[: at + size])
        del buffer[: at + size]
        payload = _masked(raw[at:], mask) if mask else raw[at:]
        return Frame(Opcode(raw[0] & 0x0F), payload, bool(raw[0] & 0x80), raw)


class MessageJoiner:
    """Joins data frames to messages; control frames pass it by."""

    def __init__(self) -> None:
        self._opcode = Opcode.TEXT
        self._parts: list[bytes] = []

    def add(self, frame: Frame) -> str | bytes | None:
        """Message that this frame completes: str for text, bytes for binary, None when there is none."""
        if frame.opcode >= Opcode.CLOSE:
            return None
        if frame.opcode is not Opcode.CONTINUATION:
            self._opcode, self._parts = frame.opcode, []
        self._parts.append(frame.payload)
        if not frame.final:
            return None
        payload = b"".join(self._parts)
        self._parts = []
        return payload.decode("utf-8", "replace") if self._opcode is Opcode.TEXT else payload
