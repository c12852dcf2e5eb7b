"""What a client's threads hold of it, and its end: they must not keep a client alive that nobody holds any more."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ..protocol import Event, HistoryEntry, Queue
from ._dispatch import Dispatcher, Subscription
from ._errors import ServerError
from ._state import Timings
from ._tracker import Tracker
from ._transport import Transport

if TYPE_CHECKING:
    from ._client import ComfyClient


class Asked:
    """The client as the tracker's threads see it: they must not keep one alive that nobody holds any more."""

    def __init__(self, client: weakref.ref[ComfyClient], process_ended: Callable[[], bool]) -> None:
        self._client = client
        self.process_ended = process_ended

    def queue(self) -> Queue:
        return self._held().queue()

    def history(self, prompt_id: str) -> HistoryEntry | None:
        return self._held().history(prompt_id)

    def interrupt(self, prompt_id: str) -> None:
        self._held().interrupt(prompt_id)

    def worker_died(self) -> bool:
        try:
            log = "".join(self._held().logs())
        except ServerError:
            return False
        return "Exception in thread" in log and "prompt_worker" in log

    def _held(self) -> ComfyClient:
        client = self._client()
        if client is None:
            raise ServerError("the client is gone")
        return client


def publisher(listeners: dict[Subscription, None]) -> Callable[[Event], None]:
    """Hands each event to all listeners that are still wanted."""

    def publish(event: Event) -> None:
        for subscription in tuple(listeners):
            if subscription.active:
                subscription.put(event)
            else:
                listeners.pop(subscription, None)

    return publish


def shut(
    process: int,
    tracker: Tracker,
    dispatcher: Dispatcher,
    downloads: ThreadPoolExecutor,
    calls: ThreadPoolExecutor,
    submissions: ThreadPoolExecutor,
    transport: Transport,
    timings: Timings,
) -> None:
    """End everything that a client started."""
    if os.getpid() != process:
        # A fork has copies of the sockets but none of the threads; to close them here would disturb the parent.
        return
    submissions.shutdown(wait=False, cancel_futures=True)
    tracker.close()
    downloads.shutdown(wait=False, cancel_futures=True)
    # A cancel that was asked for is still sent.
    calls.shutdown(wait=False)
    dispatcher.close()
    transport.close()
    timings.save()
