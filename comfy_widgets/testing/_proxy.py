"""A proxy that stands between a client and a ComfyUI server and makes faults on demand."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ._ends import Wiring
from ._faults import (
    AlterMessages,
    Answer,
    CutReply,
    CutWebSocket,
    Fault,
    LoseReply,
    Manner,
    Message,
    SlowBody,
    Stall,
)
from ._relay import Relay
from ._traffic import SeenMessage, SeenRequest, SeenWebSocket, Traffic

T = TypeVar("T")
F = TypeVar("F", bound=Fault)

_NOT_A_CHARACTER = "\udcff"  # leaves as the byte 0xFF, which no UTF-8 text holds


def _any(_: SeenMessage) -> bool:
    return True


class FaultProxy:
    """Forwards HTTP and websockets to a server, records what passes, and makes the faults it is told to.

    Every fault method returns the `Fault`: ``.wait()`` until it has struck, ``.hits``, ``.lift()``. Paths are
    patterns such as ``"/prompt"`` or ``"/history/*"`` and match with and without ``/api`` before them. Faults strike
    once unless told otherwise: ``times=None`` is always, ``nth=3`` begins with the third match.

    Parameters
    ----------
    target_url : str
        The server, ``http://host:port``; a path behind it is kept in `url`.
    delay : float, default 0.0
        Latency in seconds each way; may be set at any time. Throughput is not limited, any number of bytes may be
        under way, and opening a connection costs a round trip as on a real network.
    port : int, default 0
        Port of 127.0.0.1 to listen on; 0 for a free one.
    record : bool, default True
        Whether to keep the websocket messages that pass.

    Raises
    ------
    ValueError
        The URL of the server is no http:// URL.

    Examples
    --------
    >>> with FaultProxy(server.url) as proxy, ComfyClient(proxy.url) as client:
    ...     cut = proxy.cut_websocket(after_messages=3, manner="reset")
    ...     lost = proxy.lose_reply("POST", "/prompt")
    ...     result = client.run(text_to_image())
    >>> len(result.images), cut.hits, lost.hits, server.count("POST", "/prompt")
    (1, 1, 1, 1)
    """

    def __init__(self, target_url: str, *, delay: float = 0.0, port: int = 0, record: bool = True) -> None:
        parts = urlsplit(target_url)
        if parts.scheme != "http" or parts.hostname is None:
            raise ValueError(f"the target must be an http:// URL, not {target_url!r}")
        self._path = parts.path.rstrip("/")
        self._port = port
        self._wiring = Wiring(parts.hostname, parts.port or 80, delay, record)
        self._relays: set[Relay] = set()
        self._thread: threading.Thread | None = None
        self._loop = asyncio.new_event_loop()
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- life ----

    def start(self) -> FaultProxy:
        """Begin to listen; ``with`` does it too.

        Returns
        -------
        FaultProxy
            Itself.

        Examples
        --------
        >>> other = FaultProxy(server.url).start()
        >>> other.url == proxy.url
        False
        >>> other.close()
        """
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._thread.start()
        self._on_loop(self._listen())
        return self

    def close(self) -> None:
        """End every connection and stop listening; ``with`` does it too.

        Examples
        --------
        >>> other = FaultProxy(server.url).start()
        >>> other.close()
        """
        if self._thread is None:
            return
        self._on_loop(self._shut_down())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._thread = None

    def __enter__(self) -> FaultProxy:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """URL that stands for the server."""
        return f"http://127.0.0.1:{self._port}{self._path}"

    @property
    def delay(self) -> float:
        """Latency each way, seconds."""
        return self._wiring.delay

    @delay.setter
    def delay(self, seconds: float) -> None:
        self._wiring.delay = seconds

    # ---- what went by ----

    @property
    def traffic(self) -> Traffic:
        """The whole record."""
        return self._wiring.traffic

    @property
    def requests(self) -> list[SeenRequest]:
        """HTTP requests in the order they came, websocket handshakes among them."""
        return self.traffic.requests

    @property
    def messages(self) -> list[SeenMessage]:
        """Websocket messages in the order they came."""
        return self.traffic.messages

    @property
    def websockets(self) -> list[SeenWebSocket]:
        """Websocket connections in the order they were opened."""
        return self.traffic.websockets

    def count(self, method: str, path: str) -> int:
        """How many requests of this method and path there were.

        Parameters
        ----------
        method : str
            ``"*"`` for any.
        path : str
            A pattern such as ``"/history/*"``, matched with and without ``/api``.

        Returns
        -------
        int
            Websocket handshakes count as a GET of ``/ws``.

        Examples
        --------
        >>> _ = client.queue()
        >>> proxy.count("GET", "/queue")
        1
        """
        return self.traffic.count(method, path)

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
        >>> _ = client.run(text_to_image())
        >>> proxy.open_websockets(client.client_id)
        1
        """
        return self.traffic.open_websockets(client_id)

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
        >>> _ = client.run(text_to_image())
        >>> proxy.most_open_websockets(client.client_id)
        1
        """
        return self.traffic.most_open_websockets(client_id)

    def wait_for(self, look: Callable[[], T], timeout: float = 30.0) -> T:
        """Wait until a function returns something true.

        Parameters
        ----------
        look : callable
            Called without arguments, again and again, whenever something has passed.
        timeout : float, default 30.0
            Seconds to wait at most.

        Returns
        -------
        object
            What `look` returned.

        Raises
        ------
        TimeoutError
            It never was true in this time.

        Examples
        --------
        >>> job = client.submit(text_to_image())
        >>> proxy.wait_for(lambda: proxy.count("POST", "/prompt"))
        1
        """
        return self.traffic.changed.until(look, timeout, "what the test waits for")

    @property
    def faults(self) -> list[Fault]:
        """All faults asked for so far, those that are used up or lifted too."""
        return self._wiring.faults.faults

    # ---- faults of HTTP calls ----

    def answer(
        self,
        method: str,
        path: str,
        *,
        status: int,
        body: str | bytes = b"",
        content_type: str = "text/html",
        reaches_server: bool = False,
        times: int | None = 1,
        nth: int = 1,
    ) -> Answer:
        """Answer in the server's place, as a login page or a gateway does.

        Parameters
        ----------
        method, path : str
            ``"*"`` for any method; a path pattern such as ``"/history/*"``, matched with and without ``/api``.
        status : int
            The HTTP status.
        body : str or bytes, default b""
            What the client reads.
        content_type : str, default "text/html"
            Its media type.
        reaches_server : bool, default False
            Whether the server gets the request nonetheless; its own reply is thrown away.
        times : int or None, default 1
            How often; None for always.
        nth : int, default 1
            The first matching request to answer, counted from 1.

        Returns
        -------
        Fault
            The handle.

        Examples
        --------
        >>> from urllib.request import urlopen
        >>> fault = proxy.answer("GET", "/queue", status=200, body="<h1>Sign in</h1>")
        >>> urlopen(f"{proxy.url}/queue").read()
        b'<h1>Sign in</h1>'
        """
        content = body.encode() if isinstance(body, str) else body
        return self._add(Answer(method, path, status, content, content_type, reaches_server, times=times, nth=nth))

    def fail(
        self,
        method: str,
        path: str,
        *,
        status: int = 503,
        reaches_server: bool = False,
        times: int | None = 1,
        nth: int = 1,
    ) -> Answer:
        """Answer with an error in the server's place.

        Parameters
        ----------
        method, path : str
            ``"*"`` for any method; a path pattern such as ``"/history/*"``, matched with and without ``/api``.
        status : int, default 503
            The HTTP status.
        reaches_server : bool, default False
            Whether the server gets the request, and does what it says, nonetheless.
        times : int or None, default 1
            How often; None for always.
        nth : int, default 1
            The first matching request to fail, counted from 1.

        Returns
        -------
        Fault
            The handle.

        Examples
        --------
        >>> fault = proxy.fail("GET", "/queue")
        >>> try:
        ...     client.queue()
        ... except ComfyError as error:
        ...     print(error)
        Reading the queue: the server answered 503: made by the fault proxy.
        """
        return self.answer(
            method,
            path,
            status=status,
            body="made by the fault proxy",
            content_type="text/plain",
            reaches_server=reaches_server,
            times=times,
            nth=nth,
        )

    def lose_reply(
        self, method: str, path: str, *, manner: Manner = "reset", times: int | None = 1, nth: int = 1
    ) -> LoseReply:
        """Let the request reach the server, and end the connection in place of the reply.

        Parameters
        ----------
        method, path : str
            ``"*"`` for any method; a path pattern such as ``"/history/*"``, matched with and without ``/api``.
        manner : {"close", "eof", "reset", "silent"}, default "reset"
            See `Manner`.
        times : int or None, default 1
            How often; None for always.
        nth : int, default 1
            The first matching request to strike, counted from 1.

        Returns
        -------
        Fault
            The handle.

        Examples
        --------
        >>> fault = proxy.lose_reply("POST", "/prompt")
        >>> result = client.run(text_to_image())
        >>> fault.hits, server.count("POST", "/prompt")
        (1, 1)
        """
        return self._add(LoseReply(method, path, manner, times=times, nth=nth))

    def cut_reply(
        self,
        method: str,
        path: str,
        *,
        after_bytes: int = 0,
        manner: Manner = "reset",
        times: int | None = 1,
        nth: int = 1,
    ) -> CutReply:
        """Pass the head of the reply and a part of its body, then end the connection.

        Parameters
        ----------
        method, path : str
            ``"*"`` for any method; a path pattern such as ``"/history/*"``, matched with and without ``/api``.
        after_bytes : int, default 0
            How many bytes of the body pass.
        manner : {"close", "eof", "reset", "silent"}, default "reset"
            See `Manner`.
        times : int or None, default 1
            How often; None for always.
        nth : int, default 1
            The first matching request to strike, counted from 1.

        Returns
        -------
        Fault
            The handle.

        Examples
        --------
        >>> fault = proxy.cut_reply("GET", "/view", after_bytes=20)
        >>> result = client.run(text_to_image())
        >>> len(result.images), fault.hits
        (1, 1)
        """
        return self._add(CutReply(method, path, after_bytes, manner, times=times, nth=nth))

    def slow_body(
        self, method: str, path: str, *, bytes_per_second: float, times: int | None = 1, nth: int = 1
    ) -> SlowBody:
        """Pass the body of the reply slowly.

        Parameters
        ----------
        method, path : str
            ``"*"`` for any method; a path pattern such as ``"/history/*"``, matched with and without ``/api``.
        bytes_per_second : float
            The rate.
        times : int or None, default 1
            How often; None for always.
        nth : int, default 1
            The first matching request to strike, counted from 1.

        Returns
        -------
        Fault
            The handle.

        Examples
        --------
        >>> fault = proxy.slow_body("GET", "/queue", bytes_per_second=2000)
        >>> client.queue().queue_running, fault.hits
        ((), 1)
        """
        return self._add(SlowBody(method, path, bytes_per_second, times=times, nth=nth))

    def stall(self, method: str, path: str, *, times: int | None = 1, nth: int = 1) -> Stall:
        """Leave the request without an answer until the fault is lifted; then serve it as if nothing had been.

        Parameters
        ----------
        method, path : str
            ``"*"`` for any method; a path pattern such as ``"/history/*"``, matched with and without ``/api``.
        times : int or None, default 1
            How often; None for always.
        nth : int, default 1
            The first matching request to strike, counted from 1.

        Returns
        -------
        Fault
            The handle.

        Examples
        --------
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> fault = proxy.stall("GET", "/queue")
        >>> with ThreadPoolExecutor() as pool:
        ...     answer = pool.submit(client.queue)
        ...     fault.wait()
        ...     fault.lift()
        >>> answer.result().queue_running
        ()
        """
        return self._add(Stall(method, path, times=times, nth=nth))

    # ---- faults of websockets ----

    def cut_websocket(
        self,
        *,
        after_messages: int,
        manner: Manner = "reset",
        client_id: str | None = None,
        midway: bool = False,
        server_notices: bool | None = None,
        times: int | None = 1,
    ) -> CutWebSocket:
        """End a websocket once it has brought so many messages from the server.

        Parameters
        ----------
        after_messages : int
            Counted for each connection, from its handshake; 0 cuts right after the handshake. A connection that is
            past it already is cut at its next message.
        manner : {"close", "eof", "reset", "silent", "deaf"}, default "reset"
            See `Manner`.
        client_id : str, optional
            Only websockets of this client; of all by default.
        midway : bool, default False
            Pass half of the next message first.
        server_notices : bool, optional
            Whether the server's side ends too. By default it does unless the manner is "silent" or "deaf". If not, it
            ends when the fault is lifted: that is how ComfyUI comes to forget a client that has long reconnected.
        times : int or None, default 1
            How many connections are cut; None for every one.

        Returns
        -------
        Fault
            The handle.

        Examples
        --------
        >>> fault = proxy.cut_websocket(after_messages=5, manner="close")
        >>> len(client.run(text_to_image()).images), fault.hits
        (1, 1)
        """
        return self._add(self._cut(after_messages, manner, client_id, midway, server_notices, times))

    def cut_websockets_now(self, manner: Manner = "reset", *, server_notices: bool | None = None) -> CutWebSocket:
        """End every websocket that is open now.

        Parameters
        ----------
        manner : {"close", "eof", "reset", "silent", "deaf"}, default "reset"
            See `Manner`.
        server_notices : bool, optional
            Whether the server's side ends too. By default it does unless the manner is "silent" or "deaf".

        Returns
        -------
        Fault
            The handle; ``hits`` says how many were cut.

        Examples
        --------
        >>> result = client.run(text_to_image())
        >>> proxy.cut_websockets_now().hits
        1
        """
        fault = self._cut(0, manner, None, False, server_notices, None)

        async def cut() -> None:
            for relay in self._relays:
                if relay.websocket is not None and fault.strikes():
                    relay.websocket.cut(fault)

        self._on_loop(cut())
        return fault

    def alter_messages(
        self,
        change: Callable[[Message], Message | None],
        where: Callable[[SeenMessage], bool] = _any,
        *,
        times: int | None = 1,
        nth: int = 1,
    ) -> AlterMessages:
        """Change messages from the server on their way.

        Parameters
        ----------
        change : callable
            Gets and returns str for a text message, bytes for a binary one; None drops it.
        where : callable, optional
            Says of a `SeenMessage` whether it is meant; by default every one is.
        times : int or None, default 1
            How many messages; None for every one.
        nth : int, default 1
            The first matching message to change, counted from 1.

        Returns
        -------
        Fault
            The handle.

        Examples
        --------
        >>> fault = proxy.alter_messages(
        ...     lambda text: text.replace("execution_start", "started_by_a_plugin"),
        ...     where=lambda message: "execution_start" in str(message.data),
        ... )
        >>> str(client.run(text_to_image()).status), fault.hits
        ('completed', 1)
        """
        return self._add(AlterMessages(change, where, times=times, nth=nth))

    def drop_messages(
        self, where: Callable[[SeenMessage], bool] = _any, *, times: int | None = 1, nth: int = 1
    ) -> AlterMessages:
        """Keep messages from the server back for good.

        Parameters
        ----------
        where : callable, optional
            Says of a `SeenMessage` whether it is meant; by default every one is.
        times : int or None, default 1
            How many messages; None for every one.
        nth : int, default 1
            The first matching message to drop, counted from 1.

        Returns
        -------
        Fault
            The handle.

        Examples
        --------
        >>> fault = proxy.drop_messages(where=lambda message: '"executed"' in str(message.data), times=None)
        >>> len(client.run(text_to_image()).images), fault.hits
        (1, 1)
        """
        return self.alter_messages(lambda message: None, where, times=times, nth=nth)

    def garble_messages(
        self, where: Callable[[SeenMessage], bool] = _any, *, times: int | None = 1, nth: int = 1
    ) -> AlterMessages:
        """Make nonsense of messages: text is neither JSON nor UTF-8 any more, of binary every bit is turned.

        Parameters
        ----------
        where : callable, optional
            Says of a `SeenMessage` whether it is meant; by default every one is.
        times : int or None, default 1
            How many messages; None for every one.
        nth : int, default 1
            The first matching message to garble, counted from 1.

        Returns
        -------
        Fault
            The handle.

        Examples
        --------
        >>> fault = proxy.garble_messages(where=lambda message: isinstance(message.data, bytes))
        >>> len(client.run(text_to_image()).images), fault.hits
        (1, 1)
        """

        def garble(message: Message) -> Message:
            if isinstance(message, str):
                return _NOT_A_CHARACTER + message[::-1]
            return bytes(byte ^ 0xFF for byte in message)

        return self.alter_messages(garble, where, times=times, nth=nth)

    def truncate_messages(
        self, where: Callable[[SeenMessage], bool] = _any, *, times: int | None = 1, nth: int = 1
    ) -> AlterMessages:
        """Leave the second half of messages out.

        Parameters
        ----------
        where : callable, optional
            Says of a `SeenMessage` whether it is meant; by default every one is.
        times : int or None, default 1
            How many messages; None for every one.
        nth : int, default 1
            The first matching message to truncate, counted from 1.

        Returns
        -------
        Fault
            The handle.

        Examples
        --------
        >>> fault = proxy.truncate_messages(nth=3)
        >>> len(client.run(text_to_image()).images), fault.hits
        (1, 1)
        """
        return self.alter_messages(lambda message: message[: len(message) // 2], where, times=times, nth=nth)

    # ---- outages ----

    @contextlib.contextmanager
    def refusing(self, *, drop: bool = True) -> Iterator[None]:
        """Refuse new connections inside the ``with`` block, as a server that is down does.

        Parameters
        ----------
        drop : bool, default True
            Whether the connections that are open are reset first.

        Yields
        ------
        None
            The server is back after the block.

        Examples
        --------
        >>> from urllib.request import urlopen
        >>> with proxy.refusing():
        ...     try:
        ...         urlopen(f"{proxy.url}/queue")
        ...     except OSError:
        ...         print("the server is down")
        the server is down
        >>> urlopen(f"{proxy.url}/queue").status
        200
        """
        self.refuse(drop=drop)
        try:
            yield
        finally:
            self.accept()

    def refuse(self, *, drop: bool = True) -> None:
        """Refuse new connections until `accept`.

        Parameters
        ----------
        drop : bool, default True
            Whether the connections that are open are reset first.

        Examples
        --------
        >>> proxy.refuse()
        >>> proxy.accept()
        >>> client.queue().queue_running
        ()
        """
        self._on_loop(self._stop_listening(drop))

    def accept(self) -> None:
        """Take connections again, after `refuse`.

        Examples
        --------
        >>> proxy.refuse(drop=False)
        >>> proxy.accept()
        """
        self._on_loop(self._listen())

    # ---- on the loop's thread ----

    def _on_loop(self, work: Coroutine[Any, Any, T]) -> T:
        if self._thread is None:
            work.close()
            raise RuntimeError("the proxy is not running: use it in a with block, or start() it")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def _add(self, fault: F) -> F:
        self.faults.append(fault)
        return fault

    @staticmethod
    def _cut(
        after_messages: int,
        manner: Manner,
        client_id: str | None,
        midway: bool,
        server_notices: bool | None,
        times: int | None,
    ) -> CutWebSocket:
        if server_notices is None:
            server_notices = manner not in ("silent", "deaf")
        return CutWebSocket(after_messages, manner, client_id, midway, server_notices, times=times)

    async def _listen(self) -> None:
        if self._listener is None:
            self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self._port, backlog=1024)
            self._port = self._listener.sockets[0].getsockname()[1]

    async def _stop_listening(self, drop: bool) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if drop:
            for relay in list(self._relays):
                relay.client.reset()
                relay.server.close()

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(Relay(self._wiring, self._relays).run(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _shut_down(self) -> None:
        await self._stop_listening(drop=False)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
