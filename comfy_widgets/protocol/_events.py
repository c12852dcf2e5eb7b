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
        ComfyUI's name of the message; the same for all events of one class.
    prompt_id : str or None, default None
        The prompt it belongs to; None where the server does not say.

    Examples
    --------
    >>> event = parse_text('{"type": "execution_success", "data": {"prompt_id": "a1"}}')
    >>> isinstance(event, Event), event.type, event.prompt_id
    (True, 'execution_success', 'a1')
    """

    type: ClassVar[str] = ""
    prompt_id: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Status(Event):
    """The length of the queue.

    Attributes
    ----------
    queue_remaining : int or None, default None
        Prompts that are pending or running; None where the server does not say.
    sid : str or None, default None
        The client id that the server gave to the websocket; only in the first message of a connection.
    prompt_id : str or None, default None
        Always None: the queue is everybody's.

    Examples
    --------
    >>> parse_text('{"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 2}}}}')
    Status(prompt_id=None, queue_remaining=2, sid=None)
    """

    type: ClassVar[str] = "status"
    queue_remaining: int | None = None
    sid: str | None = None


@dataclass(frozen=True)
class FeatureFlags(Event):
    """The server's answer to the client's own feature flags.

    Attributes
    ----------
    flags : dict, default {}
        Name of a feature to its value, such as ``{"supports_preview_metadata": True}``.
    prompt_id : str or None, default None
        Always None.

    Examples
    --------
    >>> parse_text('{"type": "feature_flags", "data": {"max_upload_size": 104857600}}').flags
    {'max_upload_size': 104857600}
    """

    type: ClassVar[str] = "feature_flags"
    flags: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ExecutionStart(Event):
    """The worker took the prompt from the queue.

    Attributes
    ----------
    timestamp : int or None, default None
        The server's clock, in milliseconds since 1970.
    prompt_id : str or None, default None
        The prompt it belongs to.

    Examples
    --------
    >>> parse_text('{"type": "execution_start", "data": {"prompt_id": "a1", "timestamp": 1700000000000}}')
    ExecutionStart(prompt_id='a1', timestamp=1700000000000)
    """

    type: ClassVar[str] = "execution_start"
    timestamp: int | None = None


@dataclass(frozen=True)
class ExecutionCached(Event):
    """The nodes whose results are still there from an earlier prompt; always sent, also when there are none.

    Attributes
    ----------
    nodes : tuple of str, default ()
        Ids of these nodes.
    timestamp : int or None, default None
        The server's clock, in milliseconds since 1970.
    prompt_id : str or None, default None
        The prompt it belongs to.

    Examples
    --------
    >>> parse_text('{"type": "execution_cached", "data": {"prompt_id": "a1", "nodes": ["4", "6"]}}').nodes
    ('4', '6')
    """

    type: ClassVar[str] = "execution_cached"
    nodes: tuple[str, ...] = ()
    timestamp: int | None = None


@dataclass(frozen=True)
class Executing(Event):
    """A node starts, or the prompt has ended.

    Attributes
    ----------
    node : str or None, default None
        Id of the node. None is the end marker of the prompt, sent after its history was written.
    display_node : str or None, default None
        Id of the node that shows it in the editor: another one where a node was expanded into several.
    prompt_id : str or None, default None
        The prompt it belongs to.

    Examples
    --------
    >>> parse_text('{"type": "executing", "data": {"prompt_id": "a1", "node": "3"}}')
    Executing(prompt_id='a1', node='3', display_node='3')
    """

    type: ClassVar[str] = "executing"
    node: str | None = None
    display_node: str | None = None


@dataclass(frozen=True)
class ProgressEvent(Event):
    """``value`` of ``max`` steps of a node are done.

    Attributes
    ----------
    node : str or None, default None
        Id of the node.
    value : float, default 0.0
        Steps that are done.
    max : float, default 1.0
        Steps there are.
    prompt_id : str or None, default None
        The prompt it belongs to.

    Examples
    --------
    >>> step = parse_text('{"type": "progress", "data": {"prompt_id": "a1", "node": "3", "value": 5, "max": 20}}')
    >>> step.value / step.max
    0.25
    """

    type: ClassVar[str] = "progress"
    node: str | None = None
    value: float = 0.0
    max: float = 1.0


class NodeProgress(NamedTuple):
    """One node in a `ProgressState`.

    Attributes
    ----------
    node_id : str
        Id of the node.
    value : float
        Steps that are done.
    max : float
        Steps there are.
    state : str
        "running", "finished" or "error".
    display_node_id : str
        Id of the node that shows it in the editor.

    Examples
    --------
    >>> node = NodeProgress("3", 5, 20, "running", "3")
    >>> f"{node.value / node.max:.0%}"
    '25%'
    """

    node_id: str
    value: float
    max: float
    state: str
    display_node_id: str


@dataclass(frozen=True)
class ProgressState(Event):
    """A whole snapshot of every node of the prompt that started so far.

    Attributes
    ----------
    nodes : dict of str to NodeProgress, default {}
        By the id of the node.
    prompt_id : str or None, default None
        The prompt it belongs to.

    Examples
    --------
    >>> frame = '{"type": "progress_state", "data": {"nodes": {"3": {"value": 5, "max": 20, "state": "running"}}}}'
    >>> parse_text(frame).nodes["3"]
    NodeProgress(node_id='3', value=5, max=20, state='running', display_node_id='3')
    """

    type: ClassVar[str] = "progress_state"
    nodes: dict[str, NodeProgress] = field(default_factory=dict)


@dataclass(frozen=True)
class Executed(Event):
    """A node gave output for people.

    Attributes
    ----------
    node : str or None, default None
        Id of the node.
    display_node : str or None, default None
        Id of the node that shows it in the editor.
    output : dict of str to list, default {}
        What it gave, by key: "images", "text", ...
    prompt_id : str or None, default None
        The prompt it belongs to.

    Examples
    --------
    >>> event = parse_text('{"type": "executed", "data": {"node": "9", "output": {"images": [{"filename": "a.png"}]}}}')
    >>> event.output["images"][0]["filename"]
    'a.png'
    """

    type: ClassVar[str] = "executed"
    node: str | None = None
    display_node: str | None = None
    output: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ExecutionSuccess(Event):
    """All nodes are done. The history entry may be written a moment later.

    Attributes
    ----------
    timestamp : int or None, default None
        The server's clock, in milliseconds since 1970.
    prompt_id : str or None, default None
        The prompt it belongs to.

    Examples
    --------
    >>> parse_text('{"type": "execution_success", "data": {"prompt_id": "a1"}}')
    ExecutionSuccess(prompt_id='a1', timestamp=None)
    """

    type: ClassVar[str] = "execution_success"
    timestamp: int | None = None


@dataclass(frozen=True)
class ExecutionError(Event):
    """A node raised. With ``exception_type`` "ExecutionBlocked" it is a warning and the prompt goes on.

    Attributes
    ----------
    node_id : str or None, default None
        Id of the node.
    node_type : str or None, default None
        Its class.
    exception_message : str, default ""
        What the exception says, without terminal colours and cut to `MAX_TEXT` characters.
    exception_type : str, default ""
        The class of the exception.
    traceback : tuple of str, default ()
        The lines of its traceback.
    current_inputs : dict, default {}
        The values that the node was called with.
    executed : tuple of str, default ()
        Ids of the nodes that were done before.
    prompt_id : str or None, default None
        The prompt it belongs to.

    Examples
    --------
    >>> frame = '{"type": "execution_error", "data": {"node_id": "3", "exception_message": "out of memory"}}'
    >>> error = parse_text(frame)
    >>> error.node_id, error.exception_message, error.blocked
    ('3', 'out of memory', False)
    """

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
    """Somebody interrupted the prompt.

    Attributes
    ----------
    node_id : str or None, default None
        Id of the node that ran.
    node_type : str or None, default None
        Its class.
    executed : tuple of str, default ()
        Ids of the nodes that were done before.
    prompt_id : str or None, default None
        The prompt it belongs to.

    Examples
    --------
    >>> parse_text('{"type": "execution_interrupted", "data": {"node_id": "3", "executed": ["4", "5"]}}').executed
    ('4', '5')
    """

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
    """A line of text that a node shows while it works.

    Attributes
    ----------
    node_id : str or None, default None
        Id of the node.
    text : str, default ""
        The line.
    prompt_id : str or None, default None
        The prompt it belongs to; only servers that announce ``supports_progress_text_metadata`` say it.

    Examples
    --------
    >>> parse_binary(bytes([0, 0, 0, 3, 0, 0, 0, 1]) + b"3" + b"loading the model")
    ProgressText(prompt_id=None, node_id='3', text='loading the model')
    """

    type: ClassVar[str] = "progress_text"
    node_id: str | None = None
    text: str = ""


class LogEntry(NamedTuple):
    """A line of the server's log.

    Attributes
    ----------
    t : str
        Its time, in ISO format.
    m : str
        The text, with the colours of a terminal in it.

    Examples
    --------
    >>> entry = LogEntry("2026-01-01T12:00:00", "\\x1b[32mgot prompt\\x1b[0m")
    >>> plain(entry.m)
    'got prompt'
    """

    t: str
    m: str


@dataclass(frozen=True)
class Logs(Event):
    """What the server logged; sent to those who asked with `ComfyClient.subscribe_logs`.

    Attributes
    ----------
    entries : tuple of LogEntry, default ()
        The lines, oldest first.
    prompt_id : str or None, default None
        Always None.

    Examples
    --------
    >>> event = parse_text('{"type": "logs", "data": {"entries": [{"t": "12:00", "m": "got prompt"}]}}')
    >>> [entry.m for entry in event.entries]
    ['got prompt']
    """

    type: ClassVar[str] = "logs"
    entries: tuple[LogEntry, ...] = ()


@dataclass(frozen=True)
class Unknown(Event):
    """A message of a type that this package does not know, as custom node packs send them.

    Attributes
    ----------
    name : str, default ""
        The type that the message names.
    data : object, default None
        What it carries, as it came.
    prompt_id : str or None, default None
        The prompt it belongs to, where its data says so.

    Examples
    --------
    >>> event = parse_text('{"type": "crystools.monitor", "data": {"cpu": 12}}')
    >>> event.name, event.data
    ('crystools.monitor', {'cpu': 12})
    """

    type: ClassVar[str] = "unknown"
    name: str = ""
    data: Any = None


@dataclass(frozen=True)
class Malformed(Event):
    """A frame that could not be read; it disturbs nothing.

    Attributes
    ----------
    reason : str, default ""
        What is wrong with it.
    size : int, default 0
        Its length in bytes, or in characters of a frame that was given as text.
    prompt_id : str or None, default None
        Always None.

    Examples
    --------
    >>> parse_text("[1, 2]")
    Malformed(prompt_id=None, reason='JSON, but not an object', size=6)
    """

    type: ClassVar[str] = "malformed"
    reason: str = ""
    size: int = 0
