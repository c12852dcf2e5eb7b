"""The websocket: one listener thread that pings, notices a lost connection and connects again.

ComfyUI forgets the newer of two sockets with one client id when the older one ends, and that newer socket then stays
open and deaf for ever. So the old socket is closed before a new one is opened, there is never more than one, and
`Connection.reconnect` lets the owner replace a socket that hears nothing although the server moved on.
"""

from __future__ import annotations

import logging
import random
import select
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import websocket

from ..protocol import FEATURE_FLAGS_FRAME, Event, FeatureFlags, parse_binary, parse_text
from ._deadlines import Deadlines

logger = logging.getLogger(__name__)

_SETTLE = 1.0
_STEADY_TRIES = 5
_LONGEST = 60.0
_MESSAGE = 30.0
"""Seconds that a message may take from its first byte to its last."""
_MOST_FRAGMENTS = 1000
"""Frames of one message; ComfyUI sends every message in one."""
_END = 1.0
"""Seconds that closing waits for the thread; it is a daemon and ends by itself."""


@dataclass(frozen=True)
class Handshake:
    """How a websocket is opened.

    Attributes
    ----------
    url : str
        The ws:// or wss:// address with the client id.
    headers : dict
        Sent along; never shown.
    verify : bool or str
        TLS, as in `Options` of the transport.
    direct : bool
        Never through a proxy of the environment.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    verify: bool | str = True
    direct: bool = False


@dataclass(frozen=True)
class KeepAlive:
    """How a websocket is kept open.

    Attributes
    ----------
    ping_interval, reconnect_interval : float
        Seconds. After five vain tries the interval grows, up to a minute.
    connect_timeout : float
        Seconds that a try may take.
    max_frame : int
        Bytes; a longer message ends the connection, before it is read.
    """

    ping_interval: float = 30.0
    reconnect_interval: float = 5.0
    connect_timeout: float = 5.0
    max_frame: int = 1 << 30


class Connection:
    """One websocket, kept open by one daemon thread until `close`.

    Parameters
    ----------
    handshake : callable
        Gives the `Handshake` of each try.
    keep_alive : KeepAlive
    deadlines : Deadlines
        Cuts a handshake or a message that takes too long.
    on_event : callable
        Called in the listener thread with each event; it must be quick.
    on_change : callable
        Called in the listener thread with True when the connection is open, False when it is lost.
    """

    def __init__(
        self,
        handshake: Callable[[], Handshake],
        keep_alive: KeepAlive,
        deadlines: Deadlines,
        on_event: Callable[[Event], None],
        on_change: Callable[[bool], None],
    ) -> None:
        self._handshake = handshake
        self._settings = keep_alive
        self._deadlines = deadlines
        self._socket = _Socket()
        self._on_event = on_event
        self._on_change = on_change
        self._closed = threading.Event()
        self._tried = threading.Event()
        self._connected = threading.Event()
        self._wake_receive, self._wake_send = socket.socketpair()
        self._text_has_prompt_id = False
        # When a message came, or the connection was opened; pongs do not count, as a deaf socket answers pings too.
        self.last_message = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="comfy-listener", daemon=True)
        self._thread.start()

    @property
    def connected(self) -> bool:
        """Whether the websocket is open now."""
        return self._connected.is_set()

    def wait_first_try(self, timeout: float) -> bool:
        """Wait until the connection is open or its first try failed; True when it is open."""
        self._tried.wait(timeout)
        return self.connected

    def reconnect(self) -> None:
        """Drop the socket, however well it looks, and open a new one."""
        with suppress(OSError):
            self._wake_send.send(b"r")

    def close(self) -> None:
        """End the thread and the socket; returns when both are gone."""
        self._closed.set()
        with suppress(OSError):
            self._wake_send.send(b"c")
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=_END / 2)
            if self._thread.is_alive():
                # It waits for the rest of a handshake or of a message.
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
                self._thread.join(timeout=_END / 2)
        self._wake_send.close()
        self._wake_receive.close()

    def _run(self) -> None:
        tries = 0
        while not self._closed.is_set():
            tries += 1
            try:
                ws = self._open()
            except Exception as error:
                # Whatever the handshake met (refused, 403, TLS, a proxy's page), the work goes on over HTTP meanwhile.
                logger.info("websocket: no connection (%s)", _why(error))
                self._tried.set()
                self._closed.wait(self._delay(tries))
                continue
            if self._closed.is_set():
                # `close` did not wait for a handshake that took longer than its patience.
                self._end(ws)
                return
            self.last_message = time.monotonic()
            self._connected.set()
            self._tried.set()
            self._tell(True)
            try:
                heard = self._listen(ws)
            finally:
                self._connected.clear()
                self._end(ws)
            self._tell(False)
            if not self._closed.is_set():
                tries = 0 if heard else tries
                # A short pause lets the server notice the end of the old socket before the new one comes.
                self._closed.wait(self._delay(tries) if tries else min(_SETTLE, self._settings.reconnect_interval))

    def _delay(self, tries: int) -> float:
        """Seconds until the next try: the plain interval at first, then growing; never quite regular."""
        growth = 2.0 ** max(0, tries - _STEADY_TRIES)
        return min(
            self._settings.reconnect_interval * growth, max(_LONGEST, self._settings.reconnect_interval)
        ) * random.uniform(0.8, 1.2)

    def _open(self) -> websocket.WebSocket:
        handshake = self._handshake()
        tls: dict[str, Any] = {}
        if handshake.verify is False:
            tls = {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}
        elif isinstance(handshake.verify, str):
            tls = {"ca_cert_path" if Path(handshake.verify).is_dir() else "ca_certs": handshake.verify}
        timeout = self._settings.connect_timeout
        # The check of UTF-8 in pure Python takes 17 ms for 100 kB; decoding does the same check in C.
        ws = websocket.WebSocket(sslopt=tls, enable_multithread=True, skip_utf8_validation=True)
        ws.settimeout(timeout)
        self._socket.websocket = ws
        with self._deadlines.limit(2 * timeout) as limit:
            limit.attach(self._socket)
            ws.connect(  # type: ignore[no-untyped-call]
                handshake.url,
                header=[f"{name}: {value}" for name, value in handshake.headers.items()],
                suppress_origin=True,
                http_no_proxy=["*"] if handshake.direct else None,
                redirect_limit=0,
            )
        _bound(ws, self._settings.max_frame)
        self._text_has_prompt_id = False
        try:
            # The server heeds the flags only in the first frame of a socket, so each new socket says them again.
            ws.send(FEATURE_FLAGS_FRAME)
        except BaseException:
            self._end(ws)
            raise
        return ws

    def _listen(self, ws: websocket.WebSocket) -> bool:
        """Read until the connection is lost or not wanted any more; tells whether anything was heard."""
        heard, now = False, time.monotonic()
        self._drain_wakeups()
        selector = selectors.DefaultSelector()
        assert ws.sock is not None
        selector.register(ws.sock, selectors.EVENT_READ)
        selector.register(self._wake_receive, selectors.EVENT_READ)
        next_ping = now + self._settings.ping_interval
        pinged: float | None = None
        patience = max(1.0, min(self._settings.ping_interval, 10.0))
        try:
            while not self._closed.is_set():
                now = time.monotonic()
                if pinged is not None and now > pinged + patience:
                    logger.info("websocket: no pong within %g s", patience)
                    return heard
                if now >= next_ping:
                    ws.ping()
                    pinged, next_ping = pinged or now, now + self._settings.ping_interval
                deadline = min(next_ping, pinged + patience if pinged is not None else next_ping)
                wake, ready = self._wait(ws, selector, max(0.0, deadline - now))
                if wake:
                    return heard
                if not ready:
                    continue
                with self._deadlines.limit(_MESSAGE) as limit:
                    limit.attach(self._socket)
                    opcode, data = ws.recv_data(control_frame=True)
                heard = True
                if opcode in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY):
                    self.last_message = time.monotonic()
                # Anything that arrives proves the connection as well as a pong does.
                pinged = None
                if opcode == websocket.ABNF.OPCODE_TEXT:
                    self._deliver(parse_text(data))
                elif opcode == websocket.ABNF.OPCODE_BINARY:
                    self._deliver(parse_binary(data, text_has_prompt_id=self._text_has_prompt_id))
                elif opcode == websocket.ABNF.OPCODE_CLOSE:
                    logger.info("websocket: closed by the server")
                    return heard
        except (websocket.WebSocketException, OSError, ValueError) as error:
            logger.info("websocket: lost (%s)", error)
        finally:
            selector.close()
        return heard

    def _wait(self, ws: websocket.WebSocket, selector: selectors.BaseSelector, seconds: float) -> tuple[bool, bool]:
        """Wait for data or a wake-up: (woken, data is there)."""
        sock = ws.sock
        if isinstance(sock, ssl.SSLSocket) and sock.pending():
            return False, True
        readable = [key.fileobj for key, _ in selector.select(seconds)]
        if self._wake_receive in readable:
            self._wake_receive.recv(64)
            return True, False
        return False, bool(readable)

    def _drain_wakeups(self) -> None:
        """A `reconnect` that was asked for before this socket was open is not about this socket."""
        while select.select([self._wake_receive], [], [], 0)[0]:
            self._wake_receive.recv(64)

    def _deliver(self, event: Event) -> None:
        if isinstance(event, FeatureFlags):
            self._text_has_prompt_id = event.flags.get("supports_progress_text_metadata") is True
        try:
            self._on_event(event)
        except Exception:
            # A fault in the bookkeeping of one event must not cost all later ones.
            logger.exception("an event could not be handled: %s", event.type)

    def _tell(self, connected: bool) -> None:
        try:
            self._on_change(connected)
        except Exception:
            logger.exception("a change of the connection could not be handled")

    @staticmethod
    def _end(ws: websocket.WebSocket) -> None:
        """Close for good and soon: a close frame as a courtesy, then the TCP connection."""
        with suppress(Exception):
            ws.settimeout(0.5)
            ws.send_close()
        with suppress(Exception):
            ws.shutdown()  # type: ignore[no-untyped-call]


class _Socket:
    """The socket of a websocket, from the moment on at which it has one."""

    websocket: websocket.WebSocket | None = None

    def shutdown(self, how: int) -> None:
        """Shut it, whoever waits for it."""
        sock = self.websocket.sock if self.websocket is not None else None
        if sock is not None:
            sock.shutdown(how)


def _why(error: Exception) -> str:
    """Why there is no connection; the library's own text for a refused handshake has all headers in it."""
    status = getattr(error, "status_code", None)
    return f"the handshake was answered with {status}" if status is not None else f"{type(error).__name__}: {error}"


def _bound(ws: websocket.WebSocket, longest: int) -> None:
    """Look at a message's length between each frame's header and its payload; the library has no setting for it."""
    buffer: Any = ws.frame_buffer
    read_length = buffer.recv_length
    size = fragments = 0

    def checked() -> None:
        nonlocal size, fragments
        read_length()
        opcode = buffer.header[4]
        if opcode in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY):
            size = fragments = 0
        if opcode in websocket.ABNF.OPCODES and opcode < websocket.ABNF.OPCODE_CLOSE:
            size, fragments = size + (buffer.length or 0), fragments + 1
        if size > longest or fragments > _MOST_FRAGMENTS:
            raise websocket.WebSocketPayloadException(f"a message of {size} bytes in {fragments} frames is too large")

    buffer.recv_length = checked
