"""The websocket from outside: when it is opened, and opened again."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import websocket

from comfy_widgets.client import ComfyClient
from comfy_widgets.testing import Reply, ScriptedServer


def test_a_websocket_that_is_refused_is_tried_less_and_less_often(
    server: ScriptedServer, connect: Callable[..., ComfyClient]
) -> None:
    tried: list[float] = []

    def refuse(_: object) -> Reply:
        tried.append(time.monotonic())
        return Reply(503)

    server.on("GET", "/ws", refuse)
    interval = 0.02
    connect(server.url, reconnect_interval=interval).connect(lambda _: None)
    server.wait_for(lambda: len(tried) > 9)
    # After five tries at the interval itself it doubles from try to try; a fifth less is left to chance.
    assert tried[9] - tried[5] >= 0.8 * interval * (2 + 4 + 8 + 16)


def test_websocket_client_still_has_what_the_frame_limit_reaches_into() -> None:
    # The library has no setting for it. Where this fails, its new release needs another way into `_bound`; that the
    # limit holds is shown by test_a_frame_beyond_the_bound_is_not_read_and_the_job_ends_well.
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ws = websocket.WebSocket()
        ws.sock = ours
        theirs.sendall(b"\x82\x7e\x01\x00" + bytes(256))
        buffer = ws.frame_buffer
        seen: list[tuple[int, int | None]] = []
        read_length = buffer.recv_length

        def noted() -> None:
            read_length()
            seen.append((buffer.header[4], buffer.length))

        buffer.recv_length = noted
        assert ws.recv() == bytes(256)
        assert seen == [(websocket.ABNF.OPCODE_BINARY, 256)]
