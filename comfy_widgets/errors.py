"""The exception tree of the package; it is drawn in `comfy_widgets.client._errors`."""

from .client._errors import (
    ComfyError,
    ExecutionFailed,
    FileGone,
    Forbidden,
    HTTPError,
    JobCancelled,
    JobError,
    JobLost,
    NotAComfyServer,
    PayloadTooLarge,
    PromptRefused,
    ServerError,
    ServerTimeout,
    ServerUnreachable,
    WorkflowError,
)

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
