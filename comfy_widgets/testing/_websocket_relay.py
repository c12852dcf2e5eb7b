"""A websocket through the fault proxy: counts its messages, changes them, and ends in the manner asked for."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import parse_qs, urlsplit

from ._ends import End, Wiring
from ._faults import CutWebSocket
from ._traffic import SeenMessage
from ._wire import FrameReader, Head, MessageJoiner, Opcode, close_payload, encode_frame

_PIECE = 1 << 16


class WebSocketRelay:
    """Both directions of one websocket, from the moment its handshake was answered."""

    def __init__(self, client: End, server: End, wiring: Wiring, request: Head) -> None:
        self._client = client
        self._server = server
        self._wiring = wiring
        self.client_id = parse_qs(urlsplit(request.target).query).get("clientId", [""])[0]
        self._seen = wiring.traffic.websocket_opened(self.client_id, request.target, request.headers)
        self._number = len(wiring.traffic.websockets) - 1
        self._passed = 0
        self._cut: CutWebSocket | None = None
        self._close_answered = asyncio.Event()
        self._cutting: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Relay until the client has left, and the server too unless it is not to notice."""
        upward = asyncio.create_task(self._from_client())
        downward = asyncio.create_task(self._from_server())
        try:
            await asyncio.wait({upward, downward}, return_when=asyncio.FIRST_COMPLETED)
            if self._cut is None and downward.done():
                await self._client.flush()
                if downward.exception() is not None:
                    self._client.reset()
            elif self._cut is not None:
                await self._client_left(upward)
                self._wiring.traffic.websocket_closed(self._seen)
                # Nobody tells the server: to it the connection is open until the fault is lifted.
                while not (self._cut.server_notices or self._cut.lifted.is_set() or downward.done()):
                    await asyncio.sleep(0.01)
        finally:
            self._wiring.traffic.websocket_closed(self._seen)
            for task in (upward, downward, self._cutting):
                if task is not None:
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                        await task

    def cut(self, fault: CutWebSocket) -> None:
        """End the websocket by this fault, now."""
        if self._cut is None:
            self._cut = fault
            self._cutting = asyncio.create_task(self._end_client(fault))

    async def _client_left(self, upward: asyncio.Task[None]) -> None:
        with contextlib.suppress(ConnectionError):
            await upward

    async def _end_client(self, fault: CutWebSocket) -> None:
        await self._client.flush()
        if fault.server_notices:
            self._server.close()
        if fault.manner == "reset":
            self._client.reset()
        elif fault.manner == "close":
            await self._client.send(encode_frame(Opcode.CLOSE, close_payload(1001, "going away")))
            await self._client.flush()
            # To end before the client's own close frame has come would turn the clean close into a reset.
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._close_answered.wait(), 5.0)
            self._client.close()
        elif fault.manner == "eof":
            self._client.half_close()

    @property
    def _passes_control(self) -> bool:
        return self._cut is None or self._cut.manner == "deaf"

    async def _from_client(self) -> None:
        frames, joiner = FrameReader(), MessageJoiner()
        while data := await self._client.reader.read(_PIECE):
            for frame in frames.feed(data):
                if frame.opcode is Opcode.PING:
                    self._seen.pings += 1
                elif frame.opcode is Opcode.CLOSE:
                    self._close_answered.set()
                elif (message := joiner.add(frame)) is not None:
                    self._record(SeenMessage(self.client_id, self._number, "client", message))
                if self._passes_control:
                    await self._server.send(frame.raw)

    async def _from_server(self) -> None:
        frames, joiner = FrameReader(), MessageJoiner()
        self._strike()
        parts = b""
        while data := await self._server.reader.read(_PIECE):
            for frame in frames.feed(data):
                if frame.opcode >= Opcode.CLOSE:
                    if self._passes_control:
                        await self._client.send(frame.raw)
                    continue
                parts += frame.raw
                message = joiner.add(frame)
                if message is not None:
                    await self._pass_message(message, parts)
                    parts = b""

    async def _pass_message(self, message: str | bytes, raw: bytes) -> None:
        if self._cut is not None:
            return
        if fault := self._wiring.faults.for_websocket(self.client_id, self._passed, midway=True):
            await self._client.send(raw[: len(raw) // 2])
            self.cut(fault)
            return
        seen = SeenMessage(self.client_id, self._number, "server", message)
        self._record(seen)
        changed = self._wiring.faults.altered(seen)
        if changed is not None:
            await self._client.send(raw if changed is message else encode_message(changed))
        self._passed += 1
        self._strike()

    def _strike(self) -> None:
        if self._cut is None and (fault := self._wiring.faults.for_websocket(self.client_id, self._passed)):
            self.cut(fault)

    def _record(self, seen: SeenMessage) -> None:
        if self._wiring.record:
            self._wiring.traffic.messages.append(seen)
        self._wiring.traffic.changed.notify()


def encode_message(message: str | bytes) -> bytes:
    """Write one message as one frame of a server."""
    if isinstance(message, str):
        return encode_frame(Opcode.TEXT, message.encode("utf-8", "surrogateescape"))
    return encode_frame(Opcode.BINARY, message)
