"""Outstanding jobs and the two ways to learn of their end: the websocket, which is quick, and HTTP, which is true.

The connection's listener hands each event to the job it belongs to; `watch.Watch` asks where the listener may not know.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from ..protocol import (
    Event,
    Executed,
    Executing,
    ExecutionStart,
    FeatureFlags,
    Preview,
    ProgressText,
    Status,
    images_of,
)
from ._connection import Connection
from ._core import JobCore
from ._errors import ComfyError, ServerError
from ._ledger import Ledger, Tracked
from ._pace import Pace
from ._pool import Pool
from ._server_view import ServerView
from ._status import JobStatus
from ._watch import Watch

logger = logging.getLogger(__name__)

_SETTLE = 10.0
"""Seconds that the history of a job may take to be written once its end was told."""

Connect = Callable[[Callable[[Event], None], Callable[[bool], None]], Connection]


class Tracker:
    """All outstanding jobs of one client.

    Parameters
    ----------
    server : ServerView
        What to ask.
    pool : Pool
        Where settling runs.
    pace : Pace
    connect : callable
        Opens the websocket; takes what is called with each event and with each change.
    on_event : callable
        Called in the listener thread with each event, before it is routed.
    """

    def __init__(
        self, server: ServerView, pool: Pool, pace: Pace, connect: Connect, on_event: Callable[[Event], None]
    ) -> None:
        self.ledger = Ledger()
        self.connection: Connection | None = None
        self._server = server
        self._pool = pool
        self._connect = connect
        self._on_event = on_event
        self._watch = Watch(self.ledger, server, pool, pace, lambda: self.connection)
        self._closed = False
        self._negotiated = False
        self._speaking: str | None = None

    # Jobs come and go

    def add(self, record: Tracked) -> None:
        """Take a job in; before its POST, since messages can overtake the answer.

        Raises
        ------
        ComfyError
            The client is closed.
        """
        with self.ledger.condition:
            self._check_open()
            self.ledger.add(record)
        self._watch.start()

    def rekey(self, job: JobCore, prompt_id: str) -> None:
        """An old server gave the prompt an id of its own; what it said under that before has to be asked for."""
        self.ledger.rekey(job, prompt_id)
        self.ask_soon()

    def posted(self, job: JobCore) -> bool:
        """Whether the server may know an outstanding job by now."""
        with self.ledger.condition:
            record = self.ledger.records.get(job.prompt_id)
            return record is not None and record.posted

    def confirm(self, job: JobCore, doubt: ComfyError | None = None) -> None:
        """The POST was answered; or, with a doubt, it is not known whether it arrived and the watch must find out."""
        with self.ledger.condition:
            record = self.ledger.records.get(job.prompt_id)
            if record is not None:
                record.confirmed, record.doubt = doubt is None, doubt
        self._watch.positions_changed()
        if doubt is not None or not self.connected:
            self.ask_soon()

    def listen(self) -> Connection:
        """The websocket, opened where it is not yet; there is never a second one.

        Raises
        ------
        ComfyError
            The client is closed.
        """
        with self.ledger.condition:
            self._check_open()
            if self.connection is None:
                self.connection = self._connect(self._handle, self._changed)
            return self.connection

    @property
    def connected(self) -> bool:
        """Whether the websocket is open."""
        return self.connection is not None and self.connection.connected

    def ask_soon(self) -> None:
        """Let the watch ask the server now."""
        self._watch.ask_soon()

    def close(self) -> None:
        """Let all threads end. Jobs that are outstanding end as lost; they go on on the server."""
        with self.ledger.condition:
            self._closed = True
        if self.connection is not None:
            self.connection.close()
        for job in self.ledger.outstanding():
            self.ledger.lose(job, "the client was closed while it was outstanding; it may go on on the server")
        self._watch.close()

    def join(self, timeout: float) -> None:
        """After `close`, wait for what asks the server."""
        self._watch.join(timeout)

    def _check_open(self) -> None:
        if self._closed:
            raise ComfyError("This client is closed. Make a new ComfyClient.")

    # What the listener thread tells

    def _handle(self, event: Event) -> None:
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
        if record.job.handle(event):
            self._settle_soon(record)
        if isinstance(event, Executed) and not record.job.done():
            for file in images_of({event.node or "": event.output}):
                record.media.prefetch(file)

    def _changed(self, connected: bool) -> None:
        """The connection is open again, or lost; called in the listener thread."""
        self._negotiated = self._negotiated and not connected
        self.ask_soon()

    def _owner(self, event: Event) -> Tracked | None:
        """The job an event belongs to. Strangers' messages arrive too, and some messages carry no id at all."""
        if event.prompt_id is not None:
            return self.ledger.records.get(event.prompt_id)
        if isinstance(event, ProgressText):
            # Most servers say no id, but one prompt runs at a time.
            return self.ledger.records.get(self._speaking or "")
        if isinstance(event, Preview):
            # Once frames with ids were agreed on, one without must be a stranger's.
            return None if self._negotiated else self.ledger.records.get(self._speaking or "")
        if isinstance(event, Executing) and event.node is not None:
            # Sent again after a reconnect, and only to the owner of the running prompt.
            with self.ledger.condition:
                running = [r for r in self.ledger.records.values() if r.job.status is JobStatus.IN_PROGRESS]
                candidates = running or list(self.ledger.records.values())
            return candidates[0] if len(candidates) == 1 else None
        return None

    def _queue_changed(self) -> None:
        with self.ledger.condition:
            waiting = any(r.job.status is JobStatus.PENDING and r.confirmed for r in self.ledger.records.values())
        if waiting:
            self._watch.positions_changed()

    # The end of a job

    def _settle_soon(self, record: Tracked) -> None:
        with self.ledger.condition:
            if record.settling:
                return
            record.settling = True
        try:
            self._pool.submit(self._settle, record)
        except RuntimeError:
            record.settling = False

    def _settle(self, record: Tracked) -> None:
        """Fetch the history entry of a job whose end was told; it may be written a moment after the message."""
        job, pause = record.job, 0.02
        give_up = time.monotonic() + _SETTLE
        try:
            while not job.done() and not self._closed and time.monotonic() < give_up:
                marked = job.marked
                entry = self._server.history(job.prompt_id, _SETTLE)
                if entry is not None:
                    self.ledger.finish(record, entry)
                    return
                # The end marker comes after the entry was written: no entry after that means there is none.
                if marked:
                    break
                job.wait_marked(pause)
                pause = min(pause * 2, 1.0)
        except ServerError as error:
            logger.info("history of %s: %s; asked again later", job.prompt_id, error)
        except Exception:
            logger.exception("the history of %s could not be understood; asked again", job.prompt_id)
        record.settling = False
        self.ask_soon()
