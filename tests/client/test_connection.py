"""The websocket from outside: when it is opened, and opened again."""

from __future__ import annotations

import time
from collections.abc import Callable

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
