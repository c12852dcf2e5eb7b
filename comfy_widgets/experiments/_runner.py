"""Runs cells: each claimed before it is sent, each result kept before the next is asked for.

There is no thread here. The first prompts are sent by whoever starts it, all others by the thread of the client's
listeners, when a job has ended. When and where each cell runs is decided by `Places`.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from ..client import FileGone, JobError, JobStatus, ServerError
from ..protocol import ComfyError
from ._cell import Cell
from ._errors import ExperimentError
from ._keep import keep_failure, keep_result
from ._places import Client, OneServer, Places
from ._store import Store
from ._timings import Stopwatch, Timings

if TYPE_CHECKING:
    from ..client import Job

logger = logging.getLogger(__name__)

Status = Literal["ready", "running", "paused", "completed", "cancelled"]

_TRIES = 3


@dataclass
class _Out:
    """A cell on the server."""

    cell: Cell
    watch: Stopwatch = field(default_factory=Stopwatch)
    job: Job | None = None
    adopted: bool = False
    stopped: bool = False
    unclaimed: Exception | None = None


class Runner:
    """Brings cells to a server and their results into the store.

    Parameters
    ----------
    client : Client
    store : Store
    timings : Timings
    changed : callable
        Called with a cell whose state has changed, and with None when the experiment's own has.
    more : callable, optional
        Gives another cell when all are done, or None.
    name : str
        Of the experiment.
    """

    def __init__(
        self,
        client: Client,
        store: Store,
        timings: Timings,
        changed: Callable[[Cell | None], object],
        more: Callable[[], Cell | None] = lambda: None,
        name: str = "sweep",
    ) -> None:
        self.client = client
        self.condition = threading.Condition()
        self.status: Status = "ready"
        self.error: ExperimentError | None = None
        self._store = store
        self._timings = timings
        self._changed = changed
        self._more = more
        make: Callable[..., Places] = getattr(client, "places_for", partial(OneServer, client))
        self._places = make(self._begin, name)
        self._out: dict[str, _Out] = {}
        self._twins: list[Cell] = []
        self._forced: set[str] = set()
        self._last_end: float | None = None

    # What is asked for

    def add(self, cells: Iterable[Cell], *, front: bool = False, force: bool = False) -> None:
        """Take cells in; with ``force`` they run although their results are known."""
        with self.condition:
            listed = list(cells)
            if force:
                self._forced.update(cell.key for cell in listed)
            self._places.put(listed, front=front)
            if self.status == "completed" and listed:
                self.status = "running"
        if self.status == "running":
            self._fill()

    def start(self) -> None:
        """Begin, or go on."""
        with self.condition:
            if self.status in ("completed", "running"):
                return
            self.status, self.error = "running", None
            self._places.pause(False)
        self._changed(None)
        self._fill()

    def pause(self, *, now: bool = False, error: ExperimentError | None = None) -> None:
        """Send nothing more; with ``now`` also stop what is on the server."""
        with self.condition:
            self._places.pause(True)
            if self.status in ("running", "ready"):
                self.status = "paused"
            self.error = error or self.error
            stopped = list(self._out.values()) if now else []
            for out in stopped:
                out.stopped = True
            jobs = [out.job for out in stopped if out.job is not None]
            self.condition.notify_all()
        for job in jobs:
            job.cancel()
        self._changed(None)

    def cancel(self) -> None:
        """End it: nothing more is sent, and what is on the server is stopped."""
        self.pause(now=True)
        with self.condition:
            if self.status != "completed":
                self.status = "cancelled"
            dropped = [*self._places.withdraw(), *self._twins]
            self._twins.clear()
            for cell in dropped:
                cell.reset(JobStatus.CANCELLED)
            self.condition.notify_all()
        for cell in dropped:
            self._changed(cell)
        self._changed(None)

    @property
    def idle(self) -> bool:
        """Whether nothing is on the server, and nothing will be sent without another word."""
        return not self._out and self.status != "running"

    # Sending

    def _fill(self) -> None:
        """Send what there is room for."""
        try:
            with self.condition:
                while self.status == "running" and len(self._out) + self._places.waiting < self._places.capacity:
                    another = self._more()
                    if another is None:
                        break
                    self._places.put([another])
        except ComfyError as error:
            self.pause(error=ExperimentError(f"Paused: {error}"))
            return
        self._places.dispatch()
        with self.condition:
            if self.status != "running" or self._out or self._places.waiting or self._twins:
                return
            # Before those who wait are told: they may look at it, or end the process.
            self._timings.save()
            self.status = "completed"
            self.condition.notify_all()
        self._changed(None)

    def _begin(self, cell: Cell) -> None:
        """There is room for a cell."""
        with self.condition:
            if self.status != "running":
                self._places.put([cell], front=True)
                self._places.leave(cell)
                return
            if cell.key in self._out:
                # The same prompt is on the server for another cell; once that has ended, its result is known.
                self._twins.append(cell)
                self._places.leave(cell)
                return
            out = self._out[cell.key] = _Out(cell)
            forced = cell.key in self._forced
            self._forced.discard(cell.key)
        self._send(out, forced)

    def _forget(self, out: _Out) -> None:
        """A cell is out no more; called with the condition held."""
        self._out.pop(out.cell.key, None)
        self._places.leave(out.cell)
        twins = [cell for cell in self._twins if cell.key == out.cell.key]
        self._twins = [cell for cell in self._twins if cell.key != out.cell.key]
        self._places.put(twins, front=True)

    def _send(self, out: _Out, forced: bool) -> None:
        cell = out.cell
        try:
            if not forced and self._known(cell):
                with self.condition:
                    self._forget(out)
                self._changed(cell)
                return
            claim = None if forced else self._store.claims([cell.key]).get(cell.key)
            job = self._places.adopt(cell, claim.prompt_id, claim.server) if claim is not None else None
            out.adopted = job is not None
            if job is None:
                job = self._places.submit(cell, str(uuid.uuid4()), partial(self._claim, out))
            with self.condition:
                out.job = cell.job = job
                cell.status = JobStatus.IN_PROGRESS
                stopped = out.stopped
            job.on("event", out.watch.take)
            job.add_done_callback(partial(self._ended, out))
            self._changed(cell)
            if stopped:
                job.cancel()
        except (ComfyError, OSError, sqlite3.Error) as error:
            self._put_back(out)
            self.pause(error=_in_words(error, cell))

    def _claim(self, out: _Out, prompt_id: str, server: str) -> None:
        """Note where a cell goes, before it is sent there; without that note nothing is sent."""
        try:
            self._store.claim(out.cell.key, prompt_id, server)
        except (OSError, sqlite3.Error) as error:
            out.unclaimed = error
            raise

    def _known(self, cell: Cell) -> bool:
        """Whether somebody has run the same prompt meanwhile: another cell, or another kernel."""
        result = self._store.results([cell.key]).get(cell.key)
        if result is None or result.status != "completed":
            return False
        with self.condition:
            cell.settle(result, stored=True)
        return True

    def _put_back(self, out: _Out) -> None:
        with self.condition:
            self._forget(out)
            if self.status == "cancelled":
                out.cell.reset(JobStatus.CANCELLED)
            else:
                out.cell.reset()
                self._places.put([out.cell], front=True)
            self.condition.notify_all()
        self._changed(out.cell)

    # What comes back

    def _ended(self, out: _Out, job: Job) -> None:
        """A job has ended; called in the thread of the client's listeners."""
        try:
            self._settle(out, job)
        except (OSError, sqlite3.Error, ComfyError) as error:
            # It stays claimed: when there is room again, it is fetched from the server's history.
            self._put_back(out)
            self.pause(error=_in_words(error, out.cell))
        except Exception as error:
            logger.exception("cell %d", out.cell.number)
            self._put_back(out)
            self.pause(error=ExperimentError(f"{type(error).__name__}: {error}"))
        self._fill()

    def _settle(self, out: _Out, job: Job) -> None:
        cell, server = out.cell, job.server
        if out.unclaimed is not None:
            raise out.unclaimed
        error = job.exception(0)
        if error is None:
            try:
                kept = keep_result(self._store, cell.key, job, job.result(0), server, out.watch)
            except ServerError as gone:
                if not isinstance(gone, FileGone) and not self._places.moves:
                    raise
                self._again(out, gone)
                return
            self._learn(out, job)
        elif job.status == "cancelled":
            self._store.release(cell.key)
            if out.stopped:
                self._put_back(out)
                return
            with self.condition:
                self._forget(out)
                cell.reset(JobStatus.CANCELLED, str(error))
            self._changed(cell)
            return
        elif job.status == "lost":
            if not self._places.moves:
                # Raises where the server does not answer: then it is not the cell that is lost.
                self.client.queue()
            self._again(out, error)
            return
        elif isinstance(error, ServerError) and not isinstance(error, JobError):
            raise error
        else:
            kept = keep_failure(self._store, cell.key, job, error, server)
        with self.condition:
            self._forget(out)
            cell.settle(kept)
        self._changed(cell)

    def _again(self, out: _Out, error: ComfyError) -> None:
        """The server does not have it any more: run it again, unless that happens every time."""
        self._store.release(out.cell.key)
        out.cell.tries += 0 if out.adopted else 1
        self._put_back(out)
        if out.cell.tries >= _TRIES:
            out.cell.tries = 0
            self.pause(error=ExperimentError(f"The server lost a cell {_TRIES} times. {error}"))

    def _learn(self, out: _Out, job: Job) -> None:
        watch = out.watch
        with suppress(Exception):
            # What cannot be learned costs nobody a result.
            self._timings.learn(job.prompt, watch)
            if watch.began_at is not None and self._last_end is not None and watch.began_at >= self._last_end:
                self._timings.between(min(1.0, (watch.began_at - self._last_end) / 1000))
            self._last_end = watch.ended_at


def _in_words(error: Exception, cell: Cell) -> ExperimentError:
    if isinstance(error, ComfyError):
        return ExperimentError(f"Paused: {error}")
    if isinstance(error, sqlite3.Error):
        reason = f"the store cannot be written ({error})"
    else:
        assert isinstance(error, OSError)
        reason = f"a file cannot be written ({error.strerror or error})"
    return ExperimentError(
        f"Paused: {reason}. Everything that was finished is kept, and cell {cell.number} is still on the server. Make "
        "room, then resume()."
    )
