"""Errors of jobs: each has what the job gave before it ended."""

from __future__ import annotations

from ..protocol import ComfyError
from ._result import Result


class JobError(ComfyError):
    """A job ended without the result that was asked for.

    Attributes
    ----------
    prompt_id : str
    result : Result or None
        What the job gave before it ended; it may hold images.
    """

    def __init__(self, message: str, *, prompt_id: str, result: Result | None = None) -> None:
        super().__init__(message)
        self.prompt_id = prompt_id
        self.result = result


class ExecutionFailed(JobError):
    """A node raised an exception on the server.

    Attributes
    ----------
    node_id, node_title, node_type : str or None
        Which node.
    exception_type, exception_message : str
        What it raised.
    traceback : tuple of str
        The server's own traceback, line by line.
    """

    def __init__(
        self,
        message: str,
        *,
        prompt_id: str,
        result: Result | None = None,
        node_id: str | None = None,
        node_title: str | None = None,
        node_type: str | None = None,
        exception_type: str = "",
        exception_message: str = "",
        traceback: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, prompt_id=prompt_id, result=result)
        self.node_id = node_id
        self.node_title = node_title
        self.node_type = node_type
        self.exception_type = exception_type
        self.exception_message = exception_message
        self.traceback = traceback


class JobCancelled(JobError):
    """The job was interrupted while it ran, or taken from the queue before."""


class JobLost(JobError):
    """The server no longer knows the job: it was restarted, or somebody deleted the job or its history."""
