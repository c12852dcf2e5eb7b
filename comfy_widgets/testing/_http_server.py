"""The sockets of the scripted server: HTTP/1.1 with kept-alive connections, one thread each, and websockets."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ._traffic import SeenMessage, SeenRequest, SeenWebSocket, Traffic
from ._wire import FrameReader, MessageJoiner, Opcode, accept_key, bare_path, encode_frame


@dataclass
class Request(SeenRequest):
    """One request as a handler gets it.

    Attributes
    ----------
    method : str
        The HTTP method.
    target : str
        Path and query as the client wrote them.
    headers : tuple of (str, str) pairs, default ()
        In the order they came.
    body : bytes, default b""
        What was sent.
    status : int or None, default None
        Status the client was given; None while there is none.
    fault : str, default ""
        Always "": a server has no faults.
    at : float
        When it came, `time.monotonic` seconds; now by default.

    Examples
    --------
    >>> request = Request("GET", "/api/view?filename=a.png&type=output")
    >>> request.path, request.query["filename"]
    ('/view', 'a.png')
    """

    @property
    def path(self) -> str:
        """Path without query and ``/api``, still percent-encoded."""
        return bare_path(self.target)

    @property
    def last(self) -> str:
        """Last part of the path, decoded: the id in ``/history/<id>``."""
        return unquote(self.path.rsplit("/", 1)[-1])

    @property
    def query(self) -> dict[str, str]:
        """Query parameters, the last of each name."""
        return {
            key: values[-1] for key, values in parse_qs(urlsplit(self.target).query, keep_blank_values=True).items()
        }


@dataclass
class Reply:
    """What a handler answers.

    Parameters
    ----------
    status : int, default 200
        The HTTP status.
    body : bytes, default b""
        What the client reads.
    content_type : str, default ""
        Its media type; "" leaves the header out.
    headers : dict of str to str, default {}
        Further headers.

    Examples
    --------
    >>> from urllib.request import urlopen
    >>> server.on("GET", "/hello", Reply(200, b"hello", "text/plain"))
    >>> urlopen(f"{server.url}/hello").read()
    b'hello'
    """

    status: int = 200
    body: bytes = b""
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200) -> Reply:
        """Reply with JSON.

        Parameters
        ----------
        value : object
            What JSON can write.
        status : int, default 200
            The HTTP status.

        Returns
        -------
        Reply
            With the media type of JSON.

        Examples
        --------
        >>> Reply.json({"queue_running": []}).body
        b'{"queue_running": []}'
        """
        return cls(status, json.dumps(value).encode(), "application/json; charset=utf-8")

    @classmethod
    def text(cls, value: str, status: int = 200, content_type: str = "text/plain; charset=utf-8") -> Reply:
        """Reply with text.

        Parameters
        ----------
        value : str
            Sent as UTF-8.
        status : int, default 200
            The HTTP status.
        content_type : str, default "text/plain; charset=utf-8"
            Its media type.

        Returns
        -------
        Reply
            With the text as its body.

        Examples
        --------
        >>> Reply.text("Bad Gateway", 502)
        Reply(status=502, body=b'Bad Gateway', content_type='text/plain; charset=utf-8', headers={})
        """
        return cls(status, value.encode(), content_type)


class WebSocket:
    """The server's end of one websocket."""

    def __init__(self, connection: socket.socket, seen: SeenWebSocket) -> None:
        self.seen = seen
        self.first: Any = None
        self._connection = connection
        self._sending = threading.Lock()

    @property
    def client_id(self) -> str:
        """Who it belongs to."""
        return self.seen.client_id

    @property
    def takes_metadata(self) -> bool:
        """Whether the client's first message asked for previews that say whose they are (protocol 2.2)."""
        if not isinstance(self.first, dict) or self.first.get("type") != "feature_flags":
            return False
        return self.first.get("data", {}).get("supports_preview_metadata") is True

    def send(self, message: Any) -> None:
        """Send bytes as binary, str as text, everything else as JSON; nothing happens when the client has left."""
        if isinstance(message, bytes):
            self._send(Opcode.BINARY, message)
        else:
            text = message if isinstance(message, str) else json.dumps(message)
            self._send(Opcode.TEXT, text.encode())

    def read(self, on_message: Callable[[str | bytes], None]) -> None:
        """Read until the client leaves; pings are answered."""
        frames, joiner = FrameReader(), MessageJoiner()
        with contextlib.suppress(OSError):
            while data := self._connection.recv(1 << 16):
                for frame in frames.feed(data):
                    if frame.opcode is Opcode.PING:
                        self.seen.pings += 1
                        self._send(Opcode.PONG, frame.payload)
                    elif frame.opcode is Opcode.CLOSE:
                        self._send(Opcode.CLOSE, frame.payload[:2])
                        return
                    elif (message := joiner.add(frame)) is not None:
                        on_message(message)

    def close(self) -> None:
        """Drop the connection without a word."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def _send(self, opcode: Opcode, payload: bytes) -> None:
        with self._sending, contextlib.suppress(OSError):
            self._connection.sendall(encode_frame(opcode, payload))


class HttpServer(ThreadingHTTPServer):
    """Listens, keeps track of what is open, and hands every request to `answer`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(
        self,
        port: int,
        prefix: str,
        traffic: Traffic,
        answer: Callable[[Request], Reply],
        on_websocket: Callable[[WebSocket], None],
        on_message: Callable[[WebSocket, str | bytes], None],
        on_leave: Callable[[WebSocket], None],
    ) -> None:
        self.prefix = prefix
        self.traffic = traffic
        self.answer = answer
        self.on_websocket = on_websocket
        self.on_message = on_message
        self.on_leave = on_leave
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)
        self._serving = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.02}, name="scripted-server", daemon=True
        )
        self._serving.start()

    def stop(self) -> None:
        """Stop listening and drop every connection, as a killed process does."""
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._serving.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that break off: that is what these servers are for."""


class _Handler(BaseHTTPRequestHandler):
    server: HttpServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one packet
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The base class looks for do_GET, do_POST and so on; every method is served alike.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        content = self._read_body()
        target = self.path
        inside = target.startswith(self.server.prefix + "/")
        request = Request(
            self.command, target[len(self.server.prefix) :] if inside else target, tuple(self.headers.items()), content
        )
        self.server.traffic.requests.append(request)
        self.server.traffic.changed.notify()
        reply = self.server.answer(request) if inside else Reply(404)
        request.status = reply.status
        if reply.status == 101:
            self._serve_websocket(request)
            return
        self.send_response(reply.status)
        if reply.content_type:
            self.send_header("Content-Type", reply.content_type)
        for name, value in reply.headers.items():
            # As aiohttp writes them: in UTF-8.
            self.send_header(name, value.encode().decode("latin-1"))
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()
        self.server.traffic.changed.notify()

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _serve_websocket(self, request: Request) -> None:
        self.close_connection = True
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept_key(self.headers["Sec-WebSocket-Key"]))
        self.end_headers()
        self.wfile.flush()
        traffic = self.server.traffic
        client_id = request.query.get("clientId", "")
        seen = traffic.websocket_opened(client_id, request.target, request.headers)
        number = traffic.websockets.index(seen)
        websocket = WebSocket(self.connection, seen)

        def received(message: str | bytes) -> None:
            traffic.messages.append(SeenMessage(client_id, number, "client", message))
            self.server.on_message(websocket, message)
            traffic.changed.notify()

        self.server.on_websocket(websocket)
        try:
            websocket.read(received)
        finally:
            self.server.on_leave(websocket)
            traffic.websocket_closed(seen)
