"""Scripted servers, and fleets of them that soon notice what happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from comfy_widgets import ComfyClient, Fleet
from comfy_widgets.client import Pace
from comfy_widgets.testing import ScriptedServer

PACE = Pace(poll=0.05, silence=0.5, gone=0.1, lost_after=600)


@pytest.fixture
def start() -> Iterator[Callable[..., list[ScriptedServer]]]:
    """Starts as many scripted servers as are wanted."""
    with ExitStack() as stack:

        def some(count: int, **options: Any) -> list[ScriptedServer]:
            return [stack.enter_context(ScriptedServer(**options)) for _ in range(count)]

        yield some


@pytest.fixture
def make_fleet() -> Iterator[Callable[..., Fleet]]:
    """Makes fleets whose clients ask often."""
    with ExitStack() as stack:

        def fleet(*servers: Any, **options: Any) -> Fleet:
            clients = [
                stack.enter_context(
                    ComfyClient(one if isinstance(one, str) else one.url, pace=PACE, reconnect_interval=0.1)
                )
                for one in servers
            ]
            return stack.enter_context(Fleet(clients, **{"lost_after": 60.0, **options}))

        yield fleet


def until(look: Callable[[], Any], timeout: float = 60.0) -> Any:
    """Wait until something is so."""
    return ScriptedServer().wait_for(look, timeout)
