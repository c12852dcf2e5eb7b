"""The watch: asks the server about outstanding jobs whenever the websocket is down, silent or just back.

It asks ``/queue`` and then ``/history``: a prompt moves from queue to history in one step, so one that is in neither
really is in neither. No HTTP error is ever read as "gone".
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from ..protocol import ExecutionStart, HistoryEntry, Queue
from ._connection import Connection
from ._errors import ServerError
from ._ledger import Ledger, Tracked
from ._status import JobStatus

logger = logging.getLogger(__name__)

_RACE_MARGIN = 0.25


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
    uncertain : float
        How long a prompt is looked for whose POST met a gateway's error or no answer: it may still be on its way.
    dead_worker : float
        How long a running job may be silent before the server's log is searched for a dead worker; and how long
        after it was cancelled before it is given up.
    """

    poll: float = 1.0
    silence: float = 5.0
    lost_after: float = 120.0
    gone: float = 1.0
    dead_worker: float = 60.0
    uncertain: float = 30.0


class Server(Protocol):
    """What the watch asks; each call raises `ServerError` where the server does not answer."""

    def queue(self) -> Queue: ...

    def history(self, prompt_id: str) -> HistoryEntry | None: ...

    def interrupt(self, prompt_id: str) -> None: ...

    def worker_died(self) -> bool:
        """Whether the server's log tells of the end of its worker thread."""
        ...

    @property
    def process_ended(self) -> Callable[[], bool]:
        """Tells whether the server's process is known to have ended."""
        ...


class Watch:
    """One daemon thread, from the first job to `close`.

    Parameters
    ----------
    ledger : Ledger
    server : Server
    pace : Pace
    connection : callable
        Gives the websocket, or None while there is none.
    """

    def __init__(self, ledger: Ledger, server: Server, pace: Pace, connection: Callable[[], Connection | None]) -> None:
        self._ledger = ledger
        self._server = server
        self._pace = pace
        self._connection = connection
        self._condition = ledger.condition
        self._asap = False
        self._stale_since: float | None = None
        self._closed = False
        self._unreachable_since: float | None = None
        self._last_round = 0.0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, where it does not run yet."""
        with self._condition:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="comfy-watch", daemon=True)
                self._thread.start()

    def ask_soon(self) -> None:
        """Ask the server now."""
        with self._condition:
            self._asap = True
            self._condition.notify()

    def positions_changed(self) -> None:
        """The queue moved: places of jobs that wait are to be asked for, but not at once, for most start at once."""
        with self._condition:
            self._stale_since = self._stale_since or time.monotonic()
            self._condition.notify()

    def close(self) -> None:
        """Let the thread end."""
        with self._condition:
            self._closed = True
            self._condition.notify()

    def join(self, timeout: float) -> None:
        """After `close`, wait for the thread."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _run(self) -> None:
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
        records = [r for r in self._ledger.records.values() if r.posted]
        if not records:
            return None
        if self._asap:
            return max(now, self._last_round + 0.05)
        due = []
        if not any(r.job.status is JobStatus.PENDING for r in records):
            self._stale_since = None
        if self._stale_since is not None:
            due.append(max(self._last_round + 0.5, self._stale_since + 0.2))
        unsure = any(r.missing_since is not None or r.doubt is not None or r.job.cancelling for r in records)
        if unsure or not self._connected():
            due.append(self._last_round + self._pace.poll)
        connection = self._connection()
        heard = connection.last_message if connection is not None else 0.0
        # A run may be over although others are still heard.
        quietest = min([heard, *(r.last_event for r in records if r.job.status is JobStatus.IN_PROGRESS)])
        due.append(max(quietest, self._last_round) + self._pace.silence)
        return min(due)

    def _round(self) -> None:
        """Ask once, about all outstanding jobs."""
        asked = time.monotonic()
        with self._condition:
            records = [r for r in self._ledger.records.values() if r.posted and not r.settling]
        try:
            queue = self._server.queue()
        except ServerError as error:
            if error.status is not None:
                # Where only the queue cannot be read, an entry in the history still is the end.
                records = [record for record in records if not self._in_history(record)]
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
                if record.in_queue == "pending" and where == "running" and job.status is JobStatus.PENDING:
                    deaf |= self._unheard_since(asked - self._pace.silence)
                record.in_queue = where
                item = queue.find(job.prompt_id)
                job.learn(item.prompt if item is not None else {})
                if where == "running":
                    self._runs(record, asked)
                else:
                    job.set_queue_position(position)
                continue
            found = self._in_history(record)
            if found:
                # A socket that hears would have told of the end by now.
                deaf |= self._unheard_since(max(record.added, asked - _RACE_MARGIN))
            elif found is not None:
                self._missing(record, asked)
        connection = self._connection()
        if deaf and connection is not None:
            logger.info("websocket: open, but the server moved on and it said nothing; replaced")
            connection.reconnect()

    def _in_history(self, record: Tracked) -> bool | None:
        """End a job that the history has; None where the history gives no answer."""
        job = record.job
        try:
            entry = self._server.history(job.prompt_id)
        except ServerError as error:
            now = time.monotonic()
            record.unread_since = record.unread_since or now
            if now - record.unread_since > self._pace.lost_after:
                self._ledger.lose(
                    job,
                    f"it has left the queue, but its history could not be read for {self._pace.lost_after:g} s "
                    f"({error}). What the server told before is in the error's .result",
                )
            return None
        record.unread_since = None
        if entry is None:
            return False
        record.settling = True
        self._ledger.finish(record, entry)
        return True

    def _connected(self) -> bool:
        connection = self._connection()
        return connection is not None and connection.connected

    def _unheard_since(self, moment: float) -> bool:
        """Whether a open socket brought nothing, not even the status that a new prompt gives to everybody."""
        connection = self._connection()
        return connection is not None and connection.connected and connection.last_message < moment

    def _runs(self, record: Tracked, asked: float) -> None:
        job = record.job
        if job.status is JobStatus.PENDING:
            job.handle(ExecutionStart(prompt_id=job.prompt_id))
        if job.cancelling and record.cancelling_since is None:
            record.cancelling_since = record.interrupted = asked
        elif job.cancelling and asked - record.interrupted > self._pace.silence:
            # A server forgets an interrupt that comes just before it begins the prompt.
            record.interrupted = asked
            with suppress(ServerError):
                self._server.interrupt(job.prompt_id)
        silent = asked - record.last_event
        if silent > self._pace.silence and not job.cancelling:
            job.note_silence()
        if silent <= self._pace.dead_worker:
            return
        if self._server.worker_died():
            self._ledger.lose(
                job,
                "the server's worker thread has died: the job stands in the queue as running, but nothing runs any "
                "more. Restart ComfyUI",
            )
        elif record.cancelling_since is not None and asked - record.cancelling_since > self._pace.dead_worker:
            self._ledger.lose(
                job,
                f"it did not end although it was cancelled {asked - record.cancelling_since:.0f} s ago, and nothing "
                "is heard of it. Either the server's worker thread has died, and ComfyUI must be restarted, or its "
                "node cannot be interrupted and will run to its end",
            )

    def _missing(self, record: Tracked, asked: float) -> None:
        """In neither queue nor history; only a second such answer, some time later, means gone."""
        job = record.job
        if record.missing_since is None:
            # From the answer on, so that the second question comes late enough however slow this one was.
            record.missing_since = time.monotonic()
            if job.cancelling and record.confirmed and job.status is JobStatus.PENDING:
                # Taken from the queue: no message will come, and there is nothing more to ask.
                self._ledger.end(job, job.finish_cancelled)
            return
        if asked - record.missing_since < self._pace.gone:
            return
        if record.doubt is not None:
            self._ledger.fail(job, record.doubt)
        elif job.cancelling:
            self._ledger.end(job, job.finish_cancelled)
        else:
            self._ledger.lose(
                job,
                "the server knows it neither in its queue nor in its history: it was restarted, or somebody deleted "
                "the job. Files that were written before may be in its output folder; submit it again if not",
            )

    def _no_answer(self, records: list[Tracked], error: ServerError, asked: float) -> None:
        since = self._unreachable_since = self._unreachable_since or asked
        if self._server.process_ended():
            reason = "the server process has ended"
        elif time.monotonic() - since > self._pace.lost_after:
            gave = "did not answer" if error.status is None else "gave no usable answer"
            reason = (
                f"the server {gave} for {self._pace.lost_after:g} s ({error}); if it comes back, "
                "client.attach(prompt_id) finds the job again"
            )
        else:
            return
        for record in records:
            self._ledger.lose(record.job, reason)
