"""The websockets of all clients, and who hears what."""

from __future__ import annotations

import asyncio
import json
import logging
import struct
import uuid
from collections.abc import Callable
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from .._run.wire import Wire
from .limits import MAX_CLIENT_MESSAGE, features_of

_log = logging.getLogger(__name__)

PREVIEW_IMAGE, TEXT, PREVIEW_IMAGE_WITH_METADATA = 1, 3, 4
_JPEG = 1
_BACKLOG = 64
"""Frames waiting for a slow client above which its previews are dropped; other messages never are."""


class _Socket:
    """One connection: what the client can do, and a queue that its own task empties, so that nobody waits for it."""

    def __init__(self, ws: web.WebSocketResponse) -> None:
        self._ws = ws
        self._outbox: asyncio.Queue[str | bytes] = asyncio.Queue()
        self.flags: dict[str, Any] = {}

    def put(self, frame: str | bytes, *, droppable: bool = False) -> None:
        if not (droppable and self._outbox.qsize() > _BACKLOG):
            self._outbox.put_nowait(frame)

    async def drain(self) -> None:
        try:
            while True:
                frame = await self._outbox.get()
                if isinstance(frame, str):
                    await self._ws.send_str(frame)
                else:
                    await self._ws.send_bytes(frame)
        except ConnectionError:
            pass  # The handler sees the end of the connection itself.


class SocketHub:
    """Sends messages from any thread to the sockets, in order.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        The server's event loop.
    queue_remaining : callable
        Gives the number that `status` tells.
    running_node : callable
        Gives (client id, node id) of what runs, to tell a client that comes back in the middle.
    wire : Wire
        Which ComfyUI to answer like.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        queue_remaining: Callable[[], int],
        running_node: Callable[[], tuple[str | None, str | None]],
        wire: Wire,
    ) -> None:
        self._loop = loop
        self._queue_remaining = queue_remaining
        self._running_node = running_node
        self._wire = wire
        self._log_followers: set[str] = set()
        self._sockets: dict[str, _Socket] = {}
        self._open: set[web.WebSocketResponse] = set()

    # From the worker's thread (and any other)

    def send(self, event: str, data: dict[str, Any], client_id: str | None = None) -> None:
        """Send a JSON message to one client, or to all."""
        self._post(json.dumps({"type": event, "data": data}), client_id)

    def send_status(self) -> None:
        """Tell everybody how many prompts are pending or running."""
        self.send("status", self._status())

    def send_preview(self, jpeg: bytes, metadata: dict[str, Any], client_id: str | None) -> None:
        """Send a preview in the form that the client understands; to everybody in the plain form."""
        if self.wants_metadata(client_id):
            head = json.dumps(metadata).encode()
            frame = struct.pack(">II", PREVIEW_IMAGE_WITH_METADATA, len(head)) + head + jpeg
        else:
            frame = struct.pack(">II", PREVIEW_IMAGE, _JPEG) + jpeg
        self._post(frame, client_id, droppable=True)

    def send_text(self, node_id: str, text: str, client_id: str | None) -> None:
        """Send a line of text about a node."""
        node = node_id.encode()
        self._post(struct.pack(">II", TEXT, len(node)) + node + text.encode(), client_id)

    def follow_log(self, client_id: str, *, is_wanted: bool) -> None:
        """Send a client the lines of the log from now on, or no more."""
        (self._log_followers.add if is_wanted else self._log_followers.discard)(client_id)

    def send_log(self, entry: dict[str, str]) -> None:
        """Send a line of the log to those who follow it."""
        for client_id in list(self._log_followers):
            self.send("logs", {"entries": [entry], "size": {"cols": 80, "rows": 24}}, client_id)

    def listens(self, client_id: str | None) -> bool:
        """Tell whether anybody would get a message to this client."""
        return bool(self._sockets) if client_id is None else client_id in self._sockets

    def wants_metadata(self, client_id: str | None) -> bool:
        """Tell whether the client said that it understands previews with metadata."""
        socket = self._sockets.get(client_id) if client_id is not None else None
        return socket is not None and socket.flags.get("supports_preview_metadata") is True

    def _post(self, frame: str | bytes, client_id: str | None, *, droppable: bool = False) -> None:
        def deliver() -> None:
            if client_id is None:
                for socket in self._sockets.values():
                    socket.put(frame, droppable=droppable)
            elif client_id in self._sockets:
                self._sockets[client_id].put(frame, droppable=droppable)

        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(deliver)

    def _status(self) -> dict[str, Any]:
        return {"status": {"exec_info": {"queue_remaining": self._queue_remaining()}}}

    # In the event loop

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection. The newest connection of a client id gets its messages."""
        ws = web.WebSocketResponse(max_msg_size=MAX_CLIENT_MESSAGE)
        await ws.prepare(request)
        client_id = request.query.get("clientId") or uuid.uuid4().hex
        socket = _Socket(ws)
        self._sockets[client_id] = socket
        socket.put(json.dumps({"type": "status", "data": {**self._status(), "sid": client_id}}))
        running_client, node_id = self._running_node()
        if running_client == client_id and node_id is not None:
            socket.put(json.dumps({"type": "executing", "data": {"node": node_id}}))
        self._open.add(ws)
        sender = asyncio.create_task(socket.drain())
        try:
            await self._listen(ws, socket)
        finally:
            sender.cancel()
            self._open.discard(ws)
            if self._sockets.get(client_id) is socket:
                del self._sockets[client_id]
                self._log_followers.discard(client_id)
        return ws

    async def _listen(self, ws: web.WebSocketResponse, socket: _Socket) -> None:
        """Read what the client says: only ``feature_flags`` as its first JSON object means something."""
        first = True
        async for message in ws:
            if message.type is not WSMsgType.TEXT or not first:
                continue
            try:
                said = json.loads(message.data)
            except ValueError:
                continue
            if not isinstance(said, dict):
                continue
            first = False
            flags = said.get("data")
            if said.get("type") == "feature_flags" and isinstance(flags, dict):
                socket.flags = flags
                socket.put(json.dumps({"type": "feature_flags", "data": features_of(self._wire)}))

    async def close(self) -> None:
        """Say goodbye to all clients, so that the server can end at once."""
        self._sockets.clear()
        for ws in list(self._open):
            await ws.close(code=WSCloseCode.GOING_AWAY)
