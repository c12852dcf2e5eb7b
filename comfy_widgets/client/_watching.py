"""Who shows the jobs that `ComfyClient.run` and its like wait for: a notebook does, a script does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._job import Job

_show: Callable[[Sequence[Job]], object] | None = None


def show_runs_with(show: Callable[[Sequence[Job]], object] | None) -> None:
    """Call ``show`` with the jobs that `ComfyClient.run`, `ComfyClient.map` or `as_completed` are about to wait for.

    Parameters
    ----------
    show : callable or None
        Takes a sequence of `Job` objects, and must not wait for them; None shows nothing.

    Examples
    --------
    >>> show_runs_with(lambda jobs: print(len(jobs)))
    >>> show_runs_with(None)
    """
    global _show
    _show = show


def is_anybody_watching() -> bool:
    """Whether jobs are shown to somebody."""
    return _show is not None


def show(jobs: Sequence[Job]) -> None:
    """Show jobs, where somebody wants to see them."""
    if _show is not None:
        _show(jobs)


def show_run(job: Job) -> None:
    """Show a job, where somebody wants to see it: in a notebook, not in a script.

    Parameters
    ----------
    job : Job
        It is about to be waited for.

    Examples
    --------
    >>> show_run(client.submit(example(), width=64, height=64, steps=1))
    """
    show([job])
