"""The outstanding jobs of a client, and how each of them ends: once, with the outcome that the history tells."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..protocol import ComfyError, ExecutionCached, ExecutionInterrupted, ExecutionSuccess, HistoryEntry, images_of
from ._core import JobCore
from ._job_errors import ExecutionFailed, JobLost
from ._media import Media
from ._result import Result
from ._status import JobStatus


@dataclass
class Tracked:
    """An outstanding job, and what its client knows about its way.

    Attributes
    ----------
    job : JobCore
    media : Media
        Its files.
    handle : object
        Held until the end: a client whose job is outstanding must live, even where nobody holds the job.
    sent : bool
        Whether its POST has gone out.
    confirmed : bool
        Whether the server is known to have it.
    doubt : ComfyError or None
        What the POST met, where it is not known whether the server took it.
    missing_since, unread_since, cancelling_since : float or None
        Since when it is in neither queue nor history; its history cannot be read; its end was asked for.
    asking : bool
        Whether its history is being asked for.
    failures : int
        How often what the server said of it could not be understood.
    interrupted : float
        When its interrupt was sent last.
    settling : bool
        Whether somebody is about to end it.
    added, last_event : float
        When it was added, and when something was heard of it.
    in_queue : str
        Where the queue had it last: "running", "pending" or nothing.
    moving : bool
        Whether it is taken out of the queue to be put back at another place.
    """

    job: JobCore
    media: Media
    handle: object = None
    sent: bool = False
    confirmed: bool = False
    doubt: ComfyError | None = None
    missing_since: float | None = None
    unread_since: float | None = None
    cancelling_since: float | None = None
    interrupted: float = 0.0
    settling: bool = False
    asking: bool = False
    failures: int = 0
    added: float = field(default_factory=time.monotonic)
    last_event: float = 0.0
    in_queue: str = ""
    moving: bool = False

    @property
    def posted(self) -> bool:
        """Whether the server may know it: its POST was answered, or it is in doubt whether it arrived."""
        return self.confirmed or self.doubt is not None


class Ledger:
    """All outstanding jobs by prompt id; every change under `condition`, which also wakes the watch."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.records: dict[str, Tracked] = {}

    def add(self, record: Tracked) -> None:
        """Take a job in; before its POST, since messages can overtake the answer."""
        with self.condition:
            record.last_event = time.monotonic()
            self.records[record.job.prompt_id] = record

    def begin(self, job: JobCore) -> bool:
        """Its POST goes out now; False where it ended before that, as by a cancel."""
        with self.condition:
            record = self.records.get(job.prompt_id)
            if record is None or record.job is not job:
                return False
            record.sent = True
            return True

    def withdraw(self, job: JobCore) -> bool:
        """End a job that is cancelled before its POST; False where the server must be told."""
        with self.condition:
            record = self.records.get(job.prompt_id)
            if record is None or record.job is not job or record.sent:
                return False
            del self.records[job.prompt_id]
        return job.finish_cancelled()

    @contextmanager
    def moving(self, job: JobCore) -> Iterator[None]:
        """While this lasts, a job that is in neither queue nor history is not taken to be gone."""
        record = self.find(job.prompt_id)
        if record is not None:
            record.moving = True
        try:
            yield
        finally:
            if record is not None:
                record.moving, record.missing_since = False, None

    def rekey(self, job: JobCore, prompt_id: str) -> None:
        """An old server gave the prompt an id of its own."""
        with self.condition:
            record = self.records.pop(job.prompt_id, None)
            job.rename(prompt_id)
            if record is not None:
                self.records[prompt_id] = record

    def find(self, prompt_id: str) -> Tracked | None:
        """The outstanding job with this id."""
        record = self.records.get(prompt_id)
        return record if record is not None and not record.job.done() else None

    def outstanding(self) -> list[JobCore]:
        """Jobs that have not ended."""
        with self.condition:
            return [record.job for record in self.records.values()]

    def finish(self, record: Tracked, entry: HistoryEntry) -> None:
        """End a job as its history says, once its images are here."""
        job, outcome = record.job, JobStatus(entry.outcome)
        job.learn(entry.prompt)

        def end() -> bool:
            if outcome is JobStatus.COMPLETED:
                return job.finish(outcome, outputs=entry.outputs)
            if outcome is JobStatus.CANCELLED:
                return job.finish_cancelled(entry.outputs)
            return job.finish(outcome, outputs=entry.outputs, error=lambda result: _failure(job, entry, result))

        if job.state.ending is None:
            _tell_end(job, entry, outcome)
        # Images are fetched before a job counts as done; large media only when somebody asks for them.
        record.media.when_fetched(images_of(entry.outputs), lambda: self.end(job, end))

    def lose(self, job: JobCore, reason: str) -> None:
        """End a job of which nothing more will be heard."""
        text = f"Job {job.prompt_id} is lost: {reason}."
        self.end(
            job,
            lambda: job.finish(
                JobStatus.LOST, error=lambda result: JobLost(text, prompt_id=job.prompt_id, result=result)
            ),
        )

    def fail(self, job: JobCore, error: ComfyError) -> None:
        """End a job that never came to run, or that the server never knew."""
        status = JobStatus.LOST if isinstance(error, JobLost) else JobStatus.FAILED
        self.end(job, lambda: job.finish(status, error=lambda _: error))

    def end(self, job: JobCore, end: Callable[[], bool]) -> None:
        """End a job by ``end``, unless another channel was first, and forget it."""
        try:
            end()
        finally:
            with self.condition:
                record = self.records.get(job.prompt_id)
                # Somebody may have attached to the same prompt meanwhile.
                if record is not None and record.job is job:
                    del self.records[job.prompt_id]


def _tell_end(job: JobCore, entry: HistoryEntry, outcome: JobStatus) -> None:
    """Tell a job what of its end it has not heard, so that its nodes stand as they ended."""
    for event in entry.status.messages:
        if isinstance(event, (ExecutionCached, ExecutionInterrupted)) or event is entry.error:
            job.handle(event)
    if outcome is JobStatus.COMPLETED:
        job.handle(ExecutionSuccess(prompt_id=job.prompt_id))


def _failure(job: JobCore, entry: HistoryEntry, result: Result) -> ExecutionFailed:
    error = entry.error
    if error is None:
        return ExecutionFailed(
            f"Job {job.prompt_id[:8]} failed on the server, which does not say why; its log may.",
            prompt_id=job.prompt_id,
            result=result,
        )
    title = job.state.plan.titles.get(error.node_id or "") or error.node_type or "A node"
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
