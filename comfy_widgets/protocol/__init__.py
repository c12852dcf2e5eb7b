"""ComfyUI's wire language, with no I/O: bytes in, frozen dataclasses out.

Frames become events (`parse_text`, `parse_binary`), calls become `Request` values and bodies become replies.
Nothing here opens a socket, so all of it is tested from recorded traffic.

What stands here was seen on the servers of `SERVER_VERSIONS`: every frame and body that they were recorded to send is
replayed in the tests. Where they differ, the newest way is tried first: ids are canonical lower-case UUIDs, which 0.33
demands; progress may jump, as 0.33 leaves steps out; a prompt that was cancelled while it waited leaves no trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._lazy import import_name

if TYPE_CHECKING:
    from ._address import Address as Address
    from ._errors import ComfyError as ComfyError
    from ._errors import WorkflowError as WorkflowError
    from ._events import Event as Event
    from ._events import Executed as Executed
    from ._events import Executing as Executing
    from ._events import ExecutionCached as ExecutionCached
    from ._events import ExecutionError as ExecutionError
    from ._events import ExecutionInterrupted as ExecutionInterrupted
    from ._events import ExecutionStart as ExecutionStart
    from ._events import ExecutionSuccess as ExecutionSuccess
    from ._events import FeatureFlags as FeatureFlags
    from ._events import LogEntry as LogEntry
    from ._events import Logs as Logs
    from ._events import Malformed as Malformed
    from ._events import NodeProgress as NodeProgress
    from ._events import Preview as Preview
    from ._events import ProgressEvent as ProgressEvent
    from ._events import ProgressState as ProgressState
    from ._events import ProgressText as ProgressText
    from ._events import Status as Status
    from ._events import Unknown as Unknown
    from ._frames import FEATURE_FLAGS_FRAME as FEATURE_FLAGS_FRAME
    from ._frames import parse_binary as parse_binary
    from ._frames import parse_text as parse_text
    from ._outputs import File as File
    from ._outputs import as_file as as_file
    from ._outputs import files_of as files_of
    from ._outputs import images_of as images_of
    from ._outputs import texts_of as texts_of
    from ._refusal import NodeProblem as NodeProblem
    from ._refusal import Refusal as Refusal
    from ._refusal import node_problems as node_problems
    from ._refusal import title_of as title_of
    from ._replies import Device as Device
    from ._replies import HistoryEntry as HistoryEntry
    from ._replies import HistoryStatus as HistoryStatus
    from ._replies import PromptReply as PromptReply
    from ._replies import Queue as Queue
    from ._replies import QueueItem as QueueItem
    from ._replies import System as System
    from ._replies import SystemStats as SystemStats
    from ._text import MAX_TEXT as MAX_TEXT
    from ._text import cut as cut
    from ._text import plain as plain
    from ._text import plain_lines as plain_lines
    from ._text import printable as printable

_MODULES = {
    "Address": "_address",
    "ComfyError": "_errors",
    "Device": "_replies",
    "Event": "_events",
    "Executed": "_events",
    "Executing": "_events",
    "ExecutionCached": "_events",
    "ExecutionError": "_events",
    "ExecutionInterrupted": "_events",
    "ExecutionStart": "_events",
    "ExecutionSuccess": "_events",
    "FEATURE_FLAGS_FRAME": "_frames",
    "FeatureFlags": "_events",
    "File": "_outputs",
    "HistoryEntry": "_replies",
    "HistoryStatus": "_replies",
    "LogEntry": "_events",
    "Logs": "_events",
    "MAX_TEXT": "_text",
    "Malformed": "_events",
    "NodeProblem": "_refusal",
    "NodeProgress": "_events",
    "Preview": "_events",
    "ProgressEvent": "_events",
    "ProgressState": "_events",
    "ProgressText": "_events",
    "PromptReply": "_replies",
    "Queue": "_replies",
    "QueueItem": "_replies",
    "Refusal": "_refusal",
    "Status": "_events",
    "System": "_replies",
    "SystemStats": "_replies",
    "Unknown": "_events",
    "WorkflowError": "_errors",
    "as_file": "_outputs",
    "cut": "_text",
    "files_of": "_outputs",
    "images_of": "_outputs",
    "node_problems": "_refusal",
    "parse_binary": "_frames",
    "parse_text": "_frames",
    "plain": "_text",
    "plain_lines": "_text",
    "printable": "_text",
    "texts_of": "_outputs",
    "title_of": "_refusal",
}

SERVER_VERSIONS = ("0.3.64", "0.8.0", "0.33.0")
"""The versions of ComfyUI whose recorded traffic is replayed in the tests, oldest first."""

__all__ = ["SERVER_VERSIONS", *_MODULES]


def __getattr__(name: str) -> Any:
    return import_name(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted(__all__)
