"""A scripted ComfyUI: a real server on a real port that answers as the test wants it to."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, TypeVar

from ._catalog import Prompt, object_info
from ._http_server import HttpServer, Reply, Request, WebSocket
from ._routes import ROUTES, parse_json
from ._stage import Interrupted, NodeError, Script, Stage, Stopped, standard_run
from ._state import Files, Queued, State
from ._traffic import Traffic
from ._wire import path_matches

T = TypeVar("T")
Handler = Callable[[Request], "Reply | None"]

_FEATURES = {"supports_preview_metadata": True, "max_upload_size": 100 << 20}


class ScriptedServer:
    """A ComfyUI server without nodes: prompts are queued, and each one's run is played from a script.

    Without any word from the test it accepts prompts, sends what ComfyUI sends in ComfyUI's order, makes small
    images that depend on nothing but the prompt, and keeps history; all of it can be replaced.

    It has ComfyUI's own flaw too: when a client opens a second websocket with the same id, the end of the first one
    makes the second one deaf, which then stays open, answers pings and brings nothing any more.

    Parameters
    ----------
    port : int, default 0
        Port of 127.0.0.1; 0 for a free one. A restart keeps it.
    prefix : str, default ""
        Path before every route, as behind a reverse proxy: ``"/comfy"``.
    features : dict or None
        What ``/features`` and the answer to ``feature_flags`` say; those of a current server by default, None for an
        old server that knows neither.
    jobs_api : {None, "read", "cancel"}, default None
        Whether ``/api/jobs`` is there, and ``/api/jobs/<id>/cancel`` too.
    script : callable, optional
        How runs are played unless the test says otherwise; `standard_run` with its defaults by default.
    version : str, default "0.3.64"
        The version of ComfyUI that ``/system_stats`` names.

    Attributes
    ----------
    url : str
        URL of the server.
    object_info : dict
        What ``/object_info`` says; a prompt may use these classes only.
    files : Files
        The files that ``/view`` serves.
    traffic : Traffic
        Requests, websockets, and the messages that clients sent.
    state : State
        Queue and history of the present life.

    Examples
    --------
    >>> with ScriptedServer() as server, ComfyClient(server.url) as client:
    ...     gate = Gate()
    ...     server.play(standard_run(gate=gate, gate_after="executing"))
    ...     job = client.submit(text_to_image())
    ...     gate.wait_reached()
    ...     gate.open()
    ...     result = job.result(30)
    >>> len(result.images)
    1
    """

    def __init__(
        self,
        *,
        port: int = 0,
        prefix: str = "",
        features: dict[str, Any] | None = _FEATURES,
        jobs_api: Literal["read", "cancel"] | None = None,
        script: Script | None = None,
        version: str = "0.3.64",
    ) -> None:
        self._port = port
        self._prefix = prefix
        self.features = features
        self.jobs_api = jobs_api
        self.script: Script = script or standard_run()
        self.version = version
        self.object_info: dict[str, Any] = object_info()
        self.files: Files = Files()
        self.traffic: Traffic = Traffic()
        self.state: State = State()
        self._next_scripts: list[Script] = []
        self._handlers: list[_Handling] = []
        self._sockets: dict[str, WebSocket] = {}
        self._all_sockets: list[WebSocket] = []
        self._lock = threading.RLock()
        self._http: HttpServer | None = None
        self._worker: threading.Thread | None = None
        self._script_error: Exception | None = None

    # ---- life ----

    def start(self) -> ScriptedServer:
        """Begin a life: nothing is queued, nothing remembered; output files are still there. ``with`` does it too.

        Returns
        -------
        ScriptedServer
            Itself.

        Examples
        --------
        >>> other = ScriptedServer().start()
        >>> other.url == server.url
        False
        >>> other.close()
        """
        self.state = State()
        self._http = HttpServer(
            self._port, self._prefix, self.traffic, self.answer, self._welcome, self._heard, self._left
        )
        self._port = self._http.server_address[1]
        self._worker = threading.Thread(target=self._work, args=(self.state,), name="scripted-worker", daemon=True)
        self._worker.start()
        return self

    def kill(self) -> None:
        """End as a killed process does: connections drop without a word, then the port refuses.

        Examples
        --------
        >>> server.kill()
        >>> server.start().posted
        []
        """
        self.state.stop()
        if self._http is not None and self._worker is not None:
            self._http.stop()
            self._worker.join()
            self._http = self._worker = None
            self.files.wipe_temp()

    close = kill

    def restart(self) -> None:
        """Kill, then begin a new life on the same port.

        Examples
        --------
        >>> url = server.url
        >>> server.restart()
        >>> server.url == url, server.state.history
        (True, {})
        """
        self.kill()
        self.start()

    def __enter__(self) -> ScriptedServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        if self._script_error is not None and error is None:
            raise RuntimeError("a script of the scripted server failed") from self._script_error

    @property
    def url(self) -> str:
        """URL of the server."""
        return f"http://127.0.0.1:{self._port}{self._prefix}"

    # ---- what it does ----

    def play(self, script: Script) -> None:
        """Play the next prompt from a script; several are used one after the other, then the server's ``script``.

        Parameters
        ----------
        script : callable
            Gets the `Stage` of the run; see `standard_run`.

        Examples
        --------
        >>> server.play(standard_run(images=2))
        >>> len(client.run(text_to_image()).images), len(client.run(text_to_image(seed=1)).images)
        (2, 1)
        """
        self._next_scripts.append(script)

    def on(self, method: str, path: str, handler: Handler | Reply, *, times: int | None = None) -> None:
        """Have a handler, or always this reply, answer a route.

        Parameters
        ----------
        method, path : str
            ``"*"`` for any method; a path pattern such as ``"/history/*"``, matched with and without ``/api``.
        handler : callable or Reply
            Gets the `Request`. ``None`` leaves the request to the server; ``server.default(request)`` gives the
            server's own reply to be changed. May block. A handler of ``GET /ws`` that gives a reply refuses the
            websocket.
        times : int, optional
            For so many requests, without an end by default; the latest handler that is not used up goes first.

        Examples
        --------
        >>> server.on("GET", "/embeddings", Reply.json(["easynegative"]))
        >>> client.embeddings()
        ['easynegative']
        """
        self._handlers.insert(0, _Handling(method, path, handler, times))

    def remove(self, method: str, path: str) -> None:
        """Make a route unknown, as on a server too old for it.

        Parameters
        ----------
        method, path : str
            As in `on`.

        Examples
        --------
        >>> server.remove("GET", "/queue")
        >>> server.answer(Request("GET", "/queue")).status
        404
        """
        self.on(method, path, Reply(404))

    def accept(
        self,
        prompt_id: str,
        number: float,
        prompt: Prompt,
        extra_data: dict[str, Any],
        outputs: list[str],
        node_errors: dict[str, Any] | None = None,
    ) -> Reply:
        """Queue a prompt, as ``POST /prompt`` does with one that is in order.

        Parameters
        ----------
        prompt_id : str
            Its id.
        number : float
            Place in the queue's order; the lowest runs first.
        prompt : dict
            API format.
        extra_data : dict
            What is kept with it; ``client_id`` says who is told of the run.
        outputs : list of str
            Ids of the output nodes to run.
        node_errors : dict, optional
            What the reply says of output nodes that were left out; nothing by default.

        Returns
        -------
        Reply
            That of ``POST /prompt``.

        Examples
        --------
        >>> server.accept("a1", 0, text_to_image(), {}, ["9"]).status
        200
        >>> server.wait_for(lambda: server.state.history.get("a1"))["status"]["status_str"]
        'success'
        """
        script = self._next_scripts.pop(0) if self._next_scripts else self.script
        self.state.enqueue(Queued(number, prompt_id, prompt, extra_data, outputs, script, self.state.stopped))
        self.send_status()
        return Reply.json({"prompt_id": prompt_id, "number": number, "node_errors": node_errors or {}})

    def forget(self, prompt_id: str) -> None:
        """Remove a prompt from history, as a server does whose history is full.

        Parameters
        ----------
        prompt_id : str
            Its id; one that is not there is no error.

        Examples
        --------
        >>> result = client.run(text_to_image())
        >>> server.forget(result.prompt_id)
        >>> server.state.history
        {}
        """
        self.state.history.pop(prompt_id, None)

    # ---- what it sends ----

    def send(self, client_id: str, message: Any) -> None:
        """Send to one client over its websocket; lost when it is not connected.

        Parameters
        ----------
        client_id : str
            Its id.
        message : object
            bytes as binary, str as text, anything else as JSON.

        Examples
        --------
        >>> server.send(client.client_id, {"type": "crystools.monitor", "data": {"cpu": 12}})
        """
        with self._lock:
            websocket = self._sockets.get(client_id)
        if websocket is not None:
            websocket.send(message)

    def broadcast(self, message: Any) -> None:
        """Send to every client that is connected.

        Parameters
        ----------
        message : object
            bytes as binary, str as text, anything else as JSON.

        Examples
        --------
        >>> server.broadcast({"type": "crystools.monitor", "data": {"cpu": 12}})
        """
        with self._lock:
            websockets = list(self._sockets.values())
        for websocket in websockets:
            websocket.send(message)

    def send_status(self) -> None:
        """Tell every client how long the queue is.

        Examples
        --------
        >>> server.send_status()
        """
        self.broadcast(self._status())

    def takes_metadata(self, client_id: str) -> bool:
        """Whether a client's websocket asked for previews that say whose they are.

        Parameters
        ----------
        client_id : str
            Its id.

        Returns
        -------
        bool
            False where it is not connected.

        Examples
        --------
        >>> result = client.run(text_to_image())
        >>> server.takes_metadata(client.client_id)
        True
        """
        with self._lock:
            return client_id in self._sockets and self._sockets[client_id].takes_metadata

    def deafen(self, client_id: str) -> None:
        """Forget a client's websocket while it stays open.

        Parameters
        ----------
        client_id : str
            Its id; one that is not connected is no error.

        Examples
        --------
        >>> result = client.run(text_to_image())
        >>> server.deafen(client.client_id)
        >>> server.takes_metadata(client.client_id)
        False
        """
        with self._lock:
            self._sockets.pop(client_id, None)

    def drop_websockets(self) -> None:
        """End every websocket without a word.

        Examples
        --------
        >>> result = client.run(text_to_image())
        >>> server.drop_websockets()
        >>> len(client.run(text_to_image(seed=1)).images)
        1
        """
        for websocket in list(self._all_sockets):
            websocket.close()

    # ---- what it saw ----

    @property
    def posted(self) -> list[dict[str, Any]]:
        """Bodies of all ``POST /prompt`` so far, refused ones included."""
        return [request.json() for request in self.traffic.select("POST", "/prompt")]

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
            Those of earlier lives too.

        Examples
        --------
        >>> result = client.run(text_to_image())
        >>> server.count("POST", "/prompt")
        1
        """
        return self.traffic.count(method, path)

    def wait_for(self, look: Callable[[], T], timeout: float = 30.0) -> T:
        """Wait until a function returns something true.

        Parameters
        ----------
        look : callable
            Called without arguments, again and again, whenever something has happened.
        timeout : float, default 30.0
            Seconds to wait at most.

        Returns
        -------
        object
            What `look` returned.

        Raises
        ------
        TimeoutError
            It was not true in this time.

        Examples
        --------
        >>> job = client.submit(text_to_image())
        >>> server.wait_for(lambda: server.count("POST", "/prompt"))
        1
        """
        return self.traffic.changed.until(look, timeout, "what the test waits for")

    def wait_connected(self, client_id: str, timeout: float = 30.0) -> None:
        """Wait until a client has a websocket that hears.

        Parameters
        ----------
        client_id : str
            Its id.
        timeout : float, default 30.0
            Seconds to wait at most.

        Raises
        ------
        TimeoutError
            It has none in this time.

        Examples
        --------
        >>> job = client.submit(text_to_image())
        >>> server.wait_connected(client.client_id)
        """
        self.wait_for(lambda: client_id in self._sockets, timeout)

    def default(self, request: Request) -> Reply:
        """Answer of the server itself, without the test's handlers.

        Parameters
        ----------
        request : Request
            The request.

        Returns
        -------
        Reply
            404 for a route that it does not know.

        Examples
        --------
        >>> server.default(Request("GET", "/queue")).body
        b'{"queue_running": [], "queue_pending": []}'
        """
        if request.path == "/ws" and request.method == "GET":
            return Reply(101) if request.header("Upgrade") else Reply(400)
        patterns = [key for key in ROUTES if path_matches(request.target, key[1])]
        for key in patterns:
            if key[0] == request.method:
                return ROUTES[key](self, request)
        return Reply.text("405: Method Not Allowed", 405) if patterns else Reply(404)

    def answer(self, request: Request) -> Reply:
        """Answer of the first handler that has one, else of the server itself.

        Parameters
        ----------
        request : Request
            The request.

        Returns
        -------
        Reply
            What the client is given.

        Examples
        --------
        >>> server.on("GET", "/queue", Reply(500))
        >>> server.answer(Request("GET", "/queue")).status
        500
        """
        for handling in list(self._handlers):
            if request.matches(handling.method, handling.path) and handling.take():
                reply = handling.handler if isinstance(handling.handler, Reply) else handling.handler(request)
                if reply is not None:
                    return reply
        return self.default(request)

    # ---- websockets ----

    def _status(self, **extra: Any) -> dict[str, Any]:
        return {"type": "status", "data": {"status": {"exec_info": {"queue_remaining": self.state.remaining}}, **extra}}

    def _welcome(self, websocket: WebSocket) -> None:
        client_id = websocket.client_id or uuid.uuid4().hex
        websocket.seen.client_id = client_id
        with self._lock:  # nothing may come before the first status
            self._sockets[client_id] = websocket
            self._all_sockets.append(websocket)
            websocket.send(self._status(sid=client_id))
            running, executing = self.state.running, self.state.executing
            if running is not None and running.client_id == client_id and executing is not None:
                websocket.send({"type": "executing", "data": {"node": executing}})
        self.traffic.changed.notify()

    def _heard(self, websocket: WebSocket, message: str | bytes) -> None:
        value = parse_json(message)
        if websocket.first is None and isinstance(value, dict):
            websocket.first = value
            if value.get("type") == "feature_flags" and self.features is not None:
                websocket.send({"type": "feature_flags", "data": self.features})

    def _left(self, websocket: WebSocket) -> None:
        with self._lock:
            self._all_sockets.remove(websocket)
            # ComfyUI's flaw: it forgets whoever has this id now, not the socket that ended.
            self._sockets.pop(websocket.client_id, None)

    # ---- the worker ----

    def _work(self, state: State) -> None:
        while (item := state.take()) is not None:
            self.send_status()
            stage = Stage(self, item)
            try:
                try:
                    item.script(stage)
                except Interrupted:
                    stage.interrupt()
                except NodeError as error:
                    stage.error(error)
                if not stage.ended:
                    stage.end()
            except Stopped:
                return
            except Exception as error:
                # The worker is dead, as ComfyUI's would be; the test is told when the server closes.
                self._script_error = error
                return


class _Handling:
    """One handler of the test, and how often it is still to be used."""

    def __init__(self, method: str, path: str, handler: Handler | Reply, times: int | None) -> None:
        self.method = method
        self.path = path
        self.handler = handler
        self._left = times
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Use it once, if it is not used up."""
        with self._lock:
            if self._left is None:
                return True
            self._left -= 1
            return self._left >= 0
