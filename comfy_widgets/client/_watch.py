"""The watch: asks the server about outstanding jobs whenever the websocket is down, silent or just back.

It asks ``/queue`` and then ``/history``: a prompt moves from queue to history in one step, so one that is in neither
really is in neither. No HTTP error is ever read as "gone". It asks in threads of the pool, so that one slow answer
holds up no other job, and says meanwhile for how long nothing was heard.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from ..protocol import ComfyError, ExecutionStart, Queue
from ._connection import Connection
from ._errors import ServerError, ServerUnreachable
from ._ledger import Ledger, Tracked
from ._pace import Pace, may_still_come
from ._pool import Pool
from ._server_view import ServerView
from ._status import JobStatus

logger = logging.getLogger(__name__)

_RACE_MARGIN = 0.25
_PATIENCE = 1.5
"""Seconds that a question may take before people are told that no answer comes."""
_LEAST = 0.2
"""Seconds that every question has, however little is left of `Pace.lost_after`."""
_MAX_FAILURES = 3


class Watch:
    """One daemon thread, from the first job to `close`.

    Parameters
    ----------
    ledger : Ledger
    server : ServerView
    pool : Pool
        Where it asks.
    pace : Pace
    connection : callable
        Gives the websocket, or None while there is none.
    """

    def __init__(
        self,
        ledger: Ledger,
        server: ServerView,
        pool: Pool,
        pace: Pace,
        connection: Callable[[], Connection | None],
    ) -> None:
        self._ledger = ledger
        self._server = server
        self._pool = pool
        self._pace = pace
        self._connection = connection
        self._condition = ledger.condition
        self._asap = False
        self._stale_since: float | None = None
        self._closed = False
        self._asking_since: float | None = None
        self._unreachable_since: float | None = None
        self._answered = time.monotonic()
        self._head: tuple[frozenset[str], str | None] = (frozenset(), None)
        self._head_since = time.monotonic()
        self._last_round = 0.0
        self._told_silence = 0.0
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

    # When to ask

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._closed:
                    now = time.monotonic()
                    due = self._due(now) if self._asking_since is None else None
                    if due is not None and due <= now:
                        break
                    tick = self._next_tick(now)
                    if tick is not None and tick <= now:
                        break
                    times = [at for at in (due, tick) if at is not None]
                    self._condition.wait(min(times) - now if times else None)
                if self._closed:
                    return
                ask = due is not None and due <= now
                if ask:
                    self._asap, self._stale_since = False, None
                    self._last_round = self._asking_since = now
            try:
                self._tell_silence(now)
                if ask:
                    self._pool.submit(self._ask)
            except RuntimeError:
                # The client is being closed.
                return

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
        if unsure or self._unreachable_since is not None or not self._connected():
            due.append(self._last_round + self._pace.poll)
        connection = self._connection()
        heard = connection.last_message if connection is not None else 0.0
        # A run may be over although others are still heard.
        quietest = min([heard, *(r.last_event for r in records if r.job.status is JobStatus.IN_PROGRESS)])
        due.append(max(quietest, self._last_round) + self._pace.silence)
        return min(due)

    # What people are told while no answer comes

    def _next_tick(self, now: float) -> float | None:
        """When to say again for how long nothing was heard."""
        if self._unreachable_since is None and self._asking_since is None:
            return None
        if self._unreachable_since is None and self._asking_since is not None:
            first = self._asking_since + _PATIENCE
            if now < first:
                return first
        return self._told_silence + 1.0

    def _tell_silence(self, now: float) -> None:
        since = self._unreachable_since
        asking = self._asking_since
        if since is None and (asking is None or now - asking < _PATIENCE):
            return
        self._told_silence = now
        connection = self._connection()
        heard = max(self._answered, connection.last_message if connection is not None else 0.0)
        for record in self._posted():
            # From when it was added on: before that nothing was to be heard.
            silent = now - max(heard, record.added)
            record.job.set_no_answer(round(silent) if silent >= _PATIENCE else None)

    def _posted(self) -> list[Tracked]:
        with self._condition:
            return [r for r in self._ledger.records.values() if r.posted and not r.settling]

    def _seconds(self) -> float:
        """How long the next question may take: there should be some until the server counts as lost."""
        since = self._unreachable_since
        left = self._pace.lost_after - (0.0 if since is None else time.monotonic() - since)
        return max(_LEAST, min(left, max(1.0, self._pace.lost_after / 2)))

    # Asking

    def _ask(self) -> None:
        try:
            self._round()
        except Exception:
            logger.exception("the watch failed once; it goes on")
        finally:
            with self._condition:
                self._asking_since = None
                self._condition.notify()

    def _round(self) -> None:
        """Ask once, about all outstanding jobs."""
        asked = time.monotonic()
        records = self._posted()
        try:
            queue = self._server.queue(self._seconds())
        except ServerError as error:
            # Where only the queue cannot be read, an entry in the history still is the end.
            if not self._no_answer(error, asked) and not isinstance(error, ServerUnreachable):
                for record in records:
                    self._ask_history(record, asked, None)
            return
        self._answered, self._unreachable_since = time.monotonic(), None
        stuck = self._stuck(queue, asked)
        dead: list[Tracked] = []
        deaf = False
        for record in records:
            try:
                record.job.set_no_answer(None)
                position = queue.position(record.job.prompt_id)
                if position is None:
                    self._ask_history(record, asked, queue)
                    continue
                deaf |= self._in_queue(record, queue, position, asked, stuck)
                if stuck is not None and record.job.status is JobStatus.PENDING:
                    dead.append(record)
            except Exception:
                self._not_understood(record)
        if deaf:
            self._reconnect()
        if dead and stuck is not None:
            self._waiting_for_nothing(dead, queue, stuck)

    def _ask_history(self, record: Tracked, asked: float, queue: Queue | None) -> None:
        """Ask in a thread of its own, so that one slow answer holds up no other job."""
        if not record.asking:
            record.asking = True
            try:
                self._pool.submit(self._look_in_history, record, asked, queue is not None)
            except RuntimeError:
                record.asking = False

    def _look_in_history(self, record: Tracked, asked: float, left_the_queue: bool) -> None:
        try:
            found = self._in_history(record)
            # A socket that hears would have told of the end by now.
            if found and self._unheard_since(max(record.added, asked - _RACE_MARGIN)):
                self._reconnect()
            elif found is False and left_the_queue:
                self._missing(record, asked)
        except Exception:
            self._not_understood(record)
        finally:
            record.asking = False
            if record.missing_since is not None:
                with self._condition:
                    self._condition.notify()

    def _in_history(self, record: Tracked) -> bool | None:
        """End a job that the history has; None where the history gives no answer."""
        job = record.job
        try:
            entry = self._server.history(job.prompt_id, self._seconds())
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

    def _not_understood(self, record: Tracked) -> None:
        """What the server says of one job makes no sense: that costs this job alone."""
        logger.exception("what the server says of job %s cannot be understood", record.job.prompt_id)
        record.failures, record.settling = record.failures + 1, False
        if record.failures >= _MAX_FAILURES:
            text = f"What the server says of job {record.job.prompt_id} cannot be understood; the log of comfy_widgets"
            self._ledger.fail(record.job, ComfyError(f"{text} has the details."))

    # The connection

    def _connected(self) -> bool:
        connection = self._connection()
        return connection is not None and connection.connected

    def _unheard_since(self, moment: float) -> bool:
        """Whether an open socket brought nothing, not even the status that a new prompt gives to everybody."""
        connection = self._connection()
        return connection is not None and connection.connected and connection.last_message < moment

    def _reconnect(self) -> None:
        connection = self._connection()
        if connection is not None:
            logger.info("websocket: open, but the server moved on and it said nothing; replaced")
            connection.reconnect()

    # What the answers mean

    def _in_queue(self, record: Tracked, queue: Queue, position: int, asked: float, stuck: float | None) -> bool:
        """It runs or waits; tells whether the websocket should have told so."""
        job = record.job
        record.confirmed, record.doubt, record.missing_since = True, None, None
        where = "running" if queue.running(job.prompt_id) else "pending"
        moved = record.in_queue == "pending" and where == "running" and job.status is JobStatus.PENDING
        record.in_queue = where
        item = queue.find(job.prompt_id)
        job.learn(item.prompt if item is not None else {})
        if where == "running":
            self._runs(record, asked)
        else:
            job.set_queue_position(position, stuck)
        return moved and self._unheard_since(asked - self._pace.silence)

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
                self._server.interrupt(job.prompt_id, self._seconds())
        silent = asked - record.last_event
        if silent > self._pace.silence and not job.cancelling:
            job.note_silence()
        if silent <= self._pace.dead_worker:
            return
        if self._server.worker_died(job.started_at or job.submitted_at, self._seconds()):
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
        elif not job.cancelling:
            job.note_long_silence(round(silent))

    def _stuck(self, queue: Queue, asked: float) -> float | None:
        """For how long nothing has moved in the queue, where that is long; what we hear of a run is a move too."""
        running = frozenset(item.prompt_id for item in queue.queue_running)
        head = (running, queue.queue_pending[0].prompt_id if queue.queue_pending else None)
        if head != self._head:
            self._head, self._head_since = head, asked
        with self._condition:
            events = [r.last_event for r in self._ledger.records.values() if r.job.prompt_id in running]
        still = asked - max([self._head_since, *events])
        return still if still > self._pace.dead_worker else None

    def _waiting_for_nothing(self, records: list[Tracked], queue: Queue, stuck: float) -> None:
        """End jobs that wait behind a worker that has died."""
        if not queue.queue_running:
            reason = f"prompts have waited for {stuck:.0f} s although nothing runs, so"
        elif self._server.worker_died(None, self._seconds()):
            reason = f"nothing has moved in the queue for {stuck:.0f} s, and the server's log says that"
        else:
            return
        for record in records:
            self._ledger.lose(record.job, f"{reason} its worker thread has died. Restart ComfyUI")

    def _missing(self, record: Tracked, asked: float) -> None:
        """In neither queue nor history; only a second such answer, some time later, means gone."""
        job = record.job
        if record.moving:
            return
        if record.missing_since is None:
            # From the answer on, so that the second question comes late enough however slow this one was.
            record.missing_since = time.monotonic()
            if job.cancelling and record.confirmed and job.status is JobStatus.PENDING:
                # Taken from the queue: no message will come, and there is nothing more to ask.
                self._ledger.end(job, job.finish_cancelled)
            return
        missing = asked - record.missing_since
        if missing < self._pace.gone:
            return
        if record.doubt is not None:
            self._doubtful(record, record.doubt, missing)
        elif job.cancelling:
            self._ledger.end(job, job.finish_cancelled)
        else:
            self._ledger.lose(
                job,
                "the server knows it neither in its queue nor in its history: it was restarted, or somebody deleted "
                "the job. Files that were written before may be in its output folder; submit it again if not",
            )

    def _doubtful(self, record: Tracked, doubt: ComfyError, missing: float) -> None:
        """It never showed; how long that has to be so depends on what its POST met."""
        if not may_still_come(doubt):
            self._ledger.fail(record.job, doubt)
        elif missing >= self._pace.uncertain:
            self._ledger.lose(
                record.job,
                f"it is uncertain whether the server took it ({doubt}), and for {missing:.0f} s it was neither in the "
                "queue nor in the history. Submitted again it may run twice; client.attach(prompt_id) finds it, should "
                "it come after all",
            )

    def _no_answer(self, error: ServerError, asked: float) -> bool:
        """Give the jobs up once this has lasted too long; tells whether it has."""
        since = self._unreachable_since = self._unreachable_since or asked
        silent = time.monotonic() - since
        if self._server.process_ended():
            reason = "the server process has ended"
        elif silent >= self._pace.lost_after:
            gave = "did not answer" if error.status is None else "gave no usable answer"
            reason = (
                f"the server {gave} for {silent:.0f} s ({error}); if it comes back, client.attach(prompt_id) finds the "
                "job again"
            )
        else:
            return False
        for record in self._posted():
            # One that is just being asked for may have ended.
            if not record.asking:
                self._ledger.lose(record.job, reason)
        return True
