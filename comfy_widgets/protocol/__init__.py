"""ComfyUI's wire language, with no I/O: bytes in, frozen dataclasses out.

Frames become events (`parse_text`, `parse_binary`), calls become `Request` values and bodies become replies.
Nothing here opens a socket, so all of it is tested from recorded traffic.

What stands here was seen on the servers of `SERVER_VERSIONS`: every frame and body that they were recorded to send is
replayed in the tests. Where they differ, the newest way is tried first: ids are canonical lower-case UUIDs, which 0.33
demands; progress may jump, as 0.33 leaves steps out; a prompt that was cancelled while it waited leaves no trace.
"""

from ._address import Address
from ._errors import ComfyError, WorkflowError
from ._events import (
    Event,
    Executed,
    Executing,
    ExecutionCached,
    ExecutionError,
    ExecutionInterrupted,
    ExecutionStart,
    ExecutionSuccess,
    FeatureFlags,
    LogEntry,
    Logs,
    Malformed,
    NodeProgress,
    Preview,
    ProgressEvent,
    ProgressState,
    ProgressText,
    Status,
    Unknown,
)
from ._frames import FEATURE_FLAGS_FRAME, parse_binary, parse_text
from ._outputs import File, as_file, files_of, images_of, texts_of
from ._refusal import NodeProblem, Refusal, node_problems, title_of
from ._replies import (
    Device,
    HistoryEntry,
    HistoryStatus,
    PromptReply,
    Queue,
    QueueItem,
    System,
    SystemStats,
)
from ._text import MAX_TEXT, cut, plain, plain_lines, printable

SERVER_VERSIONS = ("0.3.64", "0.8.0", "0.33.0")
"""The versions of ComfyUI whose recorded traffic is replayed in the tests, oldest first."""

__all__ = [
    "FEATURE_FLAGS_FRAME",
    "MAX_TEXT",
    "SERVER_VERSIONS",
    "Address",
    "ComfyError",
    "Device",
    "Event",
    "Executed",
    "Executing",
    "ExecutionCached",
    "ExecutionError",
    "ExecutionInterrupted",
    "ExecutionStart",
    "ExecutionSuccess",
    "FeatureFlags",
    "File",
    "HistoryEntry",
    "HistoryStatus",
    "LogEntry",
    "Logs",
    "Malformed",
    "NodeProblem",
    "NodeProgress",
    "Preview",
    "ProgressEvent",
    "ProgressState",
    "ProgressText",
    "PromptReply",
    "Queue",
    "QueueItem",
    "Refusal",
    "Status",
    "System",
    "SystemStats",
    "Unknown",
    "WorkflowError",
    "as_file",
    "cut",
    "files_of",
    "images_of",
    "node_problems",
    "parse_binary",
    "parse_text",
    "plain",
    "plain_lines",
    "printable",
    "texts_of",
    "title_of",
]
