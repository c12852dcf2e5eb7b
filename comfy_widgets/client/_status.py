"""How a job stands: its status, in ComfyUI's words, and the phase of the work, for those who draw it."""

from __future__ import annotations

from enum import Enum


class JobStatus(str, Enum):
    """How a job stands, in ComfyUI's own names; "lost" is ours.

    Each is a ``str`` too: ``job.status == "completed"``, and it is printed and written to JSON as that.

    Examples
    --------
    >>> job = client.submit(example(), width=64, height=64, steps=1).wait(60)
    >>> job.status is JobStatus.COMPLETED, job.status == "completed", job.status.ended
    (True, True, True)
    """

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"

    def __str__(self) -> str:
        return self.value

    def __repr__(self) -> str:
        return repr(self.value)

    @property
    def ended(self) -> bool:
        """Whether nothing follows any more."""
        return self not in (JobStatus.PENDING, JobStatus.IN_PROGRESS)


class Phase(str, Enum):
    """What goes on with a job at the moment; a ``str`` too, like `JobStatus`.

    "waiting" in the queue, "running", "cancelling" (asked for, not yet done), "fetching" its files, "ended".

    Examples
    --------
    >>> job = client.submit(example(), width=64, height=64, steps=1).wait(60)
    >>> job.progress.phase is Phase.ENDED
    True
    """

    WAITING = "waiting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    FETCHING = "fetching"
    ENDED = "ended"

    def __str__(self) -> str:
        return self.value

    def __repr__(self) -> str:
        return repr(self.value)
