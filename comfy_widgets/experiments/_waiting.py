"""Waiting for the end of an experiment, from plain code and from coroutines."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

Over = Callable[[], bool]
"""Whether there is nothing more to wait for; raises where it will never end by itself."""


def wait(over: Over, condition: threading.Condition, timeout: float | None, state: Callable[[], str]) -> None:
    """Wait in slices, so that an interrupt is heard on every platform.

    Raises
    ------
    TimeoutError
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    with condition:
        while not over():
            left = 1.0 if deadline is None else min(1.0, deadline - time.monotonic())
            if left <= 0:
                raise TimeoutError(f"The experiment has not ended within {timeout:g} s ({state()}); it goes on.")
            condition.wait(left)


def awaiting(
    over: Over, on_change: Callable[[Callable[[object], object]], Callable[[], None]]
) -> Generator[Any, None, None]:
    """Wait in a coroutine; the changes of the experiment wake it.

    Parameters
    ----------
    over : callable
    on_change : callable
        Takes a listener, and gives what takes it away again.
    """
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def look(_: object) -> None:
        # A loop that is closed has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(changed.set)

    stop = on_change(look)
    try:
        while not over():
            yield from changed.wait().__await__()
            changed.clear()
    finally:
        stop()
