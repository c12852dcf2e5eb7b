"""What a fleet keeps of each piece of its work: what is to be done for it, and what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ._schedule import Work

if TYPE_CHECKING:
    from ..client import Job, JobRelay
    from ..workflow import Workflow


@dataclass(eq=False)
class Task:
    """Work, and what is to be done for it.

    Attributes
    ----------
    work : Work
        What the scheduler knows of it.
    start : callable or None
        Called when there is room, where nobody has a job for it yet.
    relay : JobRelay or None
        The job that people hold.
    document : Workflow or None
        What is sent; None for a prompt that a server has already.
    options : dict
        What else `ComfyClient.submit` takes.
    claim : callable or None
        Takes id and server before it is sent there.
    on_post : callable or None
        Takes the job right before it is sent.
    legs : dict of Job
        The jobs that carried it out so far, by server.
    reasons : list of str
        Why servers did not do it.
    """

    work: Work
    start: Callable[[Task], object] | None = None
    relay: JobRelay | None = None
    document: Workflow | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    claim: Callable[[str, str], object] | None = None
    on_post: Callable[[Job], object] | None = None
    label: str = ""
    legs: dict[str, Job] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    sent_at: float = 0.0
    over: bool = False

    @property
    def leg(self) -> Job | None:
        """The job that carries it out now."""
        return self.relay.carrier if self.relay is not None else None


@dataclass(frozen=True)
class Stint:
    """What a server did for a while; `Fleet.timeline` has many.

    Attributes
    ----------
    server : str
        Its address.
    label : str
        Which cell of which sweep, or whose run.
    began, ended : float
        In seconds since 1970.
    outcome : str
        "running", "completed", "failed", "cancelled", "lost" or "moved".

    Examples
    --------
    >>> result = fleet.run(example(), width=64, height=64, steps=1)
    >>> fleet.timeline[-1].outcome
    'completed'
    """

    server: str
    label: str
    began: float
    ended: float
    outcome: str
