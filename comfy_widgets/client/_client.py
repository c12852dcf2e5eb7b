"""`ComfyClient`: a server, its routes, its websocket and the jobs sent to it."""

from __future__ import annotations

import logging
import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any

from ..protocol import Address, ComfyError, Event, SystemStats, WorkflowError, plain
from ..protocol.requests import path_part
from ..workflow import Workflow
from ._asset_routes import AssetRoutes
from ._batch import Batch, submit_batch
from ._calls import Calls
from ._connection import KeepAlive
from ._core import JobCore
from ._discover import find_server, open_cassette
from ._dispatch import Dispatcher, Subscription
from ._file_routes import FileRoutes
from ._job import Job, JobServices
from ._job_errors import JobLost
from ._journal import Journal
from ._ledger import Tracked
from ._library_routes import LibraryRoutes
from ._media import Media, Memory
from ._pace import Pace
from ._parts import Parts, Workers, connector, publish, publisher, shutdown
from ._prompt_routes import PromptRoutes, is_id
from ._result import Result
from ._server_routes import ServerRoutes
from ._server_view import ServerView
from ._state import state_directory
from ._step_routes import StepRoutes
from ._submission import Submission, Submitter, preview_request
from ._timings import Timings
from ._tracker import Tracker
from ._transport import Options, Transport
from ._user_routes import UserRoutes
from ._watching import run_shown

logging.getLogger("comfy_widgets").addHandler(logging.NullHandler())

EMBEDDED = "embedded engine, small procedural model"


class ComfyClient(PromptRoutes, FileRoutes, AssetRoutes, UserRoutes, LibraryRoutes, ServerRoutes, StepRoutes):
    """A ComfyUI server, to submit workflows to and get images from.

    Parameters
    ----------
    url : str, optional
        ``http://host:8188`` or https, with any path prefix; or ``cassette:lesson.cassette``, which plays recorded runs
        (``?speed=4`` or ``?speed=instant`` behind it plays faster). Without it: ``$COMFYUI_URL``, else a ComfyUI on
        this machine's port 8188, or 8000 where ComfyUI's desktop application serves, else the embedded engine; a
        printed line says which.
    client_id : str, optional
        The id under which the server knows the websocket; made here by default. Two programs must never share one.
    ping_interval : float
        Seconds between pings of the websocket.
    reconnect_interval : float
        Seconds between tries to connect again.
    headers : dict, optional
        Sent with every call and the websocket's handshake, to this server only: ``Authorization``, ``X-API-Key``.
    auth : (user, password), optional
        HTTP basic authentication; may stand in the URL too.
    verify : bool, str or Path
        TLS: True, a path to your own authorities, or False to check nothing.
    api_key : str, optional
        A comfy.org key for partner nodes; it is sent in ``extra_data`` only and never shown.
    timeout : float
        Seconds that an answer may take. A server is silent while it loads models.
    lost_after : float
        Seconds without any answer after which outstanding jobs are given up.
    memory : int
        Bytes of results kept in memory; more go to temporary files.
    max_frame, max_body : int
        The largest websocket frame and the largest reply in bytes that are taken.
    journal : bool
        Note every submitted prompt on disk, so that `comfy_widgets.runs` finds it after a restart of the kernel.
    pace : Pace, optional
        How often the server is asked; see `Pace`.
    name : str
        What messages and errors call the server in place of its address, such as "the server of the class"; by default
        they give the address.

    Raises
    ------
    ComfyError
        The URL or a header cannot be used, or no server was named or found and the embedded engine is not installed;
        or there is no such cassette. Whether a named server answers shows with the first call.
    ValueError
        A time is not positive.

    Examples
    --------
    >>> client = ComfyClient("http://127.0.0.1:8188")             # doctest: +SKIP
    >>> client.run("workflow.json", seed=7).images[0]             # doctest: +SKIP
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        client_id: str | None = None,
        ping_interval: float = 30.0,
        reconnect_interval: float = 5.0,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        verify: bool | str | Path = True,
        api_key: str | None = None,
        timeout: float = 60.0,
        lost_after: float = 120.0,
        memory: int = 64 << 20,
        max_frame: int = 1 << 30,
        max_body: int = 4 << 30,
        journal: bool = True,
        pace: Pace | None = None,
        name: str = "",
    ) -> None:
        _check_times(
            ping_interval=ping_interval, reconnect_interval=reconnect_interval, timeout=timeout, lost_after=lost_after
        )
        engine = None
        if url is None:
            url, _, engine = find_server()
        cassette = open_cassette(url)
        address = Address.parse(cassette or url)
        if not isinstance(name, str):
            raise TypeError(f"name is {name!r}, but must be a text: what messages shall call the server.")
        address = replace(address, name=name, auth=address.auth if auth is None else auth)
        self.client_id: str = client_id or str(uuid.uuid4())
        options = Options(
            headers=dict(headers or {}),
            verify=verify if isinstance(verify, bool) else str(verify),
            read_timeout=timeout,
            max_body=max_body,
            max_frame=max_frame,
        )
        transport = Transport(address, options)
        calls = Calls(transport, self.client_id)
        super().__init__(calls)
        self._memory = Memory(memory)
        self._raw: dict[Subscription, None] = {}
        self._on_submit: dict[Subscription, None] = {}
        self._description: str | None = None
        self._embedded: bool | None = True if engine is not None else None
        workers = Workers()
        directory = state_directory() if journal and engine is None and cassette is None else None
        self._parts = Parts(
            transport,
            workers,
            Dispatcher(),
            Tracker(
                ServerView(calls, lambda: engine is not None and not engine.running),
                workers.calls,
                pace or Pace(lost_after=lost_after),
                connector(
                    calls, KeepAlive(ping_interval, reconnect_interval, options.connect_timeout, options.max_frame)
                ),
                publisher(self._raw),
            ),
            Journal(directory),
            Timings(directory, address.base),
        )
        self._submitter = Submitter(calls, self._parts, api_key)
        self._finalizer = weakref.finalize(self, shutdown, self._parts)

    # About the server

    @property
    def embedded(self) -> bool:
        """Whether the server is the embedded engine, and no large model."""
        return self._is_embedded(self.system_stats()) if self._embedded is None else self._embedded

    @property
    def description(self) -> str:
        """One line that says which server this is; asks the server once."""
        if self._description is None:
            stats = self.system_stats()
            recorded = stats.system.extra.get("cassette")
            if isinstance(recorded, str):
                self._description = plain(recorded, 200)
                return self._description
            name = EMBEDDED if self._is_embedded(stats) else f"ComfyUI {stats.system.comfyui_version or ''}".rstrip()
            self._description = f"{name} · {self._calls.address.name or self._calls.address.host}"
        return self._description

    def _is_embedded(self, stats: SystemStats) -> bool:
        self._embedded = bool(stats.system.extra.get("embedded_engine"))
        return self._embedded

    @property
    def connected(self) -> bool:
        """Whether the websocket is open; that comes with the first job."""
        return self._parts.tracker.connected

    def wait_connected(self, timeout: float) -> bool:
        """Open the websocket and wait; False where its first try failed or took longer than ``timeout`` seconds.

        Parameters
        ----------
        timeout : float
            Seconds.

        Returns
        -------
        bool
            Whether the connection is open.

        Examples
        --------
        >>> client.wait_connected(20)
        True
        """
        return self._parts.tracker.listen().wait_first_try(timeout)

    def workflow(self, source: Any, /) -> Workflow:
        """A workflow together with this server's node definitions.

        Parameters
        ----------
        source : str, Path, dict, bytes, file or PIL image
            Anything that `Workflow.load` takes; or the id of a prompt in the server's history, the name of a workflow
            that was saved in ComfyUI's editor, or "template:" and a name of `templates`.

        Returns
        -------
        Workflow
            With which ``params()`` has bounds and choices.

        Raises
        ------
        WorkflowError
            There is no workflow in it.

        Examples
        --------
        >>> client.workflow(example().to_prompt()).params()["steps"].max
        10000
        """
        if isinstance(source, str) and is_id(source):
            entry = self.history(source)
            if entry is None:
                raise WorkflowError(f"The server's history has no finished prompt {source}.")
            info = entry.extra_data.get("extra_pnginfo")
            ui = info.get("workflow") if isinstance(info, Mapping) else None
            source = {"prompt": entry.prompt, "workflow": ui} if isinstance(ui, Mapping) else dict(entry.prompt)
        elif isinstance(source, str) and source.startswith("template:"):
            return Workflow.load(source, object_info=self.object_info(), fetch=self.fetch)
        elif isinstance(source, str) and "{" not in source and "://" not in source and not Path(source).exists():
            source = self.load_workflow(source)
        return Workflow.load(source, object_info=self.object_info())

    # Jobs

    def submit(
        self,
        workflow: Workflow | Mapping[str, Any] | str | Path | bytes,
        /,
        *,
        front: bool = False,
        partial_execution_targets: list[str] | None = None,
        extra_data: Mapping[str, Any] | None = None,
        previews: str | None = None,
        prompt_id: str | None = None,
        on_post: Callable[[Job], object] | None = None,
        **values: Any,
    ) -> Job:
        """Send a workflow to the server and come back at once.

        Parameters
        ----------
        workflow : Workflow, dict, path, JSON text or bytes
            In API format or the editor's format; see `Workflow.load`.
        front : bool
            Before all that waits.
        partial_execution_targets : list of str, optional
            Run only these output nodes.
        extra_data : dict, optional
            Goes with the prompt; ``extra_pnginfo`` is written into PNG files.
        previews : str, optional
            Ask for live previews of this run: "auto", "latent2rgb", "taesd" or "none". Without it the server does what
            it was started with, and that is none by default. Servers before 0.8 do not heed it; the job then says so
            once in its ``warnings``.
        prompt_id : str, optional
            An id of your own, a lower-case UUID, so that it can be noted before anything is sent; made here otherwise.
            `attach` finds the job by it later, whoever submitted it.
        on_post : callable, optional
            Called with the job right before it is sent, in the thread that sends: the last moment to note
            ``job.prompt_id`` and the final ``job.prompt``. It may call ``job.cancel()``. What it raises ends the job,
            and nothing is sent.
        **values
            Values for the workflow's parameters, such as ``seed=7``.

        Returns
        -------
        Job
            What the server says of it, a refusal too, comes from ``job.result()``.

        Raises
        ------
        WorkflowError
            The workflow cannot be read, or has no such parameter.
        ValueError
            The ``prompt_id`` is no UUID in lower case, or a job with it has not ended yet; or there is no such kind of
            previews.
        ComfyError
            The client is closed, or was made before the process forked.

        Examples
        --------
        >>> def claim(job):
        ...     store.write(server=client.url, prompt_id=job.prompt_id)  # doctest: +SKIP
        >>> job = client.submit("workflow.json", prompt_id=str(uuid.uuid4()), on_post=claim)  # doctest: +SKIP
        """
        self._parts.transport.check_process()
        document = self._document(workflow).with_params(values).settle()
        node_classes = self._calls.node_classes
        ready = document.prompt is not None and (document.form == "api" or node_classes is not None)
        extra = {**(extra_data or {}), **preview_request(previews)}
        core, job = self._new_job(self._own_id(prompt_id), document if ready else None)
        publish(self._on_submit, job)
        before_post = None if on_post is None else partial(on_post, job)
        self._submitter.submit(Submission(core, document, front, partial_execution_targets, extra, before_post))
        return job

    def _document(self, workflow: Any) -> Workflow:
        """A workflow, with the server's node definitions where they are known."""
        document, node_classes = Workflow.load(workflow), self._calls.node_classes
        return document if node_classes is None else document.bind(node_classes)

    def _own_id(self, prompt_id: str | None) -> str:
        if prompt_id is None:
            return str(uuid.uuid4())
        if not is_id(prompt_id):
            raise ValueError(f"prompt_id is {prompt_id!r}, but must be a lower-case UUID; str(uuid.uuid4()) makes one.")
        if self._parts.tracker.ledger.find(prompt_id) is not None:
            raise ValueError(f"A job with the id {prompt_id} has not ended yet; client.attach(prompt_id) gives it.")
        return prompt_id

    def run(self, workflow: Any, /, timeout: float | None = None, *, progress: bool = True, **values: Any) -> Result:
        """Submit a workflow and wait for its result; takes what `submit` takes.

        In a notebook, a slim live line shows how far the job is; when the cell ends it is one line of text.

        Parameters
        ----------
        workflow : Workflow, dict, path, JSON text or bytes
            As for `submit`.
        timeout : float, optional
            Seconds; the job goes on when they are over.
        progress : bool
            Show the line. In a script nothing is ever shown.
        **values : object
            Values of the workflow's parameters, and whatever else `submit` takes.

        Returns
        -------
        Result
            Its images, files and texts.

        Raises
        ------
        WorkflowError, ServerError, JobError, TimeoutError

        Examples
        --------
        >>> result = client.run(example(), seed=7, width=64, height=64, steps=2)
        >>> result.images[0].size
        (64, 64)
        """
        return run_shown(self.submit, workflow, timeout, progress=progress, **values)

    def map(
        self,
        workflow: Any,
        values: Iterable[Mapping[str, Any]],
        /,
        *,
        timeout: float | None = None,
        return_exceptions: bool = False,
        progress: bool = True,
        previews: str | None = None,
        extra_data: Mapping[str, Any] | None = None,
        **shared: Any,
    ) -> Batch:
        """Run a workflow once for each of some values, and read the results in their order.

        All are submitted at once, and none if one of the values does not fit. In a notebook, one live line shows how
        far they are together, from the first result that is waited for.

        Parameters
        ----------
        workflow : Workflow, dict, path, JSON text or bytes
            As for `submit`.
        values : iterable of Mapping
            For each run, values by the names of parameters: ``[{"seed": 1}, {"seed": 2}]``.
        timeout : float, optional
            Seconds that all may take together; when they are over, reading raises, and the runs go on.
        return_exceptions : bool
            Give the error of a run that failed in place of its result, as `asyncio.gather` does, and do not raise it.
        progress : bool
            Show the line. In a script nothing is ever shown.
        previews, extra_data : optional
            For each run, as for `submit`.
        **shared : object
            Values that all runs have; those in `values` come before them.

        Returns
        -------
        Batch
            An iterator over the results. The error of a run is raised in its place, and ends no other run.

        Raises
        ------
        WorkflowError
            The workflow cannot be read, or some values do not fit.
        TypeError
            Something in `values` is no mapping, or `timeout` no number. Nothing is submitted then.

        Examples
        --------
        >>> seeds = [{"seed": seed} for seed in range(3)]
        >>> [len(result.images) for result in client.map(example(), seeds, width=64, height=64, steps=1)]
        [1, 1, 1]
        """
        document = self._document(workflow).with_params(shared)
        submit = partial(self.submit, previews=previews, extra_data=extra_data)
        return submit_batch(
            submit, document, values, timeout=timeout, return_exceptions=return_exceptions, progress=progress
        )

    def attach(self, prompt_id: str) -> Job:
        """A job for a prompt that was submitted before, by this program or another.

        Its state and result come from the server's queue and history; progress shows only where this client has the id
        under which it was submitted.

        Parameters
        ----------
        prompt_id : str
            The id under which the server knows it.

        Returns
        -------
        Job
            Where the server does not know the id, neither in its queue nor in its history, it ends as "lost".

        Raises
        ------
        ComfyError
            The client is closed, or was made before the process forked.

        Examples
        --------
        >>> client.attach("0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55").result()  # doctest: +SKIP
        """
        self._parts.transport.check_process()
        tracker = self._parts.tracker
        path_part(prompt_id, "prompt_id")
        known = tracker.ledger.find(prompt_id)
        if known is not None and isinstance(known.handle, Job):
            return known.handle
        core, job = self._new_job(prompt_id, sent=True)
        tracker.listen()
        tracker.confirm(core, JobLost(f"The server knows no prompt {prompt_id}.", prompt_id=prompt_id))
        return job

    def _new_job(self, prompt_id: str, document: Workflow | None = None, *, sent: bool = False) -> tuple[JobCore, Job]:
        """A job that is tracked from now on."""
        parts = self._parts
        media = Media(FileRoutes(Calls(parts.transport, after_close=True)).view, parts.workers.downloads, self._memory)

        def keep(core: JobCore) -> None:
            """Keep how it ended and what each node class took, so that the next job's bar moves evenly."""
            parts.journal.ended(core.prompt_id, core.status)
            parts.timings.learn(core.state.plan.classes, core.state.durations)

        core = JobCore(prompt_id, media.content, seconds=parts.timings.get, on_end=keep)
        services = JobServices(
            self._submitter.cancel,
            parts.dispatcher,
            parts.transport.check_process,
            self,
            lambda: parts.transport.address.base,
            advance=self._submitter.advance,
        )
        job = Job(core, services)
        if document is not None:
            core.prepare(document.to_prompt(), document.drawn)
        parts.tracker.add(Tracked(core, media, handle=job, sent=sent))
        return core, job

    def on_submit(self, callback: Callable[[Job], object]) -> Subscription:
        """Call ``callback`` with every job that this client submits, before it is sent.

        Parameters
        ----------
        callback : callable
            Takes the `Job`; it is called in the thread that submits, and what it raises is raised there.

        Returns
        -------
        Subscription
            Call it, or its ``cancel``, to stop.

        Examples
        --------
        >>> seen = []
        >>> subscription = client.on_submit(seen.append)
        >>> job = client.submit(example(), width=64, height=64, steps=1)
        >>> subscription.cancel()
        >>> seen == [job]
        True
        """
        subscription = Dispatcher.direct(callback)
        self._on_submit[subscription] = None
        return subscription

    def secrets(self) -> tuple[str, ...]:
        """Return what must not be shown or stored: passwords, tokens, the values of own headers.

        Returns
        -------
        tuple of str
            Longest first, each also as it stands in a URL.

        Examples
        --------
        >>> with ComfyClient("http://127.0.0.1:8188", headers={"X-Token": "abcdefgh"}, journal=False) as other:
        ...     other.secrets()
        ('abcdefgh',)
        """
        return self._parts.transport.secrets

    # The raw stream

    def connect(self, on_message: Callable[[Event], object]) -> Subscription:
        """Call ``on_message`` with every event of the websocket, also those of other people's prompts.

        It is called in a thread of its own and may be slow: the connection never waits for it.

        Parameters
        ----------
        on_message : callable
            Takes each `Event`; see `comfy_widgets.protocol`.

        Returns
        -------
        Subscription
            Call it, or its ``cancel``, to stop.

        Examples
        --------
        >>> seen = []
        >>> subscription = client.connect(seen.append)
        >>> result = client.run(example(), width=64, height=64, steps=2, seed=5)
        >>> subscription.cancel()
        """
        return self._hear(self._parts.dispatcher.subscribe(on_message))

    def _hear(self, subscription: Subscription) -> Subscription:
        self._parts.tracker.listen()
        self._raw[subscription] = None
        return subscription

    def listen(self, timeout: float | None = None) -> Iterator[Event]:
        """Every event of the websocket, as they come.

        Parameters
        ----------
        timeout : float, optional
            End when nothing came for so many seconds; otherwise it ends with the client.

        Yields
        ------
        Event
            In the order in which they came.

        Examples
        --------
        >>> for event in client.listen(timeout=0.1):
        ...     print(event.type)  # doctest: +SKIP
        """
        waiting: SimpleQueue[Event] = SimpleQueue()
        subscription = self._hear(Dispatcher.direct(waiting.put))
        try:
            while self._finalizer.alive:
                try:
                    yield waiting.get(timeout=timeout if timeout is not None else 1.0)
                except Empty:
                    if timeout is not None:
                        return
        finally:
            subscription.cancel()

    # The end

    def close(self) -> None:
        """Close connections and threads. Outstanding jobs end as lost here, and go on on the server.

        Examples
        --------
        >>> with ComfyClient(engine.url) as short_lived:  # closes it in the end
        ...     len(short_lived.run(example(), width=64, height=64, steps=1).images)
        1
        """
        self._finalizer()

    def __enter__(self) -> ComfyClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> ComfyClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> str:
        raise ComfyError("A ComfyClient holds connections and cannot be pickled. Make one in each process.")

    def __repr__(self) -> str:
        state = "" if self._finalizer.alive else ", closed"
        what = f" ({EMBEDDED})" if self._embedded else ""
        return f"<ComfyClient {self._calls.address.shown}{what}{state}>"


def _check_times(**seconds: float) -> None:
    for name, value in seconds.items():
        if not value > 0:
            raise ValueError(f"{name} is {value!r}, but must be a number of seconds above 0.")
