"""What a client is made of and how it ends; none of it holds the client, which nobody may hold any more."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from ..protocol import Event
from ._calls import Calls
from ._connection import Connection, Handshake, KeepAlive
from ._dispatch import Dispatcher, Subscription
from ._journal import Journal
from ._pool import Lane, Pool
from ._timings import Timings
from ._tracker import Connect, Tracker
from ._transport import Transport

_PATIENCE = 2.0
"""Seconds that a submission may hold up those after it; a server answers in milliseconds, or has trouble."""
_LAST_CALLS = 1.0
"""Seconds that a closing client waits for calls that are under way: a cancel takes four on an older server."""
_LAST_THREADS = 0.4
"""Seconds that it then waits for each of its threads whose calls were cut."""


@dataclass
class Workers:
    """The threads of a client for work that takes time.

    Attributes
    ----------
    downloads : Pool
        Files; many, so that a slow one holds up no other.
    calls : Pool
        Short calls, which must not wait behind large files.
    submissions : Lane
        One after the other, so that jobs reach the server in the order in which they were submitted.
    """

    downloads: Pool = field(default_factory=lambda: Pool("comfy-http", 32))
    calls: Pool = field(default_factory=lambda: Pool("comfy-calls", 32))
    submissions: Lane = field(default_factory=lambda: Lane("comfy-submit", _PATIENCE))


@dataclass
class Parts:
    """All that a client has started, and must end."""

    transport: Transport
    workers: Workers
    dispatcher: Dispatcher
    tracker: Tracker
    journal: Journal
    timings: Timings
    process: int = field(default_factory=os.getpid)


def shutdown(parts: Parts) -> None:
    """End everything that a client started."""
    if os.getpid() != parts.process:
        # A fork has copies of the sockets but none of the threads; to close them here would disturb the parent.
        return
    workers = parts.workers
    workers.submissions.close()
    parts.tracker.close()
    workers.downloads.close(cancel=True)
    # A cancel that was asked for is still sent; what takes longer than a moment is cut, and so is all else.
    workers.calls.close()
    workers.calls.join(_LAST_CALLS)
    parts.transport.close()
    # Whose POST was cut is called back now, where that was asked for.
    workers.submissions.join(_LAST_THREADS)
    parts.tracker.join(_LAST_THREADS)
    parts.dispatcher.close()
    parts.timings.save()


def connector(calls: Calls, keep_alive: KeepAlive) -> Connect:
    """Opens a client's websocket."""
    transport = calls.transport

    def handshake() -> Handshake:
        return Handshake(
            calls.address.websocket(calls.client_id),
            transport.handshake_headers(),
            transport.handshake_verify(),
            calls.address.loopback,
        )

    def connect(on_event: Callable[[Event], None], on_change: Callable[[bool], None]) -> Connection:
        return Connection(handshake, keep_alive, transport.deadlines, on_event, on_change)

    return connect


def publisher(listeners: dict[Subscription, None]) -> Callable[[Event], None]:
    """Hands each event to all listeners that are still wanted."""
    return partial(publish, listeners)


def publish(listeners: dict[Subscription, None], value: object) -> None:
    """Hand a value to all listeners that are still wanted."""
    for subscription in tuple(listeners):
        if subscription.active:
            subscription.put(value)
        else:
            listeners.pop(subscription, None)
