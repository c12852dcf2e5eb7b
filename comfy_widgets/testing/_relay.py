"""One connection through the fault proxy: HTTP exchanges one after the other, until one becomes a websocket."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

from ._ends import End, Wiring, reset
from ._faults import Manner
from ._traffic import SeenRequest
from ._websocket_relay import WebSocketRelay
from ._wire import Head

PIECE = 1 << 16
_KEPT_BODY = 1 << 20  # of a request, for the record


class Relay:
    """One client connection and its connection to the server."""

    client: End
    server: End

    def __init__(self, wiring: Wiring, relays: set[Relay]) -> None:
        self.wiring = wiring
        self._relays = relays
        self.websocket: WebSocketRelay | None = None

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve the connection to its end."""
        wiring = self.wiring
        try:
            server = await asyncio.open_connection(wiring.host, wiring.port)
        except OSError:
            reset(writer)
            return
        # Opening a connection over a real network takes a round trip before the first byte may leave.
        ready_at = asyncio.get_running_loop().time() + 3 * wiring.delay if wiring.delay else 0.0
        self.client = End(reader, writer, wiring)
        self.server = End(*server, wiring, ready_at)
        self._relays.add(self)
        try:
            while await self._exchange():
                pass
            await self.client.flush()
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            # The other side broke off in the middle: so does this one.
            self.client.reset()
        finally:
            self._relays.discard(self)
            self.client.close()
            self.server.close()

    async def _exchange(self) -> bool:
        """Carry out one request and its reply; says whether the connection lives on."""
        head = await self._next_request()
        if head is None:
            return False
        traffic = self.wiring.traffic
        seen = SeenRequest(head.method, head.target, head.headers)
        traffic.requests.append(seen)
        traffic.changed.notify()
        exchange = Exchange(self, head, seen)
        fault = self.wiring.faults.for_request(seen)
        if fault is None:
            await exchange.forward_request()
            await exchange.relay_reply()
        else:
            seen.fault = type(fault).__name__
            await fault.act(exchange)
        traffic.changed.notify()
        if exchange.upgraded:
            self.websocket = WebSocketRelay(self.client, self.server, self.wiring, head)
            await self.websocket.run()
            return False
        return exchange.alive

    async def _next_request(self) -> Head | None:
        """Next request head; None when either side has closed, which a pool of connections must get to see."""
        request = asyncio.ensure_future(read_head(self.client.reader))
        server_end = asyncio.ensure_future(self.server.reader.read(1))
        try:
            await asyncio.wait({request, server_end}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            request.cancel()
            server_end.cancel()
        head, _ = await asyncio.gather(request, server_end, return_exceptions=True)
        return head if isinstance(head, Head) else None


class Exchange:
    """One request on its way to the server and the reply on its way back: the steps a fault is made of."""

    def __init__(self, relay: Relay, head: Head, seen: SeenRequest) -> None:
        self._client = relay.client
        self._server = relay.server
        self._request = head
        self._seen = seen
        self.alive = head.get("Connection").lower() != "close"
        self.upgraded = False
        self._held: list[bytes] | None = None

    async def forward_request(self) -> None:
        """Send the request on."""
        # Without extensions frames are not compressed, so that the proxy can count and change messages.
        await self._server.send(self._request.without("Sec-WebSocket-Extensions").encode())
        if self._held is not None:
            for piece in self._held:
                self._keep(piece)
                await self._server.send(piece)
            return
        async for piece in body(self._client.reader, self._request):
            self._keep(piece)
            await self._server.send(piece)

    async def swallow_request(self) -> None:
        """Read the request, send nothing on."""
        async for piece in body(self._client.reader, self._request):
            self._keep(piece)

    async def discard_reply(self) -> None:
        """Read the server's whole reply, so that the server is certainly done, and pass nothing on."""
        reply = await self._read_reply_head()
        async for _ in body(self._server.reader, reply, self._request.method):
            pass

    async def relay_reply(self, *, at_most: int | None = None, bytes_per_second: float | None = None) -> None:
        """Pass the reply on: all of it, or a part of its body, or slowly."""
        reply = await self._read_reply_head()
        self._seen.status = reply.status
        self.upgraded = reply.status == 101
        self.alive &= reply.get("Connection").lower() != "close"
        await self._client.send(reply.encode())
        left = at_most
        async for piece in body(self._server.reader, reply, self._request.method):
            if left is not None:
                piece = piece[:left]
                left -= len(piece)
            if bytes_per_second is None:
                await self._client.send(piece)
            else:
                await self._trickle(piece, bytes_per_second)
            if left == 0:
                return

    async def answer(self, head: Head, content: bytes) -> None:
        """Give the client a reply of the proxy's own."""
        self._seen.status = head.status
        await self._client.send(head.encode() + (b"" if self._request.method == "HEAD" else content))

    async def hold_until(self, lifted: threading.Event) -> bool:
        """Wait for a fault to be lifted; False when the client gave up first."""
        # Read first: whoever waits for the client to leave would take the body for noise.
        self._held = [piece async for piece in body(self._client.reader, self._request)]
        gone = asyncio.ensure_future(client_leaves(self._client.reader))
        try:
            return await until_set(lifted, gone)
        finally:
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone

    async def cut(self, manner: Manner) -> None:
        """End the connection in this manner, once what went before has arrived."""
        self.alive = False
        await self._client.flush()
        if manner == "reset":
            self._client.reset()
        elif manner == "silent":
            await client_leaves(self._client.reader)

    def _keep(self, piece: bytes) -> None:
        self._seen.body += piece[: _KEPT_BODY - len(self._seen.body)]

    async def _read_reply_head(self) -> Head:
        while True:
            reply = await read_head(self._server.reader)
            if reply.status >= 200 or reply.status == 101:
                return reply
            await self._client.send(reply.encode())

    async def _trickle(self, piece: bytes, bytes_per_second: float) -> None:
        step = max(1, int(bytes_per_second / 20))
        for at in range(0, len(piece), step):
            await self._client.send(piece[at : at + step])
            await asyncio.sleep(step / bytes_per_second)


async def read_head(reader: asyncio.StreamReader) -> Head:
    """Read the head of an HTTP message; raises IncompleteReadError at the end of the stream."""
    try:
        return Head.parse(await reader.readuntil(b"\r\n\r\n"))
    except asyncio.LimitOverrunError as error:
        raise ValueError("the HTTP head is too long") from error


async def body(reader: asyncio.StreamReader, head: Head, request_method: str | None = None) -> AsyncIterator[bytes]:
    """Read the body that belongs to a head, piece by piece, as it is on the wire.

    `request_method` is that of the request when `head` is a reply's: only a reply may run to the end of the stream.
    """
    if request_method == "HEAD" or (request_method is not None and head.status in (101, 204, 304)):
        return
    if head.get("Transfer-Encoding").lower() == "chunked":
        size = -1
        while size:
            line = await reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            yield line + (await reader.readexactly(size + 2) if size else b"")
        line = b""
        while line != b"\r\n":  # trailers, then an empty line
            line = await reader.readuntil(b"\r\n")
            yield line
    elif length := head.get("Content-Length"):
        left = int(length)
        while left:
            piece = await reader.read(min(PIECE, left))
            if not piece:
                raise asyncio.IncompleteReadError(b"", left)
            left -= len(piece)
            yield piece
    elif request_method is not None:
        while piece := await reader.read(PIECE):
            yield piece


async def client_leaves(reader: asyncio.StreamReader) -> None:
    """Return when the client has ended the connection; what it sends until then is thrown away."""
    with contextlib.suppress(ConnectionError):
        while await reader.read(PIECE):
            pass


async def until_set(event: threading.Event, unless: asyncio.Future[None]) -> bool:
    """Wait until a test's thread sets the event; False when `unless` is done first."""
    while not event.is_set():
        if unless.done():
            return False
        await asyncio.sleep(0.01)
    return True
