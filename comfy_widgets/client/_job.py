"""A submitted prompt: a handle that ends exactly once, whichever channel tells of the end first."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from ..protocol import Event, Executed, Preview, pictures_of
from ._dispatch import Subscription
from ._errors import ComfyError, JobCancelled
from ._events import Events
from ._media import Media
from ._progress import JobStatus, Plan, Progress, RunState, finished, planned, reduce, waiting
from ._result import Result

if TYPE_CHECKING:
    from ._client import ComfyClient

logger = logging.getLogger("comfy_widgets")

Channel = Literal["progress", "preview", "executed", "status", "event"]

_LATEST: tuple[Channel, ...] = ("progress", "preview")
_STREAMS = "SaveImageWebsocket"


class Job:
    """A prompt on its way through a server; made by `ComfyClient.submit`.

    Waiting works from plain code (`wait`, `result`), from coroutines (``await job``) and by callbacks (`on`,
    `add_done_callback`). When a task that awaits it is cancelled, the job is too, unless `asyncio.shield` is around it.
    """

    def __init__(self, client: ComfyClient, prompt_id: str, media: Media) -> None:
        # Keeps the client, and with it the connection, alive as long as somebody holds the job.
        self._client = client
        self._prompt_id = prompt_id
        self._prompt: Mapping[str, Any] = {}
        self._media = media
        self._lock = threading.Lock()
        self._state = RunState(Plan({}, {}, {}))
        self._ended = False
        self._finished = threading.Event()
        self._marker = threading.Event()
        self._callbacks: list[Callable[[], object]] = []
        self._listeners: dict[Channel, list[Subscription]] = {}
        self._preview: Preview | None = None
        self._previews = 0
        self._streamed: tuple[bytes, ...] = ()
        self._result: Result | None = None
        self._error: ComfyError | None = None
        self._cancel_asked = False
        self.submitted_at = time.time()
        self.started_at: float | None = None
        self.ended_at: float | None = None

    # What it is

    @property
    def prompt_id(self) -> str:
        """The id under which the server knows it."""
        return self._prompt_id

    @property
    def prompt(self) -> Mapping[str, Any]:
        """The API prompt that was sent."""
        return self._prompt

    @property
    def status(self) -> JobStatus:
        """ "pending", "in_progress", "completed", "failed", "cancelled" or "lost"."""
        return self._state.status

    @property
    def progress(self) -> Progress:
        """How far it is; a value that is replaced whole."""
        return self._state.progress

    @property
    def preview(self) -> Preview | None:
        """The newest picture of work in progress."""
        return self._preview

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What output nodes gave so far: ``{node id: {key: list}}``."""
        return self._result.outputs if self._result is not None else self._state.outputs

    @property
    def warnings(self) -> tuple[str, ...]:
        """What people should know although the job goes on, such as outputs that the server left out."""
        return self._state.warnings

    def events(self) -> Events:
        """The job's events from now on, for ``for`` and ``async for``; both end with the job."""
        return Events(self)

    # Waiting

    def done(self) -> bool:
        """Whether it ended, however."""
        return self._finished.is_set()

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
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            # In slices: on Windows a wait without end cannot be interrupted.
            while not self._finished.wait(1.0 if deadline is None else min(1.0, max(0.0, deadline - time.monotonic()))):
                self._client._transport.check_process()
                if deadline is not None and time.monotonic() >= deadline:
                    raise TimeoutError(
                        f"Job {self._prompt_id[:8]} has not ended within {timeout:g} s ({self.progress.message}); it "
                        "goes on."
                    )
        except KeyboardInterrupt:
            self.cancel()
            raise
        return self

    def result(self, timeout: float | None = None) -> Result:
        """Wait for the result.

        Raises
        ------
        TimeoutError
            It has not ended in time; it goes on.
        PromptRefused, ExecutionFailed, JobCancelled, JobLost, ServerError
            There is no result; partial results are in the error's ``result``.
        """
        self.wait(timeout)
        return self._outcome()

    def exception(self, timeout: float | None = None) -> ComfyError | None:
        """Wait, then the error it ended with, or None."""
        self.wait(timeout)
        return self._error

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self.status == "cancelled"

    def __await__(self) -> Generator[Any, None, Result]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()

        def settle() -> None:
            if not future.done():
                future.set_result(None)

        def wake() -> None:
            # A loop that is closed has nobody left who waits.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(settle)

        self._when_ended(wake)
        try:
            yield from future.__await__()
        except asyncio.CancelledError:
            # As with asyncio's own futures; the notebook's stop button ends a cell that awaits in this way.
            self.cancel()
            raise
        return self._outcome()

    def _outcome(self) -> Result:
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result

    # Doing

    def cancel(self) -> bool:
        """Take it from the queue, or interrupt it; other prompts are not touched. Returns at once.

        Returns
        -------
        bool
            False where it had ended already.
        """
        with self._lock:
            if self._ended:
                return False
            self._cancel_asked = True
            before = self._state
            self._state = after = replace(before, progress=replace(before.progress, message="Cancelling"))
        self._publish_state(before, after)
        self._client._cancel(self)
        return True

    def on(self, channel: Channel, callback: Callable[[Any], object]) -> Subscription:
        """Call ``callback`` with what comes; it may be slow, it never holds up the connection.

        Parameters
        ----------
        channel : str
            "progress" (`Progress`; a slow listener gets the newest), "preview" (`Preview`; likewise), "executed"
            (`Executed`), "status" (the new status) or "event" (every event of the job).

        Returns
        -------
        Subscription
            Call it, or its ``cancel``, to stop.
        """
        if channel not in ("progress", "preview", "executed", "status", "event"):
            raise ValueError(f"No channel {channel!r}; there are progress, preview, executed, status and event.")
        subscription = self._client._dispatcher.subscribe(callback, latest=channel in _LATEST)
        self._subscribe(channel, subscription)
        return subscription

    def add_done_callback(self, callback: Callable[[Job], object]) -> None:
        """Call ``callback`` with the job when it has ended, also where it has already.

        It is called in the thread of all listeners, and may run further jobs there.
        """
        subscription = self._client._dispatcher.subscribe(callback)

        def ended() -> None:
            if not subscription.put(self):
                callback(self)

        self._when_ended(ended)

    # What the client's threads tell

    def _subscribe(self, channel: Channel, subscription: Subscription) -> None:
        with self._lock:
            self._listeners.setdefault(channel, []).append(subscription)

    def _when_ended(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` at the end, by whoever ends the job; it must not wait."""
        with self._lock:
            if not self._finished.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def _prepare(self, prompt: Mapping[str, Any], plan: Plan) -> None:
        """Say what will run; for a workflow in the editor's format that is known only after its conversion."""
        with self._lock:
            self._prompt = prompt
            self._state = planned(self._state, plan)

    def _learn(self, prompt: Mapping[str, Any]) -> None:
        """What the server says of the prompt; news only for a job that this client did not submit."""
        if prompt and not self._prompt:
            self._client._plan(self, prompt)

    def _handle(self, event: Event) -> bool:
        """Take an event; True when it tells of the end, so that the outcome can be asked for."""
        with self._lock:
            if self._ended:
                return False
            if isinstance(event, Preview):
                event = self._take_preview(event)
            before = self._state
            self._state = after = reduce(before, event, time.monotonic())
            if after.status == "in_progress" and self.started_at is None:
                self.started_at = time.time()
            if self._cancel_asked and after.ending is None:
                self._state = after = replace(after, progress=replace(after.progress, message="Cancelling"))
            tells = (after.ending is not None and before.ending is None) or (after.ended and not before.ended)
            if after.ended:
                self._marker.set()
        self._publish(event, before, after)
        if isinstance(event, Executed):
            for file in pictures_of({event.node or "": event.output}):
                self._media.prefetch(file)
        return tells

    def _take_preview(self, event: Preview) -> Preview:
        self._previews += 1
        node = event.display_node_id or self._state.progress.node
        event = replace(event, seq=self._previews, display_node_id=node)
        self._preview = event
        if self._state.plan.classes.get(node or "") == _STREAMS and event.mime == "image/png":
            # This node's pictures exist nowhere else: they are results, and not only previews.
            self._streamed = (*self._streamed, event.image)
        return event

    def _publish(self, event: Event, before: RunState, after: RunState) -> None:
        self._tell("event", event)
        if isinstance(event, Preview):
            self._tell("preview", event)
        if isinstance(event, Executed):
            self._tell("executed", event)
        self._publish_state(before, after)

    def _publish_state(self, before: RunState, after: RunState) -> None:
        if self._listeners and after.progress != before.progress:
            self._tell("progress", after.progress)
        if after.status != before.status:
            self._tell("status", after.status)

    def _tell(self, channel: Channel, value: object) -> None:
        for subscription in self._listeners.get(channel, ()):
            subscription.put(value)

    def _change(self, change: Callable[[RunState], RunState]) -> None:
        with self._lock:
            if self._ended:
                return
            before = self._state
            self._state = after = change(before)
        self._publish_state(before, after)

    def _warn(self, *warnings: str) -> None:
        self._change(lambda state: replace(state, warnings=(*state.warnings, *warnings)))

    def _queue_position(self, position: int | None) -> None:
        if not self._cancel_asked:
            self._change(lambda state: waiting(state, position))

    def _make_result(self, status: JobStatus, outputs: Mapping[str, Any], ended: float) -> Result:
        return Result(
            self._prompt_id,
            self._prompt,
            status,
            outputs,
            ended - self.started_at if self.started_at is not None else None,
            self._state.warnings,
            self._media.content,
            self._streamed,
        )

    def _finish(
        self,
        status: JobStatus,
        *,
        outputs: Mapping[str, Any] | None = None,
        error: Callable[[Result], ComfyError] | None = None,
    ) -> bool:
        """End it, once; False where another channel was first."""
        with self._lock:
            if self._ended:
                return False
            self._ended = True
            self.ended_at = ended = time.time()
            before = self._state
            # The history has the last word, also where it names an expanded node by another id than the stream did.
            told = {node: output for node, output in before.outputs.items() if output not in (outputs or {}).values()}
            result = self._make_result(status, {**told, **(outputs or {})}, ended)
            self._error = error(result) if error is not None else None
            self._result = result
            took = f" in {result.elapsed:.1f} s" if result.elapsed is not None else ""
            message = {"completed": f"Done{took}", "cancelled": "Cancelled"}.get(status, str(self._error))
            self._state = after = finished(before, status, message)
        self._client._keep(self)
        with self._lock:
            self._finished.set()
            self._marker.set()
            callbacks, self._callbacks = self._callbacks, []
        self._publish_state(before, after)
        for callback in callbacks:
            try:
                callback()
            except Exception:
                logger.exception("a done callback failed")
        return True

    def _finish_cancelled(self, outputs: Mapping[str, Any] | None = None) -> bool:
        by = "" if self._cancel_asked else " by somebody else"
        text = f"Job {self._prompt_id[:8]} was cancelled{by}; what it gave before is in the error's .result."
        return self._finish(
            "cancelled",
            outputs=outputs,
            error=lambda result: JobCancelled(text, prompt_id=self._prompt_id, result=result),
        )

    def __repr__(self) -> str:
        progress = self.progress
        share = f" {progress.fraction:.0%}" if self.status == "in_progress" else ""
        return f"<Job {self._prompt_id[:8]}: {self.status}{share}, {progress.message}>"
