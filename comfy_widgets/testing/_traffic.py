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
        The HTTP method.
    target : str
        Path and query as the client wrote them.
    headers : tuple of (str, str) pairs, default ()
        In the order they came.
    body : bytes, default b""
        As sent, transfer coding included; at most 1 MiB is kept by the proxy.
    status : int or None, default None
        Status the client was given; None while there is none, or when it never got one.
    fault : str, default ""
        Name of the fault that struck this request, or "".
    at : float
        When it came, `time.monotonic` seconds; now by default.

    Examples
    --------
    >>> fault = proxy.lose_reply("GET", "/queue")
    >>> _ = client.queue()
    >>> [(request.status, request.fault) for request in proxy.traffic.select("GET", "/queue")]
    [(None, 'LoseReply'), (200, '')]
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    status: int | None = None
    fault: str = ""
    at: float = field(default_factory=time.monotonic)

    def header(self, name: str) -> str | None:
        """Value of the first header of this name.

        Parameters
        ----------
        name : str
            In upper or lower case.

        Returns
        -------
        str or None
            None where there is none.

        Examples
        --------
        >>> SeenRequest("GET", "/queue", (("Accept", "*/*"),)).header("accept")
        '*/*'
        """
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> Any:
        """Body as JSON.

        Returns
        -------
        object
            What was sent.

        Raises
        ------
        ValueError
            It is no JSON.

        Examples
        --------
        >>> SeenRequest("POST", "/queue", body=b'{"clear": true}').json()
        {'clear': True}
        """
        return json.loads(self.body)

    def matches(self, method: str, pattern: str) -> bool:
        """Whether this is such a request.

        Parameters
        ----------
        method : str
            ``"*"`` for any.
        pattern : str
            A path such as ``"/history/*"``, with or without ``/api``.

        Returns
        -------
        bool
            True where both agree; the query does not count.

        Examples
        --------
        >>> SeenRequest("GET", "/api/history/a1").matches("GET", "/history/*")
        True
        """
        return method in ("*", self.method) and path_matches(self.target, pattern)


@dataclass(frozen=True)
class SeenMessage:
    """One websocket message.

    Attributes
    ----------
    client_id : str
        The id with which the websocket was opened.
    connection : int
        Number of the websocket, counted from 0.
    sender : {"server", "client"}
        Who sent it.
    data : str or bytes
        Text as str, binary as bytes.

    Examples
    --------
    >>> result = client.run(text_to_image())
    >>> proxy.messages[0].sender in ("server", "client")
    True
    """

    client_id: str
    connection: int
    sender: Literal["server", "client"]
    data: str | bytes

    def json(self) -> Any:
        """Text message as JSON.

        Returns
        -------
        object
            What was sent; None for a binary message.

        Raises
        ------
        ValueError
            The text is no JSON.

        Examples
        --------
        >>> SeenMessage("me", 0, "server", '{"type": "status"}').json()
        {'type': 'status'}
        """
        return json.loads(self.data) if isinstance(self.data, str) else None


@dataclass
class SeenWebSocket:
    """One websocket connection.

    Attributes
    ----------
    client_id : str
        The id with which it was opened.
    target : str
        Path and query of the handshake.
    headers : tuple of (str, str) pairs
        Those of the handshake, in the order they came.
    opened : float
        When, `time.monotonic` seconds.
    closed : float or None, default None
        When the client no longer held it, `time.monotonic` seconds; None while it is open.
    pings : int, default 0
        How many pings the client sent.

    Examples
    --------
    >>> result = client.run(text_to_image())
    >>> [websocket.open for websocket in proxy.websockets]
    [True]
    """

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
        """Value of the first handshake header of this name.

        Parameters
        ----------
        name : str
            In upper or lower case.

        Returns
        -------
        str or None
            None where there is none.

        Examples
        --------
        >>> result = client.run(text_to_image())
        >>> proxy.websockets[0].header("Upgrade")
        'websocket'
        """
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass
class Traffic:
    """The record of what went by. Lists grow at the end; read them at any time, from any thread.

    Attributes
    ----------
    requests : list of SeenRequest, default []
        In the order they came, websocket handshakes among them.
    messages : list of SeenMessage, default []
        In the order they came.
    websockets : list of SeenWebSocket, default []
        In the order they were opened.
    changed : object
        Notified when something was added; `FaultProxy.wait_for` and `ScriptedServer.wait_for` wait for it.

    Examples
    --------
    >>> result = client.run(text_to_image())
    >>> len(proxy.traffic.websockets), len(server.traffic.websockets)
    (1, 1)
    """

    requests: list[SeenRequest] = field(default_factory=list)
    messages: list[SeenMessage] = field(default_factory=list)
    websockets: list[SeenWebSocket] = field(default_factory=list)
    changed: Waiter = field(default_factory=Waiter)
    _most: dict[str, int] = field(default_factory=dict)

    def select(self, method: str, pattern: str) -> list[SeenRequest]:
        """Requests of one method and path.

        Parameters
        ----------
        method : str
            ``"*"`` for any.
        pattern : str
            A path such as ``"/history/*"``, with or without ``/api``.

        Returns
        -------
        list of SeenRequest
            In the order they came.

        Examples
        --------
        >>> _ = client.queue()
        >>> [request.status for request in proxy.traffic.select("GET", "/queue")]
        [200]
        """
        return [request for request in list(self.requests) if request.matches(method, pattern)]

    def count(self, method: str, pattern: str) -> int:
        """How many requests of one method and path there were.

        Parameters
        ----------
        method : str
            ``"*"`` for any.
        pattern : str
            A path such as ``"/history/*"``, with or without ``/api``.

        Returns
        -------
        int
            Websocket handshakes count as a GET of ``/ws``.

        Examples
        --------
        >>> _ = client.queue()
        >>> proxy.traffic.count("*", "/queue")
        1
        """
        return len(self.select(method, pattern))

    def open_websockets(self, client_id: str | None = None) -> int:
        """How many websockets clients hold now.

        Parameters
        ----------
        client_id : str, optional
            Only those with this id; by default all.

        Returns
        -------
        int
            Those whose end the client has not brought about or seen.

        Examples
        --------
        >>> result = client.run(text_to_image())
        >>> proxy.traffic.open_websockets()
        1
        """
        return sum(ws.open for ws in list(self.websockets) if client_id in (None, ws.client_id))

    def most_open_websockets(self, client_id: str) -> int:
        """The most websockets that were ever open at one time with one id.

        Parameters
        ----------
        client_id : str
            The id.

        Returns
        -------
        int
            More than one makes ComfyUI lose messages.

        Examples
        --------
        >>> result = client.run(text_to_image())
        >>> proxy.traffic.most_open_websockets(client.client_id)
        1
        """
        return self._most.get(client_id, 0)

    def websocket_opened(self, client_id: str, target: str, headers: tuple[tuple[str, str], ...]) -> SeenWebSocket:
        """Note a new websocket; the proxy and the scripted server call this.

        Parameters
        ----------
        client_id : str
            The id with which it was opened.
        target : str
            Path and query of the handshake.
        headers : tuple of (str, str) pairs
            Those of the handshake.

        Returns
        -------
        SeenWebSocket
            Its record.

        Examples
        --------
        >>> traffic = Traffic()
        >>> traffic.websocket_opened("me", "/ws?clientId=me", ()).open
        True
        """
        websocket = SeenWebSocket(client_id, target, headers, time.monotonic())
        self.websockets.append(websocket)
        self._most[client_id] = max(self.most_open_websockets(client_id), self.open_websockets(client_id))
        self.changed.notify()
        return websocket

    def websocket_closed(self, websocket: SeenWebSocket) -> None:
        """Note that the client no longer holds a websocket; the proxy and the scripted server call this.

        Parameters
        ----------
        websocket : SeenWebSocket
            Its record.

        Examples
        --------
        >>> traffic = Traffic()
        >>> websocket = traffic.websocket_opened("me", "/ws?clientId=me", ())
        >>> traffic.websocket_closed(websocket)
        >>> traffic.open_websockets()
        0
        """
        if websocket.closed is None:
            websocket.closed = time.monotonic()
            self.changed.notify()
