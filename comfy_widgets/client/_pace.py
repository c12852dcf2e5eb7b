"""How often a server is asked about jobs, and how long is waited before each conclusion."""

from __future__ import annotations

from dataclasses import dataclass

from ..protocol import ComfyError
from ._errors import ServerError


@dataclass(frozen=True)
class Pace:
    """How often the watch asks, and how long it waits, in seconds.

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
        How long a running job may be silent before the server's log is searched for a dead worker; how long prompts may
        wait while nothing runs; and how long after a job was cancelled before it is given up.
    uncertain : float
        How long a prompt is looked for whose POST met a gateway's error: it may still be on its way.

    Examples
    --------
    >>> with ComfyClient(engine.url, pace=Pace(lost_after=30)) as impatient:
    ...     print(impatient.run(example(), width=64, height=64, steps=1).status)
    completed
    """

    poll: float = 1.0
    silence: float = 5.0
    lost_after: float = 120.0
    gone: float = 1.0
    dead_worker: float = 60.0
    uncertain: float = 30.0


def may_still_come(doubt: ComfyError) -> bool:
    """Whether a gateway may have kept the prompt back; a server of which nothing was heard had its time already."""
    return isinstance(doubt, ServerError) and doubt.status in (408, 502, 504, 522, 524)
