"""Errors of the talk with a server; the whole tree is drawn in `comfy_widgets.errors`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..protocol import ComfyError, File, NodeProblem, Refusal, WorkflowError, cut

__all__ = [
    "ComfyError",
    "FileGone",
    "Forbidden",
    "HTTPError",
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
            else f"The server refused the workflow:{cut(listed)}",
            node_id=first.node_id,
            node_title=first.node_title,
            class_type=first.class_type,
            input_name=first.input_name,
        )
        self.type: str = refusal.type
        self.message: str = refusal.message
        self.details: str = refusal.details
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
