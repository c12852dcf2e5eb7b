"""A server of plain sockets that drips, floods, lies and bombs; it shares nothing with `comfy_widgets.testing`."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Any

Handler = Callable[["Exchange"], None]


class Exchange:
    """One request that came in, and the socket to misbehave on."""

    def __init__(self, server: Hostile, connection: socket.socket, head: str, body: bytes) -> None:
        self.server = server
        self.connection = connection
        self.head = head
        self.body = body
        self.method, self.target = head.split(" ")[:2]
        self.path = re.sub("^/api(?=/)", "", self.target.split("?")[0])

    def raw(self, data: bytes) -> None:
        """Write these bytes."""
        self.connection.sendall(data)

    def reply(self, content: bytes, status: str = "200 OK", headers: str = "", length: int | None = None) -> None:
        """Write a whole reply."""
        self.head_of_reply(len(content) if length is None else length, status, headers)
        self.raw(content)

    def head_of_reply(self, length: int, status: str = "200 OK", headers: str = "") -> None:
        """Write the head of a reply."""
        self.raw(
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n".encode()
        )

    def json(self, value: Any, status: str = "200 OK") -> None:
        """Write a JSON reply."""
        self.reply(json.dumps(value).encode(), status)

    def drip(self, data: bytes, seconds: float = 0.05) -> None:
        """Write byte after byte, for as long as the server lives and the client takes it."""
        for byte in data:
            if self.server.stopped.wait(seconds):
                return
            self.raw(bytes([byte]))

    def drip_for_ever(self, seconds: float = 0.05) -> None:
        """A reply whose body never ends."""
        self.head_of_reply(1 << 30)
        while not self.server.stopped.wait(seconds):
            self.raw(b" ")

    def end(self) -> None:
        """End the connection without a word."""
        self.connection.shutdown(socket.SHUT_RDWR)

    def hang(self) -> None:
        """Say nothing until the client is gone or the server ends."""
        self.connection.settimeout(0.1)
        while not self.server.stopped.is_set():
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue


class Hostile:
    """A small ComfyUI that answers honestly, except where a test has another idea.

    Parameters
    ----------
    handlers : dict
        "GET /queue" to what answers it; a path may end with "*".
    """

    def __init__(self, handlers: dict[str, Handler] | None = None) -> None:
        self.handlers = dict(handlers or {})
        self.stopped = threading.Event()
        self.seen: list[Exchange] = []
        self.pending: list[list[Any]] = []
        self.running: list[list[Any]] = []
        self.history: dict[str, Any] = {}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._connections: list[socket.socket] = []

    def __enter__(self) -> Hostile:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        self._listener.close()
        for connection in self._connections:
            connection.close()

    def count(self, method: str, path: str) -> int:
        """How many such requests there were."""
        return sum(exchange.method == method and exchange.path == path for exchange in list(self.seen))

    def wait_for(self, look: Callable[[], Any], timeout: float = 20.0) -> None:
        """Wait until this is so."""
        deadline = time.monotonic() + timeout
        while not look():
            if time.monotonic() > deadline:
                raise TimeoutError("what the test waits for did not come")
            time.sleep(0.005)

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        try:
            while head := _read_head(stream):
                length = re.search(r"(?im)^content-length: *(\d+)", head)
                body = stream.read(int(length[1])) if length else b""
                exchange = Exchange(self, connection, head, body)
                self.seen.append(exchange)
                (self._handler(exchange) or self.honest)(exchange)
        except ValueError:
            with suppress(OSError):
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        except OSError:
            pass
        finally:
            stream.close()
            connection.close()

    def _handler(self, exchange: Exchange) -> Handler | None:
        for key, handler in self.handlers.items():
            method, path = key.split(" ")
            if exchange.method == method and fnmatchcase(exchange.path, path):
                return handler
        return None

    def honest(self, exchange: Exchange) -> None:
        """What a small ComfyUI answers; a prompt is done at once and leaves nothing."""
        method, path = exchange.method, exchange.path
        if path == "/queue" and method == "GET":
            exchange.json({"queue_running": self.running, "queue_pending": self.pending})
        elif path == "/prompt" and method == "POST":
            posted = json.loads(exchange.body)
            self.finish(posted["prompt_id"], posted["prompt"])
            exchange.json({"prompt_id": posted["prompt_id"], "number": 1, "node_errors": {}})
        elif path.startswith("/history/"):
            prompt_id = path.rpartition("/")[2]
            exchange.json({prompt_id: self.history[prompt_id]} if prompt_id in self.history else {})
        elif path == "/system_stats":
            exchange.json({"system": {"comfyui_version": "0.33.0"}, "devices": []})
        elif path in ("/queue", "/interrupt", "/free", "/history"):
            exchange.reply(b"")
        elif path == "/view":
            exchange.reply(b"x" * 1000)
        elif path in ("/features", "/object_info"):
            exchange.json({})
        else:
            exchange.reply(b"", "404 Not Found")

    def finish(self, prompt_id: str, prompt: Any = None, outputs: Any = None) -> None:
        """Let the history tell that this is done."""
        self.history[prompt_id] = {
            "prompt": [1, prompt_id, prompt or {}, {}, []],
            "outputs": outputs or {},
            "status": {"status_str": "success", "completed": True, "messages": []},
        }


def welcome(exchange: Exchange) -> None:
    """Answer the handshake of a websocket."""
    key = re.search(r"(?im)^sec-websocket-key: *(\S+)", exchange.head)
    assert key is not None
    digest = hashlib.sha1((key[1] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    exchange.raw(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + base64.b64encode(digest)
        + b"\r\n\r\n"
    )


def frame(payload: bytes, opcode: int = 1, *, final: bool = True) -> bytes:
    """One websocket frame of a server."""
    head = bytes([opcode | (0x80 if final else 0)])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    if len(payload) < 1 << 16:
        return head + struct.pack(">BH", 126, len(payload)) + payload
    return head + struct.pack(">BQ", 127, len(payload)) + payload


def messages(exchange: Exchange, values: Iterable[Any]) -> None:
    """Send these as JSON messages."""
    for value in values:
        exchange.raw(frame(json.dumps(value).encode()))


def _read_head(stream: Any) -> str:
    if stream.peek(1)[:1] == b"\x16":
        raise ValueError("somebody wants to speak TLS")
    lines = []
    while (line := stream.readline(1 << 16)) not in (b"\r\n", b"\n", b""):
        lines.append(line.decode("latin-1"))
    return "".join(lines)
