"""ComfyUI's wire language, with no I/O: bytes in, frozen dataclasses out.

Frames become events (`parse_text`, `parse_binary`), calls become `Request` values and bodies become replies.
Nothing here opens a socket, so all of it is tested from recorded traffic.
"""

from .events import (
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
    Progress,
    ProgressState,
    ProgressText,
    Status,
    Unknown,
)
from .frames import FEATURE_FLAGS_FRAME, parse_binary, parse_text
from .replies import Device, File, HistoryEntry, HistoryStatus, PromptReply, Queue, QueueItem, System, SystemStats

__all__ = [
    "FEATURE_FLAGS_FRAME",
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
    "NodeProgress",
    "Preview",
    "Progress",
    "ProgressState",
    "ProgressText",
    "PromptReply",
    "Queue",
    "QueueItem",
    "Status",
    "System",
    "SystemStats",
    "Unknown",
    "parse_binary",
    "parse_text",
]
