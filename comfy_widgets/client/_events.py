"""The events of a job, for ``for`` and ``async for``."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress

from ..protocol import Event
from ._core import JobCore
from ._dispatch import Dispatcher


class Events:
    """The events of a job as they come, for ``for`` and ``async for``; both end with the job. Made by `Job.events`.

    Examples
    --------
    >>> job = client.submit(example(), width=64, height=64, steps=1, seed=11)
    >>> names = [type(event).__name__ for event in job.events()]
    >>> "ProgressEvent" in names or "Executing" in names
    True
    """

    def __init__(self, job: JobCore) -> None:
        self._queue: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._wake: Callable[[], object] = lambda: None
        # Directly, and not by the thread that calls listeners: so a listener may itself iterate over events.
        job.subscribe("event", Dispatcher.direct(self._put))
        job.when_ended(lambda: self._put(None))

    def _put(self, event: Event | None) -> None:
        self._queue.put(event)
        self._wake()

    def __iter__(self) -> Iterator[Event]:
        while (event := self._queue.get()) is not None:
            yield event

    async def __aiter__(self) -> AsyncIterator[Event]:
        loop, something = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            # A loop that is closed has nobody left who waits.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(something.set)

        self._wake = wake
        while True:
            try:
                event = self._queue.get_nowait()
            except queue.Empty:
                await something.wait()
                something.clear()
                continue
            if event is None:
                return
            yield event
