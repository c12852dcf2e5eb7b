"""Errors of jobs: each has what the job gave before it ended."""

from __future__ import annotations

from ..protocol import ComfyError
from ._result import Result


class JobError(ComfyError):
    """A job ended without the result that was asked for.

    Attributes
    ----------
    prompt_id : str
        The job's id; `ComfyClient.attach` takes it.
    result : Result or None
        What the job gave before it ended; it may hold images.

    Examples
    --------
    >>> job = client.submit(example(), steps=1000)
    >>> job.cancel()
    True
    >>> try:
    ...     job.result(60)
    ... except JobError as error:
    ...     print(error.prompt_id == job.prompt_id, error.result.status)
    True cancelled
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

    Examples
    --------
    >>> from comfy_widgets.testing import NodeError, ScriptedServer, text_to_image
    >>> def fail(stage):
    ...     stage.start()
    ...     raise NodeError("3")
    >>> with ScriptedServer() as server:
    ...     server.play(fail)
    ...     try:
    ...         ComfyClient(server.url).run(text_to_image())
    ...     except ExecutionFailed as error:
    ...         print(error.node_id, error.node_type, error.exception_type)
    3 KSampler RuntimeError
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
    """The job was interrupted while it ran, or taken from the queue before.

    Examples
    --------
    >>> job = client.submit(example(), steps=1000)
    >>> job.cancel()
    True
    >>> try:
    ...     job.result(60)
    ... except JobCancelled:
    ...     print(job.status)
    cancelled
    """


class JobLost(JobError):
    """The server no longer knows the job: it was restarted, or somebody deleted the job or its history.

    Examples
    --------
    >>> try:
    ...     client.attach("00000000-0000-4000-8000-000000000000").result(60)
    ... except JobLost as error:
    ...     print(error.prompt_id)
    00000000-0000-4000-8000-000000000000
    """
