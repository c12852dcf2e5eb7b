"""The work of a fleet, from where it comes in to its one end."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ..client import Job, JobError, JobRelay, Relays
from ..protocol import ComfyError
from ._roster import Roster
from ._schedule import Line
from ._task import Task


class Desk:
    """Takes work in, gives a job for it, and ends that.

    Parameters
    ----------
    roster : Roster
    owner : object
        The fleet, which lives as long as somebody holds one of its jobs.
    cancel : callable
        Takes a task whose job somebody cancels.
    """

    def __init__(self, roster: Roster, owner: object, cancel: Callable[[Task], object]) -> None:
        self.closed: bool = False
        self._roster = roster
        self._owner = weakref.ref(owner)
        self._cancel = cancel
        self._relays = Relays()
        self._tasks: dict[str, Task] = {}

    def task(self, line: Line, prompt: Mapping[str, Any], **details: Any) -> Task:
        """Make work of a prompt; it waits once it is `put`."""
        with self._roster.lock:
            task = Task(self._roster.work(line, prompt), **details)
        task.work.payload = task
        return task

    def check_open(self) -> None:
        """Make sure that the fleet is not closed.

        Raises
        ------
        ComfyError
            It is.
        """
        if self.closed:
            raise ComfyError("This fleet is closed. Make a new Fleet.")

    def put(self, line: Line, tasks: Sequence[Task], *, front: bool = False) -> None:
        """Let work wait."""
        with self._roster.lock:
            self.check_open()
            self._roster.scheduler.put(line, [task.work for task in tasks], front=front)

    def withdraw(self, line: Line) -> list[Task]:
        """Take back what waits in a line and has no job yet."""
        with self._roster.lock:
            works = self._roster.scheduler.withdraw(line, lambda work: work.payload.relay is None)
        return [work.payload for work in works]

    def leave(self, task: Task) -> None:
        """It was started and is not sent after all."""
        with self._roster.lock:
            self._roster.scheduler.leave(task.work)

    def give_job(self, task: Task, prompt_id: str, drawn: Mapping[str, Any], prompt: Mapping[str, Any]) -> Job:
        """Make the job that people hold."""
        cancel = partial(_ignoring_relay, self._cancel, task)
        task.relay = self._relays.new(prompt_id, prompt, drawn, cancel=cancel, owner=self._owner())
        with self._roster.lock:
            self._tasks[prompt_id] = task
        return task.relay.job

    def abandon(self, task: Task) -> None:
        """It was not sent: whoever started it has told so already."""
        with self._roster.lock:
            task.over = True
            self._roster.scheduler.leave(task.work)
            self._forget(task)

    def _forget(self, task: Task) -> None:
        if task.relay is not None:
            self._tasks.pop(task.relay.job.prompt_id, None)
        # What still holds the task must not hold the fleet by it.
        task.relay = None

    def job(self, prompt_id: str) -> Job | None:
        """Return the job with this id, where it has not ended."""
        task = self._tasks.get(prompt_id)
        return task.relay.job if task is not None and task.relay is not None else None

    def fail(self, task: Task, message: str) -> None:
        """End it, for this reason."""
        relay = task.relay
        assert relay is not None
        error = JobError(message, prompt_id=relay.job.prompt_id)
        self.end(task, lambda relay: relay.fail(error))

    def end(self, task: Task, end: Callable[[JobRelay], object], leg: Job | None = None) -> None:
        """End it, unless that was done already."""
        relay = task.relay
        assert relay is not None
        with self._roster.lock:
            if task.over:
                return
            task.over = True
            self._forget(task)
            server = leg.server if leg is not None else task.work.server
            self._roster.scheduler.leave(task.work)
            # Before it is told: who has waited may look at what was done.
            ended = leg.status if leg is not None else "cancelled" if end is JobRelay.cancelled else "failed"
            self._roster.note(task, server, str(ended))
        end(relay)
        self._roster.changed()

    def close(self) -> list[Task]:
        """Take nothing more in; return what has not ended."""
        with self._roster.lock:
            self.closed = True
            return list(self._tasks.values())

    def close_jobs(self) -> None:
        """Call listeners of jobs no more."""
        self._relays.close()


def _ignoring_relay(cancel: Callable[[Task], object], task: Task, relay: JobRelay) -> None:
    cancel(task)
