"""What a server says on its websocket: one frozen dataclass per message type, under ComfyUI's own names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple


@dataclass(frozen=True)
class Event:
    """A message of the websocket.

    Attributes
    ----------
    type : str
        ComfyUI's name of the message.
    prompt_id : str or None
        The prompt it belongs to; None where the server does not say.
    """

    type: ClassVar[str] = ""
    prompt_id: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Status(Event):
    """The length of the queue, pending and running together; ``sid`` only in the first message of a socket."""

    type: ClassVar[str] = "status"
    queue_remaining: int | None = None
    sid: str | None = None


@dataclass(frozen=True)
class FeatureFlags(Event):
    """The server's answer to our own flags."""

    type: ClassVar[str] = "feature_flags"
    flags: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ExecutionStart(Event):
    """The worker took the prompt from the queue."""

    type: ClassVar[str] = "execution_start"
    timestamp: int | None = None


@dataclass(frozen=True)
class ExecutionCached(Event):
    """The nodes whose results are still there from an earlier prompt; sent always, also when there are none."""

    type: ClassVar[str] = "execution_cached"
    nodes: tuple[str, ...] = ()
    timestamp: int | None = None


@dataclass(frozen=True)
class Executing(Event):
    """A node starts. ``node`` None is the end marker of the prompt, sent after its history was written."""

    type: ClassVar[str] = "executing"
    node: str | None = None
    display_node: str | None = None


@dataclass(frozen=True)
class ProgressEvent(Event):
    """``value`` of ``max`` steps of a node are done."""

    type: ClassVar[str] = "progress"
    node: str | None = None
    value: float = 0.0
    max: float = 1.0


class NodeProgress(NamedTuple):
    """One node in a `ProgressState`: ``state`` is "running", "finished" or "error"."""

    node_id: str
    value: float
    max: float
    state: str
    display_node_id: str


@dataclass(frozen=True)
class ProgressState(Event):
    """A whole snapshot of every node of the prompt that started so far."""

    type: ClassVar[str] = "progress_state"
    nodes: dict[str, NodeProgress] = field(default_factory=dict)


@dataclass(frozen=True)
class Executed(Event):
    """A node gave output for people: ``output`` maps a key ("images", "text", ...) to a list."""

    type: ClassVar[str] = "executed"
    node: str | None = None
    display_node: str | None = None
    output: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ExecutionSuccess(Event):
    """All nodes are done. The history entry may be written a moment later."""

    type: ClassVar[str] = "execution_success"
    timestamp: int | None = None


@dataclass(frozen=True)
class ExecutionError(Event):
    """A node raised. With ``exception_type`` "ExecutionBlocked" it is a warning and the prompt goes on."""

    type: ClassVar[str] = "execution_error"
    node_id: str | None = None
    node_type: str | None = None
    exception_message: str = ""
    exception_type: str = ""
    traceback: tuple[str, ...] = ()
    current_inputs: dict[str, Any] = field(default_factory=dict, repr=False)
    executed: tuple[str, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether this only tells of a blocked branch, and is not the end."""
        return self.exception_type == "ExecutionBlocked"


@dataclass(frozen=True)
class ExecutionInterrupted(Event):
    """Somebody interrupted the prompt."""

    type: ClassVar[str] = "execution_interrupted"
    node_id: str | None = None
    node_type: str | None = None
    executed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preview(Event):
    """An image of work in progress, as the server encoded it.

    Attributes
    ----------
    image : bytes
        The encoded image, untouched.
    mime : str
        "image/jpeg" or "image/png".
    node_id, display_node_id : str or None
        None for the older kind of frame, which carries no ids.
    prompt_id : str or None
        The prompt it belongs to; None where the server does not say.
    seq : int
        Counts the previews of a job; 0 until a job has taken it.

    Examples
    --------
    >>> job = client.submit(example(), width=64, height=64, steps=1)
    >>> subscription = job.on("preview", lambda preview: preview.image)
    """

    type: ClassVar[str] = "preview"
    image: bytes = field(default=b"", repr=False)
    mime: str = "image/jpeg"
    node_id: str | None = None
    display_node_id: str | None = None
    seq: int = 0


@dataclass(frozen=True)
class ProgressText(Event):
    """A line of text that a node shows while it works."""

    type: ClassVar[str] = "progress_text"
    node_id: str | None = None
    text: str = ""


class LogEntry(NamedTuple):
    """A line of the server's log: ``t`` is its time in ISO format, ``m`` the text with the colours of a terminal."""

    t: str
    m: str


@dataclass(frozen=True)
class Logs(Event):
    """What the server logged; sent to those who asked with `ComfyClient.subscribe_logs`."""

    type: ClassVar[str] = "logs"
    entries: tuple[LogEntry, ...] = ()


@dataclass(frozen=True)
class Unknown(Event):
    """A message of a type that this package does not know, as custom node packs send them."""

    type: ClassVar[str] = "unknown"
    name: str = ""
    data: Any = None


@dataclass(frozen=True)
class Malformed(Event):
    """A frame that could not be read; it disturbs nothing."""

    type: ClassVar[str] = "malformed"
    reason: str = ""
    size: int = 0
