"""Who shows the jobs that `ComfyClient.run` waits for: a notebook does, a script does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._job import Job

_show: Callable[[Job], object] | None = None


def show_runs_with(show: Callable[[Job], object] | None) -> None:
    """Call ``show`` with each job that `ComfyClient.run` is about to wait for.

    Parameters
    ----------
    show : callable or None
        Takes a `Job`, and must not wait for it; None shows nothing.

    Examples
    --------
    >>> show_runs_with(lambda job: print(job.status))
    >>> show_runs_with(None)
    """
    global _show
    _show = show


def show(job: Job) -> None:
    """Show a job, where somebody wants to see it."""
    if _show is not None:
        _show(job)
