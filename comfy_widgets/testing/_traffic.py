"""What went by: requests, websocket messages and connections, as the proxy and the scripted server saw them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from ._wire import path_matches

T = TypeVar("T")


class Waiter:
    """Lets a test wait until something has become true in another thread, instead of sleeping and hoping."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def notify(self) -> None:
        """Have every waiting thread look again."""
        with self._changed:
            self._changed.notify_all()

    def until(self, look: Callable[[], T], timeout: float, what: str) -> T:
        """Return the first true value of `look`; raises TimeoutError naming `what` after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not (found := look()):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"{what} did not happen within {timeout:g} s")
                # A look may depend on things that notify nobody, so it is repeated now and then anyway.
                self._changed.wait(min(left, 0.05))
        return found


@dataclass
class SeenRequest:
    """One HTTP request.

    Attributes
    ----------
    method : str
    target : str
        Path and query as the client wrote them.
    headers : tuple of (str, str)
    body : bytes
        As sent, transfer coding included; at most 1 MiB is kept by the proxy.
    status : int or None
        Status the client was given; None while there is none, or when it never got one.
    fault : str
        Name of the fault that struck this request, or "".
    at : float
        When it came, `time.monotonic` seconds.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    status: int | None = None
    fault: str = ""
    at: float = field(default_factory=time.monotonic)

    def header(self, name: str) -> str | None:
        """Value of the first header of this name, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> Any:
        """Body as JSON."""
        return json.loads(self.body)

    def matches(self, method: str, pattern: str) -> bool:
        """Whether this is such a request; `pattern` is a path such as ``/history/*``, with or without ``/api``."""
        return method in ("*", self.method) and path_matches(self.target, pattern)


@dataclass(frozen=True)
class SeenMessage:
    """One websocket message: text as str, binary as bytes. `connection` counts the websockets from 0."""

    client_id: str
    connection: int
    sender: Literal["server", "client"]
    data: str | bytes

    def json(self) -> Any:
        """Text message as JSON; None for a binary one."""
        return json.loads(self.data) if isinstance(self.data, str) else None


@dataclass
class SeenWebSocket:
    """One websocket connection; times are `time.monotonic` seconds."""

    client_id: str
    target: str
    headers: tuple[tuple[str, str], ...]
    opened: float
    closed: float | None = None
    pings: int = 0

    @property
    def open(self) -> bool:
        """Whether the client still holds it."""
        return self.closed is None

    def header(self, name: str) -> str | None:
        """Value of the first handshake header of this name, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass
class Traffic:
    """The record. Lists grow at the end; read them at any time, from any thread."""

    requests: list[SeenRequest] = field(default_factory=list)
    messages: list[SeenMessage] = field(default_factory=list)
    websockets: list[SeenWebSocket] = field(default_factory=list)
    changed: Waiter = field(default_factory=Waiter)
    _most: dict[str, int] = field(default_factory=dict)

    def select(self, method: str, pattern: str) -> list[SeenRequest]:
        """Requests of this method (``"*"`` for any) and path, in order."""
        return [request for request in list(self.requests) if request.matches(method, pattern)]

    def count(self, method: str, pattern: str) -> int:
        """How many requests of this method and path there were."""
        return len(self.select(method, pattern))

    def open_websockets(self, client_id: str | None = None) -> int:
        """How many websockets the client holds now, of one id or of all."""
        return sum(ws.open for ws in list(self.websockets) if client_id in (None, ws.client_id))

    def most_open_websockets(self, client_id: str) -> int:
        """The most websockets that were ever open at one time with this id."""
        return self._most.get(client_id, 0)

    def websocket_opened(self, client_id: str, target: str, headers: tuple[tuple[str, str], ...]) -> SeenWebSocket:
        """Note a new websocket."""
        websocket = SeenWebSocket(client_id, target, headers, time.monotonic())
        self.websockets.append(websocket)
        self._most[client_id] = max(self.most_open_websockets(client_id), self.open_websockets(client_id))
        self.changed.notify()
        return websocket

    def websocket_closed(self, websocket: SeenWebSocket) -> None:
        """Note that the client no longer holds it."""
        if websocket.closed is None:
            websocket.closed = time.monotonic()
            self.changed.notify()
