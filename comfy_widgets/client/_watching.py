"""Who shows the jobs that `ComfyClient.run` and its like wait for: a notebook does, a script does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._job import Job
    from ._result import Result

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


def show(jobs: Sequence[Job]) -> None:
    """Show jobs, where somebody wants to see them."""
    if _show is not None:
        _show(jobs)


def run_shown(
    submit: Callable[..., Job], workflow: Any, timeout: float | None, /, *, progress: bool, **values: Any
) -> Result:
    """Submit a workflow, show its job where somebody wants to see it, and wait for the result.

    Parameters
    ----------
    submit : callable
        Takes the workflow and the values, as `ComfyClient.submit` does.
    workflow : Workflow, dict, path, JSON text or bytes
        What is to run.
    timeout : float or None
        Seconds; the job goes on when they are over.
    progress : bool
        Show the job: in a notebook, not in a script. Previews are asked for then.
    **values : object
        What `submit` takes besides.

    Returns
    -------
    Result
        Its images, files and texts.

    Examples
    --------
    >>> run_shown(client.submit, example(), 60, progress=True, width=64, height=64, steps=1).images[0].size
    (64, 64)
    """
    shown = progress and _show is not None
    if shown:
        values.setdefault("previews", "auto")
    job = submit(workflow, **values)
    if shown:
        show([job])
    return job.result(timeout)
