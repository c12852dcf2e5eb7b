"""The faults a `FaultProxy` can be told to make: which traffic each one strikes, and what it does to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

from ._traffic import SeenMessage, SeenRequest, Waiter
from ._wire import Head

Manner = Literal["close", "eof", "reset", "silent", "deaf"]
"""How a connection ends.

``close``: properly, a websocket with a close frame. ``eof``: the TCP stream ends without a word, as when the server
is killed. ``reset``: TCP reset. ``silent``: nothing passes any more, either way, but the connection stays open.
``deaf`` (websockets only): pings are still answered, yet no message ever comes again.
"""

Message = str | bytes


class Exchange(Protocol):
    """The steps that an HTTP fault is made of; the relay carries them out."""

    async def forward_request(self) -> None:
        """Send the request on."""
        ...

    async def swallow_request(self) -> None:
        """Read the request, send nothing on."""
        ...

    async def discard_reply(self) -> None:
        """Read the server's whole reply and pass nothing on."""
        ...

    async def relay_reply(self, *, at_most: int | None = None, bytes_per_second: float | None = None) -> None:
        """Pass the reply on: all of it, or a part of its body, or slowly."""
        ...

    async def answer(self, head: Head, content: bytes) -> None:
        """Give the client a reply of the proxy's own."""
        ...

    async def hold_until(self, lifted: threading.Event) -> bool:
        """Wait for a fault to be lifted; False when the client gave up first."""
        ...

    async def cut(self, manner: Manner) -> None:
        """End the connection in this manner."""
        ...


FaultT = TypeVar("FaultT", bound="Fault")


@dataclass
class Fault:
    """One fault that was asked for. It is also the handle: count it, wait for it, lift it.

    The methods of `FaultProxy` make it.

    Parameters
    ----------
    times : int or None, default 1
        How often it strikes; None for always.
    nth : int, default 1
        The first matching request or message it strikes, counted from 1.

    Attributes
    ----------
    hits : int
        How often it has struck.
    lifted : threading.Event
        Set once the fault is lifted.

    Examples
    --------
    >>> fault = proxy.lose_reply("GET", "/queue", times=None)
    >>> try:
    ...     client.queue()
    ... except ComfyError:
    ...     fault.lift()
    >>> fault.hits > 0, client.queue().queue_running
    (True, ())
    """

    times: int | None = field(default=1, kw_only=True)
    nth: int = field(default=1, kw_only=True)
    hits: int = field(default=0, init=False)
    lifted: threading.Event = field(default_factory=threading.Event, init=False)
    _seen: int = field(default=0, init=False)
    _waiter: Waiter = field(default_factory=Waiter, init=False, repr=False)

    def strikes(self) -> bool:
        """Count one match and say whether the fault acts on it; the proxy asks this.

        Returns
        -------
        bool
            False before the `nth` match, after `times` hits and once the fault is lifted.

        Examples
        --------
        >>> fault = Fault(nth=2)
        >>> [fault.strikes(), fault.strikes(), fault.strikes()]
        [False, True, False]
        """
        if self.lifted.is_set() or (self.times is not None and self.hits >= self.times):
            return False
        self._seen += 1
        if self._seen < self.nth:
            return False
        self.hits += 1
        self._waiter.notify()
        return True

    def wait(self, timeout: float = 30.0) -> None:
        """Return as soon as the fault has struck once.

        Parameters
        ----------
        timeout : float, default 30.0
            Seconds to wait at most.

        Raises
        ------
        TimeoutError
            It has not struck in this time.

        Examples
        --------
        >>> fault = proxy.cut_websocket(after_messages=3)
        >>> job = client.submit(text_to_image())
        >>> fault.wait()
        >>> job.result(30).status
        'completed'
        """
        self._waiter.until(lambda: self.hits, timeout, f"the fault {type(self).__name__}")

    def lift(self) -> None:
        """End the fault: it strikes no more, and what it holds back goes on.

        Examples
        --------
        >>> fault = proxy.fail("GET", "/queue", times=None)
        >>> fault.lift()
        >>> client.queue().queue_running, fault.hits
        ((), 0)
        """
        self.lifted.set()
        self._waiter.notify()


@dataclass
class HttpFault(Fault):
    """A fault of one kind of HTTP call; `method` may be ``"*"``, `path` a pattern as in `path_matches`."""

    method: str
    path: str

    def matches(self, request: SeenRequest) -> bool:
        """Whether this fault is about this request."""
        return request.matches(self.method, self.path)

    async def act(self, exchange: Exchange) -> None:
        """Carry the exchange out, wrongly."""
        raise NotImplementedError


@dataclass
class Answer(HttpFault):
    """Give an answer of our own, before or after the server has had the request."""

    status: int
    body: bytes
    content_type: str
    reaches_server: bool

    async def act(self, exchange: Exchange) -> None:
        if self.reaches_server:
            await exchange.forward_request()
            await exchange.discard_reply()
        else:
            await exchange.swallow_request()
        head = Head(
            f"HTTP/1.1 {self.status} Fault",
            (("Content-Type", self.content_type), ("Content-Length", str(len(self.body)))),
        )
        await exchange.answer(head, self.body)


@dataclass
class LoseReply(HttpFault):
    """The server gets the request and answers, the client never hears of it."""

    manner: Manner

    async def act(self, exchange: Exchange) -> None:
        await exchange.forward_request()
        await exchange.discard_reply()
        await exchange.cut(self.manner)


@dataclass
class CutReply(HttpFault):
    """The reply breaks off after so many bytes of its body."""

    after_bytes: int
    manner: Manner

    async def act(self, exchange: Exchange) -> None:
        await exchange.forward_request()
        await exchange.relay_reply(at_most=self.after_bytes)
        await exchange.cut(self.manner)


@dataclass
class SlowBody(HttpFault):
    """The body of the reply trickles."""

    bytes_per_second: float

    async def act(self, exchange: Exchange) -> None:
        await exchange.forward_request()
        await exchange.relay_reply(bytes_per_second=self.bytes_per_second)


@dataclass
class Stall(HttpFault):
    """The request gets no answer until the fault is lifted; then it is served as if nothing had been."""

    async def act(self, exchange: Exchange) -> None:
        if await exchange.hold_until(self.lifted):
            await exchange.forward_request()
            await exchange.relay_reply()


@dataclass
class CutWebSocket(Fault):
    """End a websocket after its Nth message from the server."""

    after_messages: int
    manner: Manner
    client_id: str | None
    midway: bool
    server_notices: bool

    def due(self, client_id: str, passed: int, midway: bool) -> bool:
        """Whether a websocket of this client that has brought `passed` messages is to be cut now."""
        concerned = self.client_id in (None, client_id) and midway == self.midway
        return concerned and passed >= self.after_messages and self.strikes()


@dataclass
class AlterMessages(Fault):
    """Change messages from the server on their way, or drop them (`change` gives None)."""

    change: Callable[[Message], Message | None]
    where: Callable[[SeenMessage], bool]

    def applied(self, seen: SeenMessage) -> Message | None:
        """Message to pass on in place of this one."""
        return self.change(seen.data) if self.where(seen) and self.strikes() else seen.data


@dataclass
class FaultPlan:
    """All faults asked for, in order; the first one that strikes wins."""

    faults: list[Fault] = field(default_factory=list)

    def for_request(self, request: SeenRequest) -> HttpFault | None:
        """Fault that strikes this request."""
        return next((fault for fault in self._of(HttpFault) if fault.matches(request) and fault.strikes()), None)

    def for_websocket(self, client_id: str, passed: int, *, midway: bool = False) -> CutWebSocket | None:
        """Cut that is due on a websocket that has brought `passed` messages (and begins the next, if `midway`)."""
        return next((fault for fault in self._of(CutWebSocket) if fault.due(client_id, passed, midway)), None)

    def altered(self, seen: SeenMessage) -> Message | None:
        """What becomes of a message from the server."""
        for fault in self._of(AlterMessages):
            changed = fault.applied(seen)
            if changed is not seen.data:
                return changed
        return seen.data

    def _of(self, kind: type[FaultT]) -> Iterator[FaultT]:
        return (fault for fault in list(self.faults) if isinstance(fault, kind))
