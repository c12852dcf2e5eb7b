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

    Examples
    --------
    >>> try:
    ...     client.post_prompt({"1": {"class_type": "KSampler", "inputs": {}}}, "6f1f3c5e-0b7c-4a57-9d0a-3b8a0e0f7a11")
    ... except PromptRefused as error:
    ...     print(error.type, error.status)
    prompt_no_outputs 400
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

    Examples
    --------
    >>> try:
    ...     ComfyClient("http://127.0.0.1:9").system_stats()
    ... except ServerError as error:
    ...     print(error.url, error.status)
    http://127.0.0.1:9 None
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

    Examples
    --------
    >>> try:
    ...     ComfyClient("http://127.0.0.1:9").system_stats()
    ... except ServerUnreachable as error:
    ...     print(error.sent)
    False
    """

    def __init__(self, message: str, *, url: str = "", status: int | None = None, sent: bool = False) -> None:
        super().__init__(message, url=url, status=status)
        self.sent = sent


class ServerTimeout(ServerError, TimeoutError):
    """The server is there, but gave no answer in time.

    Also a `TimeoutError`. The seconds are those of ``ComfyClient(timeout=...)``.

    Examples
    --------
    >>> import time
    >>> from comfy_widgets.testing import ScriptedServer
    >>> with ScriptedServer() as server:
    ...     server.on("GET", "/system_stats", lambda request: time.sleep(0.5))
    ...     try:
    ...         ComfyClient(server.url, timeout=0.1).system_stats()
    ...     except ServerTimeout as error:
    ...         print(error)
    The server at http://127.0.0.1:... gave no answer to GET /system_stats within 0.1 s.
    """


class NotAComfyServer(ServerError):
    """Something answers at the address, but not as ComfyUI does.

    Examples
    --------
    >>> from comfy_widgets.testing import Reply, ScriptedServer
    >>> with ScriptedServer() as server:
    ...     server.on("GET", "/system_stats", Reply.text("<h1>It works!</h1>"))
    ...     try:
    ...         ComfyClient(server.url).system_stats()
    ...     except NotAComfyServer as error:
    ...         print(error.url)
    http://127.0.0.1:...
    """


class Forbidden(ServerError):
    """The server, or a proxy before it, lets nobody in without the right credentials or origin.

    Examples
    --------
    >>> from comfy_widgets.testing import Reply, ScriptedServer
    >>> with ScriptedServer() as server:
    ...     server.on("GET", "/system_stats", Reply(401))
    ...     try:
    ...         ComfyClient(server.url).system_stats()
    ...     except Forbidden as error:
    ...         print(error.status)
    401
    """


class PayloadTooLarge(ServerError):
    """What was sent is larger than the server takes.

    Examples
    --------
    >>> from comfy_widgets.testing import Reply, ScriptedServer
    >>> with ScriptedServer() as server:
    ...     server.on("POST", "/upload/image", Reply(413))
    ...     try:
    ...         ComfyClient(server.url).upload_image(b"...", "large.png")
    ...     except PayloadTooLarge as error:
    ...         print(error.status)
    413
    """


class HTTPError(ServerError):
    """The server answered with a status that means failure.

    Examples
    --------
    >>> from comfy_widgets.testing import Reply, ScriptedServer
    >>> with ScriptedServer() as server:
    ...     server.on("GET", "/system_stats", Reply(500))
    ...     try:
    ...         ComfyClient(server.url).system_stats()
    ...     except HTTPError as error:
    ...         print(error.status)
    500
    """


class FileGone(ServerError):
    """A result file is not on the server any more.

    Attributes
    ----------
    file : File
        The file that was asked for.

    Examples
    --------
    >>> try:
    ...     client.view(File("deleted.png"))
    ... except FileGone as error:
    ...     print(error.file.filename, error.status)
    deleted.png 404
    """

    def __init__(self, message: str, *, file: File, url: str = "", status: int | None = None) -> None:
        super().__init__(message, url=url, status=status)
        self.file = file
