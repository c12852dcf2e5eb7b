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
from ._refusal import NodeProblem, Refusal, node_problems, title_of
from ._replies import (
    Device,
    File,
    HistoryEntry,
    HistoryStatus,
    PromptReply,
    Queue,
    QueueItem,
    System,
    SystemStats,
    as_file,
    files_of,
    pictures_of,
    texts_of,
)

__all__ = [
    "FEATURE_FLAGS_FRAME",
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
    "files_of",
    "node_problems",
    "parse_binary",
    "parse_text",
    "pictures_of",
    "texts_of",
    "title_of",
]
