"""Heads and frames survive any cutting of the stream."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfy_widgets.testing._wire import (
    FrameReader,
    Head,
    MessageJoiner,
    Opcode,
    accept_key,
    encode_frame,
    path_matches,
)


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 50), st.booleans())
def test_frames_come_back_however_the_stream_is_cut(payloads: list[bytes], step: int, masked: bool) -> None:
    mask = b"\x01\x02\x03\xfe" if masked else None
    stream = b"".join(encode_frame(Opcode.BINARY, payload, mask=mask) for payload in payloads)
    reader = FrameReader()
    frames = [frame for at in range(0, len(stream), step) for frame in reader.feed(stream[at : at + step])]
    assert [frame.payload for frame in frames] == payloads
    assert b"".join(frame.raw for frame in frames) == stream


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536, 1 << 20])
def test_every_form_of_length(size: int) -> None:
    (frame,) = FrameReader().feed(encode_frame(Opcode.TEXT, bytes(size)))
    assert len(frame.payload) == size


def test_fragments_are_joined_and_control_frames_pass_between_them() -> None:
    stream = (
        encode_frame(Opcode.TEXT, b"ab", final=False)
        + encode_frame(Opcode.PING, b"x")
        + encode_frame(Opcode.CONTINUATION, "cü".encode())
    )
    joiner = MessageJoiner()
    assert [joiner.add(frame) for frame in FrameReader().feed(stream)] == [None, None, "abcü"]


def test_head_round_trip_and_lookup() -> None:
    raw = b"GET /api/queue?x=1 HTTP/1.1\r\nHost: a\r\nX-Thing:  b \r\n\r\n"
    head = Head.parse(raw)
    assert (head.method, head.target, head.get("x-thing")) == ("GET", "/api/queue?x=1", "b")
    assert Head.parse(head.encode()) == head
    assert head.without("HOST").get("host") == ""
    with pytest.raises(ValueError, match="not an HTTP header"):
        Head.parse(b"GET / HTTP/1.1\r\nnonsense\r\n\r\n")


def test_accept_key_of_the_standard() -> None:
    assert accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455, section 1.3


@pytest.mark.parametrize(
    ("target", "pattern", "matches"),
    [
        ("/api/prompt", "/prompt", True),
        ("/prompt?x=1", "/api/prompt", True),
        ("/history/abc", "/history/*", True),
        ("/history", "/history/*", False),
        ("/api/jobs/1", "/api/jobs/*", True),
        ("/jobs/1", "/api/jobs/*", False),
        ("/comfy/api/prompt", "*/prompt", True),
    ],
)
def test_path_patterns(target: str, pattern: str, matches: bool) -> None:
    assert path_matches(target, pattern) is matches
