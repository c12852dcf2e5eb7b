"""Outstanding jobs and the two ways to learn of their end: the websocket, which is quick, and HTTP, which is true.

Two threads: the connection's listener hands each event to the job it belongs to; the watch asks ``/queue`` and then
``/history`` whenever the socket is down, silent or just back. Queue first: a prompt moves from queue to history in one
step, so one that is in neither really is in neither. No HTTP error is ever read as "gone".
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from ..protocol import (
    Event,
    Executing,
    ExecutionStart,
    ExecutionSuccess,
    FeatureFlags,
    HistoryEntry,
    Preview,
    Queue,
    Status,
)
from ..protocol.replies import File
from .connection import Connection
from .errors import ComfyError, ExecutionFailed, JobLost, ServerError
from .job import Job

logger = logging.getLogger("comfy_widgets")

_A_MOMENT = 0.25


@dataclass(frozen=True)
class Pace:
    """How often the watch asks, in seconds.

    Attributes
    ----------
    poll : float
        While the websocket is down.
    silence : float
        How long the websocket may say nothing, with work outstanding, before the watch asks.
    lost_after : float
        How long the server may be unreachable before an outstanding job is given up; its id stays good.
    gone : float
        The least time between the two answers that together mean "gone".
    dead_worker : float
        How long a running job may be silent before the server's log is searched for a dead worker.
    """

    poll: float = 1.0
    silence: float = 5.0
    lost_after: float = 120.0
    gone: float = 1.0
    dead_worker: float = 60.0


@dataclass
class _Record:
    """What the watch knows of a job."""

    job: Job
    confirmed: bool = False
    doubt: ComfyError | None = None
    missing_since: float | None = None
    told: bool = False
    settling: bool = False
    added: float = field(default_factory=time.monotonic)
    last_event: float = 0.0
    in_queue: str = ""


class Tracker:
    """All outstanding jobs of one client.

    Parameters
    ----------
    queue, history : callable
        Ask the server; raise `ServerError` where it does not answer.
    dead_worker : callable
        Whether the server's log tells of a dead worker.
    files_wanted : callable
        Which files of a finished job to fetch before it counts as done.
    pool : Executor
        Where settling runs.
    on_event : callable
        Called in the listener thread with each event, before it is routed.
    """

    def __init__(
        self,
        *,
        queue: Callable[[], Queue],
        history: Callable[[str], HistoryEntry | None],
        dead_worker: Callable[[], bool],
        files_wanted: Callable[[HistoryEntry], list[File]],
        pool: Executor,
        pace: Pace,
        on_event: Callable[[Event], None],
    ) -> None:
        self._queue = queue
        self._history = history
        self._dead_worker = dead_worker
        self._files_wanted = files_wanted
        self._pool = pool
        self._pace = pace
        self._on_event = on_event
        self._records: dict[str, _Record] = {}
        self._condition = threading.Condition()
        self._asap = False
        self._stale_since: float | None = None
        self._closed = False
        self._negotiated = False
        self._speaking: str | None = None
        self._unreachable_since: float | None = None
        self._last_round = 0.0
        self._thread: threading.Thread | None = None
        self.connection: Connection | None = None
        self.server_dead: Callable[[], bool] = lambda: False

    # Jobs come and go

    def add(self, job: Job) -> None:
        """Take a job in; before its POST, since messages can overtake the answer."""
        with self._condition:
            self._records[job.prompt_id] = _Record(job, last_event=time.monotonic())
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._watch, name="comfy-watch", daemon=True)
                self._thread.start()

    def rekey(self, job: Job, prompt_id: str) -> None:
        """An old server gave the prompt an id of its own."""
        with self._condition:
            record = self._records.pop(job.prompt_id, None)
            job._prompt_id = prompt_id
            if record is not None:
                self._records[prompt_id] = record
        self.ask_soon()

    def confirm(self, job: Job, doubt: ComfyError | None = None) -> None:
        """The POST was answered; or, with a doubt, it is not known whether it arrived and the watch must find out."""
        with self._condition:
            record = self._records.get(job.prompt_id)
            if record is not None:
                record.confirmed, record.doubt = doubt is None, doubt
                self._stale_since = self._stale_since or time.monotonic()
        if doubt is not None or not self.connected:
            self.ask_soon()
        else:
            self._wake()

    def find(self, prompt_id: str) -> Job | None:
        """The outstanding job with this id."""
        record = self._records.get(prompt_id)
        return record.job if record is not None and not record.job.done() else None

    def outstanding(self) -> list[Job]:
        """Jobs that have not ended."""
        with self._condition:
            return [record.job for record in self._records.values()]

    def listen(self, url: str, **options: Any) -> Connection:
        """The websocket, opened where it is not yet; there is never a second one."""
        with self._condition:
            if self.connection is None:
                self.connection = Connection(url, on_event=self.handle, on_change=self.changed, **options)
            return self.connection

    @property
    def connected(self) -> bool:
        """Whether the websocket stands."""
        return self.connection is not None and self.connection.connected

    def ask_soon(self) -> None:
        """Let the watch ask the server now."""
        with self._condition:
            self._asap = True
            self._condition.notify()

    def close(self) -> None:
        """End both threads. Jobs that are outstanding end as lost; they go on on the server."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        if self.connection is not None:
            self.connection.close()
        for job in self.outstanding():
            self._lose(job, "the client was closed while it was outstanding; it may go on on the server")
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    # What the listener thread tells

    def handle(self, event: Event) -> None:
        """Route one event; called in the listener thread."""
        if isinstance(event, FeatureFlags):
            self._negotiated = event.flags.get("supports_preview_metadata") is True
        self._on_event(event)
        if isinstance(event, Status):
            self._queue_changed()
            return
        record = self._owner(event)
        if record is None:
            return
        record.last_event = time.monotonic()
        if isinstance(event, (ExecutionStart, Executing)):
            self._speaking = record.job.prompt_id if not isinstance(event, Executing) or event.node else None
        if record.job._handle(event):
            self._settle_soon(record)

    def changed(self, connected: bool) -> None:
        """The line stands again, or is lost; called in the listener thread."""
        self._negotiated = self._negotiated and not connected
        self.ask_soon()

    def _owner(self, event: Event) -> _Record | None:
        """The job an event belongs to. Strangers' messages arrive too, and some messages carry no id at all."""
        if event.prompt_id is not None:
            return self._records.get(event.prompt_id)
        if isinstance(event, Preview):
            # Once frames with ids were agreed on, one without must be a stranger's.
            return None if self._negotiated else self._records.get(self._speaking or "")
        if isinstance(event, Executing) and event.node is not None:
            # Sent again after a reconnect, and only to the owner of the running prompt.
            with self._condition:
                running = [r for r in self._records.values() if r.job.status == "in_progress"]
                candidates = running or list(self._records.values())
            return candidates[0] if len(candidates) == 1 else None
        return None

    def _queue_changed(self) -> None:
        with self._condition:
            if any(record.job.status == "pending" and record.confirmed for record in self._records.values()):
                self._stale_since = self._stale_since or time.monotonic()
                self._condition.notify()

    def _wake(self) -> None:
        with self._condition:
            self._condition.notify()

    # The watch

    def _watch(self) -> None:
        while True:
            with self._condition:
                while not self._closed:
                    now = time.monotonic()
                    due = self._due(now)
                    if due is not None and due <= now:
                        break
                    self._condition.wait(None if due is None else due - now)
                if self._closed:
                    return
                self._asap, self._stale_since = False, None
                self._last_round = time.monotonic()
            try:
                self._round()
            except Exception:
                logger.exception("the watch failed once; it goes on")

    def _due(self, now: float) -> float | None:
        """When to ask next; None while nothing is out."""
        records = [r for r in self._records.values() if r.confirmed or r.doubt is not None]
        if not records:
            return None
        if self._asap:
            return max(now, self._last_round + 0.05)
        due = []
        if self._stale_since is not None and any(r.job.status == "pending" for r in records):
            # Most jobs start at once, and need no place in the queue.
            due.append(max(self._last_round + 0.5, self._stale_since + 0.2))
        if any(r.missing_since is not None or r.doubt is not None for r in records) or not self.connected:
            due.append(self._last_round + self._pace.poll)
        assert self.connection is not None or not self.connected
        heard = self.connection.last_message if self.connection is not None else 0.0
        due.append(max(heard, self._last_round) + self._pace.silence)
        return min(due)

    def _round(self) -> None:
        """Ask once, about all outstanding jobs."""
        asked = time.monotonic()
        with self._condition:
            records = [r for r in self._records.values() if (r.confirmed or r.doubt is not None) and not r.settling]
        try:
            queue = self._queue()
        except ServerError as error:
            self._no_answer(records, error, asked)
            return
        self._unreachable_since = None
        deaf = False
        for record in records:
            job = record.job
            position = queue.position(job.prompt_id)
            if position is not None:
                record.confirmed, record.doubt, record.missing_since = True, None, None
                where = "running" if queue.running(job.prompt_id) else "pending"
                if record.in_queue == "pending" and where == "running" and job.status == "pending":
                    deaf |= self._unheard_since(asked - self._pace.silence)
                record.in_queue = where
                if where == "running":
                    self._runs(record, asked)
                else:
                    job._queue_position(position)
                continue
            try:
                entry = self._history(job.prompt_id)
            except ServerError as error:
                logger.info("history of %s: %s", job.prompt_id, error)
                continue
            if entry is not None:
                # A socket that hears would have told of the end by now.
                deaf |= self._unheard_since(max(record.added, asked - _A_MOMENT))
                record.settling = True
                self._finish(record, entry)
            else:
                self._missing(record, asked)
        if deaf and self.connection is not None:
            logger.info("websocket: open, but the server moved on and it said nothing; replaced")
            self.connection.reconnect()

    def _unheard_since(self, moment: float) -> bool:
        """Whether a socket that stands brought nothing, not even the status that a new prompt gives to everybody."""
        return self.connection is not None and self.connected and self.connection.last_message < moment

    def _runs(self, record: _Record, asked: float) -> None:
        job = record.job
        if job.status == "pending":
            job._handle(ExecutionStart(prompt_id=job.prompt_id))
        silent = asked - record.last_event
        if silent > self._pace.dead_worker and self._dead_worker():
            self._lose(
                job,
                "the server's worker thread has died: the job stands in the queue as running, but nothing runs any "
                "more. Restart ComfyUI",
            )

    def _missing(self, record: _Record, asked: float) -> None:
        """In neither queue nor history; only a second such answer, some time later, means gone."""
        job = record.job
        if record.missing_since is None:
            record.missing_since = asked
            if job._cancel_asked and record.confirmed and job.status == "pending":
                # Taken from the queue: no message will come, and there is nothing more to ask.
                self.end(job, job._finish_cancelled)
            return
        if asked - record.missing_since < self._pace.gone:
            return
        if record.doubt is not None:
            doubt = record.doubt
            self.end(job, lambda: job._finish("failed", error=lambda _: doubt))
        elif job._cancel_asked:
            self.end(job, job._finish_cancelled)
        else:
            self._lose(
                job,
                "the server knows it neither in its queue nor in its history: it was restarted, or somebody deleted "
                "the job. Files that were written before may be in its output folder; submit it again if not",
            )

    def _no_answer(self, records: list[_Record], error: ServerError, asked: float) -> None:
        since = self._unreachable_since = self._unreachable_since or asked
        if self.server_dead():
            reason = "the server process has ended"
        elif time.monotonic() - since > self._pace.lost_after:
            reason = (
                f"the server did not answer for {self._pace.lost_after:g} s ({error}); if it comes back, "
                "client.attach(prompt_id) finds the job again"
            )
        else:
            return
        for record in records:
            self._lose(record.job, reason)

    # The end of a job

    def _settle_soon(self, record: _Record) -> None:
        with self._condition:
            if record.settling:
                return
            record.settling = True
        try:
            self._pool.submit(self._settle, record)
        except RuntimeError:
            record.settling = False

    def _settle(self, record: _Record) -> None:
        """Fetch the history entry of a job whose end was told; it may be written a moment after the message."""
        job, pause = record.job, 0.02
        give_up = time.monotonic() + 10.0
        try:
            while not job.done() and not self._closed and time.monotonic() < give_up:
                entry = self._history(job.prompt_id)
                if entry is not None:
                    self._finish(record, entry)
                    return
                # The end marker comes after the entry was written: no need to wait longer than for that.
                if not job._marker.is_set():
                    job._marker.wait(pause)
                else:
                    time.sleep(pause)
                pause = min(pause * 2, 1.0)
        except ServerError as error:
            logger.info("history of %s: %s; asked again later", job.prompt_id, error)
        record.settling = False
        self.ask_soon()

    def _finish(self, record: _Record, entry: HistoryEntry) -> None:
        job, outcome = record.job, entry.outcome

        def end() -> bool:
            if outcome == "completed":
                return job._finish("completed", outputs=entry.outputs)
            if outcome == "cancelled":
                return job._finish_cancelled(entry.outputs)
            return job._finish("failed", outputs=entry.outputs, error=lambda result: _failure(job, entry, result))

        if outcome == "completed" and job._state.ending is None:
            job._handle(ExecutionSuccess(prompt_id=job.prompt_id))
        job._media.when_fetched(self._files_wanted(entry), lambda: self.end(job, end))

    def end(self, job: Job, end: Callable[[], bool]) -> None:
        """End a job by ``end``, unless another channel was first, and forget it."""
        end()
        with self._condition:
            record = self._records.get(job.prompt_id)
            # Somebody may have attached to the same prompt meanwhile.
            if record is not None and record.job is job:
                del self._records[job.prompt_id]

    def _lose(self, job: Job, reason: str) -> None:
        text = f"Job {job.prompt_id} is lost: {reason}."
        self.end(
            job,
            lambda: job._finish("lost", error=lambda result: JobLost(text, prompt_id=job.prompt_id, result=result)),
        )


def _failure(job: Job, entry: HistoryEntry, result: object) -> ExecutionFailed:
    from .result import Result

    assert isinstance(result, Result)
    error = entry.error
    if error is None:
        return ExecutionFailed(
            f"Job {job.prompt_id[:8]} failed on the server, which does not say why; its log may.",
            prompt_id=job.prompt_id,
            result=result,
        )
    title = job._state.plan.titles.get(error.node_id or "") or error.node_type or "A node"
    kind = error.exception_type.rpartition(".")[2]
    where = f"{title} ({error.node_type}, node {error.node_id})" if title != error.node_type else title
    return ExecutionFailed(
        f"{where} failed: {kind}: {error.exception_message}",
        prompt_id=job.prompt_id,
        result=result,
        node_id=error.node_id,
        node_title=title,
        node_type=error.node_type,
        exception_type=error.exception_type,
        exception_message=error.exception_message,
        traceback=error.traceback,
    )
