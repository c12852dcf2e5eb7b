"""The core of a job: everything that is known of one prompt, and its one end.

It knows no client, no thread and no socket. Others tell it what they have learned (`handle` an event, `finish` it), it
tells those who subscribed, and `Job` is the handle that people hold.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

from ..protocol import ComfyError, Event, Executed, File, Preview
from ._dispatch import Subscription
from ._job_errors import JobCancelled
from ._node_states import NodeState, node_states
from ._progress import cancelling, finished, planned, quiet, reduce, silent, unanswered, waiting
from ._result import Result
from ._run_state import Plan, Progress, RunState
from ._status import JobStatus

logger = logging.getLogger(__name__)

Channel = Literal["progress", "preview", "executed", "status", "event"]
CHANNELS: tuple[Channel, ...] = ("progress", "preview", "executed", "status", "event")

_STREAMS = "SaveImageWebsocket"


class JobCore:
    """The state of one prompt's run; any number of threads may use it at once.

    Parameters
    ----------
    prompt_id : str
    fetch : callable
        Gives the bytes of a file on the server.
    seconds : callable
        Tells what a node class took before on this server; None where it is not known.
    on_end : callable
        Takes the core when it has ended, before anybody who waits for that is told.
    """

    def __init__(
        self,
        prompt_id: str,
        fetch: Callable[[File], bytes],
        *,
        seconds: Callable[[str], float | None] = lambda _: None,
        on_end: Callable[[JobCore], object] = lambda _: None,
    ) -> None:
        self._prompt_id = prompt_id
        self._fetch = fetch
        self._seconds = seconds
        self._on_end = on_end
        self._prompt: Mapping[str, Any] = {}
        self._drawn: Mapping[str, Any] = {}
        self._lock = threading.Lock()
        self._state = RunState(Plan({}, {}, {}))
        self._ended = False
        self._released = threading.Event()
        self._marked = threading.Event()
        self._callbacks: list[Callable[[], object]] = []
        self._listeners: dict[Channel, list[Subscription]] = {}
        self._preview: Preview | None = None
        self._previews = 0
        self._streamed: tuple[bytes, ...] = ()
        self._result: Result | None = None
        self._error: ComfyError | None = None
        self.submitted_at: float = time.time()
        self.started_at: float | None = None
        self.ended_at: float | None = None

    # What is known

    @property
    def prompt_id(self) -> str:
        """The id under which the server knows it."""
        return self._prompt_id

    @property
    def prompt(self) -> Mapping[str, Any]:
        """The API prompt; empty until it is known."""
        return self._prompt

    @property
    def drawn(self) -> Mapping[str, Any]:
        """What was decided for this run alone, by names of parameters."""
        return self._drawn

    @property
    def state(self) -> RunState:
        """All that its events have told."""
        return self._state

    @property
    def status(self) -> JobStatus:
        """How it stands."""
        return self._state.status

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return self._state.progress

    @property
    def nodes(self) -> dict[str, NodeState]:
        """How each node stands."""
        started = self.started_at
        elapsed = None if started is None else (self.ended_at or time.time()) - started
        return node_states(self._state, elapsed)

    @property
    def preview(self) -> Preview | None:
        """The newest image of work in progress."""
        return self._preview

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What output nodes gave so far."""
        return self._result.outputs if self._result is not None else self._state.outputs

    @property
    def cancelling(self) -> bool:
        """Whether its end was asked for here."""
        return self._state.cancelling

    @property
    def error(self) -> ComfyError | None:
        """What it ended with in place of a result."""
        return self._error

    def done(self) -> bool:
        """Whether it has ended and those who wait were told."""
        return self._released.is_set()

    def wait(self, timeout: float | None) -> bool:
        """Wait for the end; False where it did not come in time."""
        return self._released.wait(timeout)

    @property
    def marked(self) -> bool:
        """Whether its end marker came, after which the history is sure to have it."""
        return self._marked.is_set()

    def wait_marked(self, timeout: float) -> None:
        """Wait for the end marker, or the end."""
        self._marked.wait(timeout)

    def outcome(self) -> Result:
        """The result, or the error raised, of a job that has ended."""
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result

    # Who wants to know

    def subscribe(self, channel: Channel, subscription: Subscription) -> None:
        """Put what comes on a channel into a subscription."""
        with self._lock:
            self._listeners.setdefault(channel, []).append(subscription)

    def when_ended(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` at the end, by whoever ends the job; it must not wait."""
        with self._lock:
            if not self._released.is_set():
                self._callbacks.append(callback)
                return
        callback()

    # What others have learned

    def rename(self, prompt_id: str) -> None:
        """An old server gave the prompt an id of its own."""
        self._prompt_id = prompt_id

    def prepare(self, prompt: Mapping[str, Any], drawn: Mapping[str, Any] | None = None) -> None:
        """Say what will run, and what of it was drawn; of an editor's workflow that is known after its conversion."""
        plan = Plan.of(prompt, self._seconds)
        with self._lock:
            self._prompt = prompt
            self._drawn = self._drawn if drawn is None else drawn
            self._state = planned(self._state, plan)

    def learn(self, prompt: Mapping[str, Any]) -> None:
        """What the server says of the prompt; news only for a job that this client did not submit."""
        if prompt and not self._prompt:
            self.prepare(prompt)

    def handle(self, event: Event) -> bool:
        """Take an event; True when it tells of the end, so that the outcome can be asked for."""
        with self._lock:
            if self._ended:
                return False
            if isinstance(event, Preview):
                event = self._take_preview(event)
            before = self._state
            self._state = after = reduce(before, event, time.monotonic())
            if after.status is JobStatus.IN_PROGRESS and self.started_at is None:
                self.started_at = time.time()
            tells = (after.ending is not None and before.ending is None) or (after.ended and not before.ended)
            if after.ended:
                self._marked.set()
        self._publish(event, before, after)
        return tells

    def begin_again(self) -> None:
        """It is carried out anew, elsewhere: what its events told so far is over."""
        self._change(
            lambda state: replace(
                planned(RunState(Plan({}, {}, {})), state.plan), cancelling=state.cancelling, warnings=state.warnings
            )
        )

    def ask_cancel(self) -> bool:
        """Note that its end was asked for; False where it has ended already."""
        return self._change(cancelling)

    def warn(self, *warnings: str) -> None:
        """Add to what people should know although the job goes on."""
        self._change(lambda state: replace(state, warnings=(*state.warnings, *warnings)))

    def set_queue_position(self, position: int | None, stuck_for: float | None = None) -> None:
        """So many prompts run before it; and for so many seconds nothing has moved, where that is long."""
        self._change(lambda state: waiting(state, position, stuck_for))

    def set_no_answer(self, seconds: float | None) -> None:
        """The server gives no answer, for so many seconds now; None once it answers again."""
        if self._state.progress.no_answer_for != seconds:
            self._change(lambda state: unanswered(state, seconds))

    def note_silence(self) -> None:
        """Nothing was heard of it for a while, although it runs."""
        self._change(quiet)

    def note_long_silence(self, seconds: float) -> None:
        """Nothing was heard of it for so many seconds that the server's worker may be dead, which nothing proves."""
        self._change(lambda state: silent(state, seconds))

    # The end

    def finish(
        self,
        status: JobStatus,
        *,
        outputs: Mapping[str, Any] | None = None,
        result: Result | None = None,
        error: Callable[[Result], ComfyError] | None = None,
    ) -> bool:
        """End it, once; False where another channel was first.

        Parameters
        ----------
        status : JobStatus
        outputs : dict, optional
            What the history has; it replaces what the events told.
        result : Result, optional
            In place of one that is made of these outputs.
        error : callable, optional
            Makes the error that it ends with, from the result as far as there is one.
        """
        with self._lock:
            if self._ended:
                return False
            self._ended = True
            self.ended_at = ended_at = time.time()
            before = self._state
            try:
                # The history has the last word, also where it names an expanded node by another id than the stream did.
                history = dict(outputs or {})
                told = {node: output for node, output in before.outputs.items() if output not in history.values()}
                if result is None:
                    result = self._make_result(status, {**told, **history}, ended_at)
                self._error = error(result) if error is not None else None
                self._result = result
            except Exception as why:
                logger.exception("the end of job %s could not be worked out", self._prompt_id)
                status = JobStatus.FAILED
                self._error = ComfyError(f"The result could not be worked out: {type(why).__name__}: {why}")
            self._state = after = finished(before, status, self._last_words(status))
        try:
            self._on_end(self)
        except Exception:
            logger.exception("what a job leaves behind could not be kept")
        finally:
            self._release(before, after)
        return True

    def finish_cancelled(self, outputs: Mapping[str, Any] | None = None) -> bool:
        """End it as cancelled; see `finish`."""
        by = "" if self.cancelling else " by somebody else"
        text = f"Job {self._prompt_id[:8]} was cancelled{by}; what it gave before is in the error's .result."
        return self.finish(
            JobStatus.CANCELLED,
            outputs=outputs,
            error=lambda result: JobCancelled(text, prompt_id=self._prompt_id, result=result),
        )

    def _make_result(self, status: JobStatus, outputs: Mapping[str, Any], ended_at: float) -> Result:
        return Result(
            self._prompt_id,
            self._prompt,
            status,
            outputs,
            ended_at - self.started_at if self.started_at is not None else None,
            self._state.warnings,
            self._fetch,
            self._streamed,
            self._drawn,
        )

    def _last_words(self, status: JobStatus) -> str:
        if status is JobStatus.CANCELLED:
            return "Cancelled"
        if self._error is not None or self._result is None:
            return str(self._error)
        return f"Done in {self._result.elapsed:.1f} s" if self._result.elapsed is not None else "Done"

    def _release(self, before: RunState, after: RunState) -> None:
        """Tell all who wait."""
        with self._lock:
            self._released.set()
            self._marked.set()
            callbacks, self._callbacks = self._callbacks, []
        self._publish_state(before, after)
        for callback in callbacks:
            try:
                callback()
            except Exception:
                logger.exception("a done callback failed")

    # How the news spreads

    def _take_preview(self, event: Preview) -> Preview:
        self._previews += 1
        node = event.display_node_id or self._state.progress.node
        event = replace(event, seq=self._previews, display_node_id=node)
        self._preview = event
        if self._state.plan.classes.get(node or "") == _STREAMS and event.mime == "image/png":
            # This node's images exist nowhere else: they are results, and not only previews.
            self._streamed = (*self._streamed, event.image)
        return event

    def _change(self, change: Callable[[RunState], RunState]) -> bool:
        with self._lock:
            if self._ended:
                return False
            before = self._state
            self._state = after = change(before)
        self._publish_state(before, after)
        return True

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
