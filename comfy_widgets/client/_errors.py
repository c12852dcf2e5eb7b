"""What can go wrong between a client and a server.

The tree; everything derives from `ComfyError`::

    ComfyError
    ├── WorkflowError (ValueError)      the workflow, or a value for it, cannot be used
    │   └── PromptRefused               the server refused the prompt: type, message, details, extra_info, node_errors
    ├── ServerError                     the server cannot be talked to: url, status
    │   ├── ServerUnreachable           nothing answers at the address
    │   ├── ServerTimeout               something is there, but gave no answer in time
    │   ├── NotAComfyServer             something answers, but not as ComfyUI does
    │   ├── Forbidden                   401 or 403: credentials, or the origin guard
    │   ├── PayloadTooLarge             413: more than the server takes
    │   ├── HTTPError                   any other status
    │   └── FileGone                    404 for a result file: file
    └── JobError                        a job did not give a result: prompt_id, result (what there is of it)
        ├── ExecutionFailed             a node raised: node_id, node_title, node_type, exception_type, traceback
        ├── JobCancelled                interrupted, or taken from the queue
        └── JobLost                     the server no longer knows the job

`str(error)` is one or two sentences for a person; the attributes are for a program.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..protocol import ComfyError, File, NodeProblem, Refusal, WorkflowError

if TYPE_CHECKING:
    from ._result import Result

__all__ = [
    "ComfyError",
    "ExecutionFailed",
    "FileGone",
    "Forbidden",
    "HTTPError",
    "JobCancelled",
    "JobError",
    "JobLost",
    "NotAComfyServer",
    "PayloadTooLarge",
    "PromptRefused",
    "ServerError",
    "ServerTimeout",
    "ServerUnreachable",
    "WorkflowError",
]


class PromptRefused(WorkflowError):
    """The server refused a prompt.

    Attributes
    ----------
    type, message, details : str
        The server's own words.
    extra_info, node_errors : dict
        The server's own data.
    problems : tuple of NodeProblem
        The same in sentences, node by node.
    status : int
        The HTTP status.
    """

    def __init__(self, refusal: Refusal, problems: tuple[NodeProblem, ...], status: int = 400) -> None:
        first = problems[0]
        listed = "".join(f"\n- {problem.text}" for problem in problems)
        super().__init__(
            f"The server refused the workflow. {first.text}"
            if len(problems) == 1
            else f"The server refused the workflow:{listed}",
            node_id=first.node_id,
            node_title=first.node_title,
            class_type=first.class_type,
            input_name=first.input_name,
        )
        self.type = refusal.type
        self.message = refusal.message
        self.details = refusal.details
        self.extra_info: Mapping[str, Any] = refusal.extra_info
        self.node_errors: Mapping[str, Any] = refusal.node_errors
        self.problems = problems
        self.status = status


class ServerError(ComfyError):
    """The server cannot be talked to, or answered something it should not.

    Attributes
    ----------
    url : str
        The address, without credentials.
    status : int or None
        The HTTP status, where there was one.
    """

    def __init__(self, message: str, *, url: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.url = url
        self.status = status


class ServerUnreachable(ServerError, ConnectionError):
    """Nothing answers at the address, or the connection broke before an answer came.

    Attributes
    ----------
    sent : bool
        Whether the call may have reached the server all the same.
    """

    def __init__(self, message: str, *, url: str = "", status: int | None = None, sent: bool = False) -> None:
        super().__init__(message, url=url, status=status)
        self.sent = sent


class ServerTimeout(ServerError, TimeoutError):
    """The server is there, but gave no answer in time."""


class NotAComfyServer(ServerError):
    """Something answers at the address, but not as ComfyUI does."""


class Forbidden(ServerError):
    """The server, or a proxy before it, lets nobody in without the right credentials or origin."""


class PayloadTooLarge(ServerError):
    """What was sent is larger than the server takes."""


class HTTPError(ServerError):
    """The server answered with a status that means failure."""


class FileGone(ServerError):
    """A result file is not on the server any more.

    Attributes
    ----------
    file : File
    """

    def __init__(self, message: str, *, file: File, url: str = "", status: int | None = None) -> None:
        super().__init__(message, url=url, status=status)
        self.file = file


class JobError(ComfyError):
    """A job ended without the result that was asked for.

    Attributes
    ----------
    prompt_id : str
    result : Result or None
        What the job gave before it ended; it may hold pictures.
    """

    def __init__(self, message: str, *, prompt_id: str, result: Result | None = None) -> None:
        super().__init__(message)
        self.prompt_id = prompt_id
        self.result = result

    def _portable(self) -> dict[str, Any]:
        # A result fetches through its client, which stays in its process.
        return {**super()._portable(), "result": None}


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
