"""ComfyUI's wire language, with no I/O: bytes in, frozen dataclasses out.

Frames become events (`parse_text`, `parse_binary`), calls become `Request` values and bodies become replies.
Nothing here opens a socket, so all of it is tested from recorded traffic.
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

__all__ = [
    "FEATURE_FLAGS_FRAME",
    "MAX_TEXT",
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
