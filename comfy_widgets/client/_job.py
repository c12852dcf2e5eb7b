"""`Job`: the handle that people hold of a submitted prompt."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._timeouts import check_timeout
from ..protocol import ComfyError, Preview
from ._core import CHANNELS, Channel, JobCore
from ._dispatch import Dispatcher, Subscription
from ._events import Events
from ._node_states import NodeState
from ._result import Result
from ._run_state import Progress
from ._status import JobStatus

_LATEST: tuple[Channel, ...] = ("progress", "preview")


@dataclass(frozen=True)
class JobServices:
    """What a job needs of its client.

    Attributes
    ----------
    cancel : callable
        Sees to it that the server is told.
    dispatcher : Dispatcher
        Calls listeners.
    check_process : callable
        Raises where this process is a fork.
    owner : object
        The client: it, and with it the connection, lives as long as somebody holds the job.
    server : callable
        Gives the address of the server that the job is on.
    client : callable or None
        Gives the client that talks to it, where that is not the owner.
    advance : callable or None
        Moves it to the front of the queue; None where it has no place that could be changed.
    """

    cancel: Callable[[JobCore], None]
    dispatcher: Dispatcher
    check_process: Callable[[], None]
    owner: object
    server: Callable[[], str]
    client: Callable[[], Any] | None = None
    advance: Callable[[JobCore], None] | None = None


class Job:
    """A prompt on its way through a server; made by `ComfyClient.submit` and `ComfyClient.attach`.

    Waiting works from plain code (`wait`, `result`), from coroutines (``await job``) and by callbacks (`on`,
    `add_done_callback`). When a task that awaits it is cancelled, the job is too, unless `asyncio.shield` is around it.

    Examples
    --------
    >>> job = client.submit("workflow.json", seed=7)             # doctest: +SKIP
    >>> job.on("progress", lambda progress: print(progress.message))  # doctest: +SKIP
    >>> job.result().images[0]                                   # doctest: +SKIP
    """

    def __init__(self, core: JobCore, services: JobServices) -> None:
        self._core = core
        self._services = services
        self._future: _JobFuture | None = None
        self._lock = threading.Lock()

    # What it is

    @property
    def prompt_id(self) -> str:
        """The id under which the server knows it."""
        return self._core.prompt_id

    @property
    def client(self) -> Any:
        """The `ComfyClient` that made it, or, of a job of a fleet, that of the server that it is on."""
        client = self._services.client
        return self._services.owner if client is None else client()

    @property
    def server(self) -> str:
        """The address of the server that it is on; empty while a fleet has not chosen one."""
        return self._services.server()

    @property
    def prompt(self) -> Mapping[str, Any]:
        """The API prompt that was sent."""
        return self._core.prompt

    @property
    def drawn(self) -> Mapping[str, Any]:
        """What was decided for this run alone, by names of parameters: a random seed, a choice in a text."""
        return self._core.drawn

    @property
    def status(self) -> JobStatus:
        """ "pending", "in_progress", "completed", "failed", "cancelled" or "lost"."""
        return self._core.status

    @property
    def progress(self) -> Progress:
        """How far it is; a value that is replaced whole."""
        return self._core.progress

    @property
    def nodes(self) -> Mapping[str, NodeState]:
        """How each node of its prompt stands, by id: which are cached, which works, how long each took."""
        return self._core.nodes

    @property
    def preview(self) -> Preview | None:
        """The newest image of work in progress."""
        return self._core.preview

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What output nodes gave so far: ``{node id: {key: list}}``."""
        return self._core.outputs

    @property
    def warnings(self) -> tuple[str, ...]:
        """What people should know although the job goes on, such as outputs that the server left out."""
        return self._core.state.warnings

    @property
    def submitted_at(self) -> float:
        """When it was submitted, in seconds since 1970."""
        return self._core.submitted_at

    @property
    def started_at(self) -> float | None:
        """When its work began, in seconds since 1970; None before."""
        return self._core.started_at

    @property
    def ended_at(self) -> float | None:
        """When it ended, in seconds since 1970; None before."""
        return self._core.ended_at

    def events(self) -> Events:
        """The job's events from now on, for ``for`` and ``async for``; both end with the job.

        Returns
        -------
        Events
            An iterator and an async iterator of `Event`.

        Examples
        --------
        >>> job = client.submit(example(), width=64, height=64, steps=1)
        >>> for event in job.events():
        ...     pass  # each event of the job, until its end
        """
        return Events(self._core)

    # Waiting

    def done(self) -> bool:
        """Whether it ended, however.

        Returns
        -------
        bool
            Also where it failed, was cancelled or lost.

        Examples
        --------
        >>> job = client.submit(example(), width=64, height=64, steps=1)
        >>> job.wait(60).done()
        True
        """
        return self._core.done()

    def wait(self, timeout: float | None = None) -> Job:
        """Wait until it ended, however it ended.

        An interrupt (Ctrl-C, the notebook's stop button) cancels this job on the server, and is raised again.

        Parameters
        ----------
        timeout : float, optional
            Seconds.

        Returns
        -------
        Job
            The job itself.

        Raises
        ------
        TimeoutError
            It has not ended in time; it goes on.

        Examples
        --------
        >>> job = client.submit(example(), width=64, height=64, steps=1)
        >>> job.wait(60) is job
        True
        """
        check_timeout(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            # In slices: on Windows a wait without end cannot be interrupted.
            while not self._core.wait(1.0 if deadline is None else min(1.0, max(0.0, deadline - time.monotonic()))):
                self._services.check_process()
                if deadline is not None and time.monotonic() >= deadline:
                    raise TimeoutError(
                        f"Job {self.prompt_id[:8]} has not ended within {timeout:g} s ({self.progress.message}); it "
                        "goes on."
                    )
        except KeyboardInterrupt:
            self.cancel()
            raise
        return self

    def result(self, timeout: float | None = None) -> Result:
        """Wait for the result.

        Parameters
        ----------
        timeout : float, optional
            Seconds.

        Returns
        -------
        Result

        Raises
        ------
        TimeoutError
            It has not ended in time; it goes on.
        PromptRefused, ExecutionFailed, JobCancelled, JobLost, ServerError
            There is no result; partial results are in the error's ``result``.

        Examples
        --------
        >>> job = client.submit(example(), width=64, height=64, steps=1)
        >>> len(job.result(60).images)
        1
        """
        self.wait(timeout)
        return self._core.outcome()

    def exception(self, timeout: float | None = None) -> ComfyError | None:
        """Wait, then the error it ended with, or None.

        Parameters
        ----------
        timeout : float, optional
            Seconds.

        Returns
        -------
        ComfyError or None

        Raises
        ------
        TimeoutError
            It has not ended in time; it goes on.

        Examples
        --------
        >>> job = client.submit(example(), width=64, height=64, steps=1)
        >>> job.exception(60) is None
        True
        """
        self.wait(timeout)
        return self._core.error

    def cancelled(self) -> bool:
        """Whether it was cancelled.

        Returns
        -------
        bool
            True once it has ended so.

        Examples
        --------
        >>> job = client.submit(example(), width=64, height=64, steps=1)
        >>> job.wait(60).cancelled()
        False
        """
        return self.status is JobStatus.CANCELLED

    def __await__(self) -> Generator[Any, None, Result]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()

        def settle() -> None:
            if not future.done():
                future.set_result(None)

        self._core.when_ended(partial(_call_soon, loop, settle))
        try:
            yield from future.__await__()
        except asyncio.CancelledError:
            # As with asyncio's own futures; the notebook's stop button ends a cell that awaits in this way.
            self.cancel()
            raise
        return self._core.outcome()

    @property
    def future(self) -> Future[Result]:
        """The same as a `concurrent.futures.Future`, for all that takes one.

        It gives what `result` gives, and cancelling it cancels the job. ``concurrent.futures.wait`` and
        ``as_completed`` take it, ``asyncio.wrap_future`` too. Of asyncio's own, ``await``, ``gather``, ``wait``,
        ``wait_for``, ``as_completed`` and ``shield`` take the job itself, ``create_task`` and ``TaskGroup`` take
        ``job.wait_for_result()``.

        Examples
        --------
        >>> concurrent.futures.wait([job.future for job in jobs])     # doctest: +SKIP
        """
        with self._lock:
            if self._future is None:
                future = self._future = _JobFuture(self)
                self._core.when_ended(future.take)
            return self._future

    async def wait_for_result(self) -> Result:
        """The same as ``await job``, as a coroutine: ``asyncio.create_task(job.wait_for_result())``.

        Returns
        -------
        Result

        Raises
        ------
        PromptRefused, ExecutionFailed, JobCancelled, JobLost, ServerError
            As for `result`.

        Examples
        --------
        >>> async with asyncio.TaskGroup() as group:                  # doctest: +SKIP
        ...     tasks = [group.create_task(job.wait_for_result()) for job in jobs]
        """
        return await self

    # Doing

    def cancel(self) -> bool:
        """Take it from the queue, or interrupt it; other prompts are not touched. Returns at once.

        Returns
        -------
        bool
            False where it had ended already.

        Examples
        --------
        >>> job = client.submit(example(), width=64, height=64, steps=200)
        >>> asked = job.cancel()
        >>> job.wait(60).done()
        True
        """
        if not self._core.ask_cancel():
            return False
        self._services.cancel(self._core)
        return True

    def move_to_front(self) -> bool:
        """Let it run before all others that wait, also those of other people. Returns at once.

        A server has no call for that: the prompt is taken out of the queue and put back in front, under the same id.

        Returns
        -------
        bool
            False where it runs already, or has ended, or a fleet decides where and when it runs.

        Examples
        --------
        >>> jobs = [client.submit(example(), width=64, height=64, seed=seed) for seed in range(3)]
        >>> asked = jobs[2].move_to_front()
        >>> [job.wait(60).status.value for job in jobs]
        ['completed', 'completed', 'completed']
        """
        if self.status is not JobStatus.PENDING or self._services.advance is None:
            return False
        self._services.advance(self._core)
        return True

    def on(self, channel: Channel, callback: Callable[[Any], object]) -> Subscription:
        """Call ``callback`` with what comes; it may be slow, it never holds up the connection.

        Parameters
        ----------
        channel : str
            "progress" (`Progress`; a slow listener gets the newest), "preview" (`Preview`; likewise), "executed"
            (`Executed`), "status" (the new `JobStatus`) or "event" (every event of the job).
        callback : callable
            Takes one value; what it returns is not used.

        Returns
        -------
        Subscription
            Call it, or its ``cancel``, to stop.

        Raises
        ------
        ValueError
            There is no such channel.

        Examples
        --------
        >>> job = client.submit(example(), width=64, height=64, steps=1)
        >>> subscription = job.on("progress", lambda progress: None)
        >>> subscription.cancel()
        """
        if channel not in CHANNELS:
            raise ValueError(f"No channel {channel!r}; there are progress, preview, executed, status and event.")
        subscription = self._services.dispatcher.subscribe(callback, latest=channel in _LATEST)
        self._core.subscribe(channel, subscription)
        return subscription

    def add_done_callback(self, callback: Callable[[Job], object]) -> None:
        """Call ``callback`` with the job when it has ended, also where it has already.

        It is called in the thread of all listeners, and may run further jobs there.

        Parameters
        ----------
        callback : callable
            Takes the job.

        Examples
        --------
        >>> job = client.submit(example(), width=64, height=64, steps=1)
        >>> job.add_done_callback(lambda job: None)
        """
        if (getattr(callback, "__module__", None) or "").startswith("asyncio."):
            # `asyncio.wait` and its like want to be called in their own loop.
            loop = asyncio.get_running_loop()
            self._core.when_ended(partial(_call_soon, loop, callback, self))
            return
        subscription = self._services.dispatcher.subscribe(callback)

        def ended() -> None:
            if not subscription.put(self):
                callback(self)

        self._core.when_ended(ended)

    def remove_done_callback(self, callback: Callable[[Job], object]) -> int:
        """For `asyncio.wait`, which takes its callbacks back; those of others stay.

        Parameters
        ----------
        callback : callable
            What was added.

        Returns
        -------
        int
            How many were taken back: none.

        Examples
        --------
        >>> job = client.submit(example(), width=64, height=64, steps=1)
        >>> job.remove_done_callback(print)
        0
        """
        return 0

    def __repr__(self) -> str:
        progress = self.progress
        share = f" {progress.fraction:.0%}" if self.status is JobStatus.IN_PROGRESS else ""
        return f"<Job {self.prompt_id[:8]}: {self.status}{share}, {progress.message}>"


class _JobFuture(Future[Result]):
    """A job as a `concurrent.futures.Future`."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def cancel(self) -> bool:
        """Cancel the job too."""
        self._job.cancel()
        return super().cancel()

    def take(self) -> None:
        """Take what the job ended with."""
        # Who cancelled it waits no more.
        with suppress(InvalidStateError):
            error = self._job.exception(timeout=0)
            if error is not None:
                self.set_exception(error)
            else:
                self.set_result(self._job.result(timeout=0))


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *args: object) -> None:
    """Call something in a loop, from any thread."""
    # A loop that is closed has nobody left who waits.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(callback, *args)
