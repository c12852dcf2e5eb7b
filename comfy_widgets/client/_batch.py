"""Several jobs together: each as it ends, or the results of all in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any

from .._timeouts import check_timeout
from ..protocol import WorkflowError
from ..workflow import Workflow
from ._job import Job
from ._result import Result
from ._watching import show

_SLICE = 1.0
"""Seconds of one wait: on Windows a wait without end cannot be interrupted."""


def as_completed(jobs: Iterable[Job], timeout: float | None = None, *, progress: bool = True) -> Iterator[Job]:
    """Yield jobs as they end, however they end; the first to end comes first.

    An interrupt (Ctrl-C, the notebook's stop button) while it waits cancels those of the jobs that have not ended, and
    is raised again. Whoever stops reading before the end cancels nothing.

    Parameters
    ----------
    jobs : iterable of Job
        What `ComfyClient.submit` gave, also of several clients. One that is given twice comes once.
    timeout : float, optional
        Seconds from the first wait on that all together may take; for ever by default.
    progress : bool
        In a notebook, show one bar for all. In a script nothing is ever shown.

    Yields
    ------
    Job
        One that has ended: ``job.result()`` gives its result or raises its error.

    Raises
    ------
    TypeError
        Something in `jobs` is no job.
    TimeoutError
        Some have not ended in time; they go on.

    Examples
    --------
    >>> from comfy_widgets import as_completed
    >>> jobs = [client.submit(example(), width=64, height=64, steps=1, seed=seed) for seed in range(3)]
    >>> [job.status.value for job in as_completed(jobs)]
    ['completed', 'completed', 'completed']
    """
    if isinstance(jobs, Job) or not isinstance(jobs, Iterable):
        one = "; for one, job.wait() waits for its end" if isinstance(jobs, Job) else f", not a {type(jobs).__name__}"
        raise TypeError(f"as_completed takes a list of jobs{one}.")
    given = list(jobs)
    for job in given:
        if not isinstance(job, Job):
            raise TypeError(f"as_completed takes jobs, as client.submit gives them, but one is {job!r}.")
    check_timeout(timeout)
    return _as_completed(list(dict.fromkeys(given)), timeout, progress)


def _as_completed(jobs: list[Job], timeout: float | None, progress: bool) -> Iterator[Job]:
    ended: SimpleQueue[Job] = SimpleQueue()
    for job in jobs:
        job.future.add_done_callback(lambda _, job=job: ended.put(job))  # type: ignore[misc]
    if progress and jobs:
        show(jobs)
    deadline = None if timeout is None else time.monotonic() + timeout
    for count in range(len(jobs), 0, -1):
        try:
            first = _next(ended, jobs, deadline)
        except KeyboardInterrupt:
            cancel_all(jobs)
            raise
        if first is None:
            raise TimeoutError(f"{count} of {len(jobs)} jobs have not ended within {timeout:g} s; they go on.")
        yield first


def _next(ended: SimpleQueue[Job], jobs: list[Job], deadline: float | None) -> Job | None:
    """Wait for the next that ends; None where the deadline comes first."""
    while True:
        left = _SLICE if deadline is None else min(_SLICE, max(0.0, deadline - time.monotonic()))
        with suppress(Empty):
            return ended.get(timeout=left)
        if deadline is not None and time.monotonic() >= deadline:
            return None
        open_jobs = [job for job in jobs if not job.done()]
        with suppress(TimeoutError):
            # In a process that was forked it raises, as nothing will ever come there.
            open_jobs[0].wait(0) if open_jobs else None


def cancel_all(jobs: Iterable[Job]) -> None:
    """Cancel the jobs that have not ended."""
    # Those that wait first: else the server begins the next as soon as one is interrupted.
    for job in reversed([*jobs]):
        if not job.done():
            job.cancel()


class Batch(Iterator[Result]):
    """The runs of one `ComfyClient.map`: an iterator over their results, in the order of the values.

    All of them are under way from the beginning. One that fails raises its error in its place, and reading can go on
    with the next: no run ends because of another. `close`, the end of a ``with`` block, and an interrupt while it waits
    cancel those that have not ended; whoever only stops reading cancels nothing.

    Examples
    --------
    >>> with client.map(example(), [{"width": 64}, {"width": 128}], height=64, steps=1) as batch:
    ...     [result.images[0].size for result in batch]
    [(64, 64), (128, 64)]
    """

    def __init__(self, jobs: Iterable[Job], *, timeout: float | None, return_exceptions: bool, progress: bool) -> None:
        self._jobs = tuple(jobs)
        self._timeout = timeout
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._return_exceptions = return_exceptions
        self._progress = progress
        self._read = 0

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs, in the order of the values, for `as_completed` and ``asyncio.gather``."""
        return self._jobs

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Batch:
        return self

    def __next__(self) -> Any:
        if self._read >= len(self._jobs):
            raise StopIteration
        if self._progress:
            # Here, and not when they were submitted: a cell that does not wait has nothing to show.
            self._progress = False
            show(self._jobs)
        job = self._jobs[self._read]
        try:
            self._wait(job)
        except KeyboardInterrupt:
            self.close()
            raise
        self._read += 1
        error = job.exception(0)
        if error is None:
            return job.result(0)
        if self._return_exceptions:
            return error
        raise error

    def _wait(self, job: Job) -> None:
        left = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        try:
            job.wait(left)
        except TimeoutError:
            count = sum(not job.done() for job in self._jobs)
            raise TimeoutError(
                f"{count} of {len(self._jobs)} runs have not ended within {self._timeout:g} s; they go on."
            ) from None

    def close(self) -> None:
        """Cancel the runs that have not ended. Returns at once.

        Examples
        --------
        >>> batch = client.map(example(), [{"seed": 1}, {"seed": 2}], steps=200)
        >>> batch.close()
        >>> [job.wait(60).done() for job in batch.jobs]
        [True, True]
        """
        cancel_all(self._jobs)

    def __enter__(self) -> Batch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        ended = sum(job.done() for job in self._jobs)
        count = len(self._jobs)
        return f"<Batch of {count} run{'s' * (count != 1)}, {ended} ended>"


def submit_batch(
    submit: Callable[[Workflow], Job],
    document: Workflow,
    values: Iterable[Mapping[str, Any]],
    *,
    timeout: float | None = None,
    return_exceptions: bool = False,
    progress: bool = True,
) -> Batch:
    """Submit a workflow once for each of some values; nothing is submitted where something does not fit.

    Parameters
    ----------
    submit : callable
        Submits one workflow.
    document : Workflow
        The workflow, with the server's node definitions where they are known.
    values : iterable of Mapping
        For each run, values by the names of parameters.
    timeout, return_exceptions, progress : optional
        As for `ComfyClient.map`.

    Returns
    -------
    Batch
        An iterator over the results, in the order of the values.

    Raises
    ------
    WorkflowError
        Values do not fit; of which run stands in the message.
    TypeError
        Something in `values` is no mapping, or `timeout` no number.

    Examples
    --------
    >>> small = example().with_params(width=64, height=64, steps=1)
    >>> [len(result.images) for result in submit_batch(client.submit, small, [{"seed": 1}, {"seed": 2}])]
    [1, 1]
    """
    check_timeout(timeout)
    jobs = _submit_all(submit, _documents(document, values))
    return Batch(jobs, timeout=timeout, return_exceptions=return_exceptions, progress=progress)


def _documents(document: Workflow, values: Iterable[Mapping[str, Any]]) -> list[Workflow]:
    if isinstance(values, (str, Mapping)) or not isinstance(values, Iterable):
        raise TypeError("map takes a list of dicts, one for each run; for a single one, use run.")
    documents = []
    for index, one in enumerate(values):
        if not isinstance(one, Mapping):
            raise TypeError(f"values[{index}] is {one!r}, but must be a dict such as {{'seed': 7}}.")
        try:
            documents.append(document.with_params(one))
        except WorkflowError as error:
            # Of the same class, and with all that the error tells a program.
            error.args = (f"values[{index}]: {error}",)
            raise
    return documents


def _submit_all(submit: Callable[[Workflow], Job], documents: Iterable[Workflow]) -> list[Job]:
    jobs: list[Job] = []
    try:
        for ready in documents:
            jobs.append(submit(ready))
    except BaseException:
        cancel_all(jobs)
        raise
    return jobs
