"""What a server answers over HTTP: frozen dataclasses with ComfyUI's field names, unknown fields in ``extra``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal, TypeVar

from ._events import Event, ExecutionError, ExecutionInterrupted, ExecutionSuccess
from ._frames import event_from_history
from ._outputs import File, files_of, texts_of
from ._text import words

Outcome = Literal["completed", "failed", "cancelled"]


@dataclass(frozen=True)
class PromptReply:
    """The answer to ``POST /prompt``.

    Attributes
    ----------
    prompt_id : str
        The id under which the server knows the prompt.
    number : float, default 0
        Place in the queue's order; the lowest runs first.
    node_errors : dict, default {}
        Not empty although the prompt was accepted: output nodes that the server left out.
    extra : dict, default {}
        All other fields of the body.

    Examples
    --------
    >>> PromptReply.parse({"prompt_id": "a1", "number": 7, "node_errors": {}})
    PromptReply(prompt_id='a1', number=7, node_errors={})
    """

    prompt_id: str
    number: float = 0
    node_errors: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> PromptReply:
        """Read the JSON body.

        Parameters
        ----------
        body : dict
            Of an accepted ``POST /prompt``.

        Returns
        -------
        PromptReply
            What the body lacks stays empty.

        Examples
        --------
        >>> PromptReply.parse({"prompt_id": "a1", "number": 7}).number
        7
        """
        number = body.get("number")
        node_errors = body.get("node_errors")
        return cls(
            words(body.get("prompt_id")),
            number if isinstance(number, (int, float)) else 0,
            node_errors if isinstance(node_errors, dict) else {},
            _rest(body, "prompt_id", "number", "node_errors"),
        )


@dataclass(frozen=True)
class QueueItem:
    """A prompt that waits or runs.

    Attributes
    ----------
    number : float
        Place in the queue's order; the lowest runs first.
    prompt_id : str
        Its id.
    prompt : dict
        API format.
    extra_data : dict
        What was sent along: the client id, the editor's form.
    outputs_to_execute : tuple of str, default ()
        Ids of the output nodes that run.

    Examples
    --------
    >>> QueueItem(7, "a1", {}, {"client_id": "me"}, ("9",))
    QueueItem(number=7, prompt_id='a1', outputs_to_execute=('9',))
    """

    number: float
    prompt_id: str
    prompt: Mapping[str, Any] = field(repr=False)
    extra_data: Mapping[str, Any] = field(repr=False)
    outputs_to_execute: tuple[str, ...] = ()


@dataclass(frozen=True)
class Queue:
    """``GET /queue``.

    Attributes
    ----------
    queue_running : tuple of QueueItem, default ()
        What runs now; one prompt at most on today's servers.
    queue_pending : tuple of QueueItem, default ()
        What waits, in the order in which it will run (the server sends a heap).

    Examples
    --------
    >>> queue = Queue.parse({"queue_running": [[7, "a1", {}, {}, ["9"]]], "queue_pending": []})
    >>> queue.queue_running
    (QueueItem(number=7, prompt_id='a1', outputs_to_execute=('9',)),)
    """

    queue_running: tuple[QueueItem, ...] = ()
    queue_pending: tuple[QueueItem, ...] = ()

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Queue:
        """Read the JSON body.

        Parameters
        ----------
        body : dict
            Of ``GET /queue``.

        Returns
        -------
        Queue
            Items that are no queue items are left out.

        Examples
        --------
        >>> queue = Queue.parse({"queue_pending": [[8, "b2", {}, {}, ["9"]], [7, "a1", {}, {}, ["9"]]]})
        >>> [item.prompt_id for item in queue.queue_pending]
        ['a1', 'b2']
        """
        pending = sorted(_queue_items(body.get("queue_pending")), key=lambda item: (item.number, item.prompt_id))
        return cls(tuple(_queue_items(body.get("queue_running"))), tuple(pending))

    @cached_property
    def _ranked(self) -> dict[str, tuple[int, QueueItem]]:
        order = [*self.queue_running, *self.queue_pending]
        # The first of several with one id counts.
        return {item.prompt_id: (rank, item) for rank, item in reversed(list(enumerate(order)))}

    def position(self, prompt_id: str) -> int | None:
        """How many prompts will run before this one.

        Parameters
        ----------
        prompt_id : str
            Its id.

        Returns
        -------
        int or None
            0 when it runs now, None when it is not in the queue.

        Examples
        --------
        >>> queue = Queue.parse({"queue_running": [[6, "now", {}]], "queue_pending": [[7, "next", {}]]})
        >>> queue.position("now"), queue.position("next"), queue.position("gone")
        (0, 1, None)
        """
        return self._ranked[prompt_id][0] if prompt_id in self._ranked else None

    def find(self, prompt_id: str) -> QueueItem | None:
        """The prompt with this id, waiting or running.

        Parameters
        ----------
        prompt_id : str
            Its id.

        Returns
        -------
        QueueItem or None
            None when it is not in the queue.

        Examples
        --------
        >>> Queue.parse({"queue_pending": [[7, "a1", {}, {}, ["9"]]]}).find("a1")
        QueueItem(number=7, prompt_id='a1', outputs_to_execute=('9',))
        """
        return self._ranked[prompt_id][1] if prompt_id in self._ranked else None

    def running(self, prompt_id: str) -> bool:
        """Whether a prompt runs now.

        Parameters
        ----------
        prompt_id : str
            Its id.

        Returns
        -------
        bool
            False when it waits, and when it is not in the queue.

        Examples
        --------
        >>> Queue.parse({"queue_running": [[7, "a1", {}]]}).running("a1")
        True
        """
        return any(item.prompt_id == prompt_id for item in self.queue_running)


def _queue_items(items: object) -> Iterator[QueueItem]:
    for item in items if isinstance(items, list) else ():
        if isinstance(item, list) and len(item) >= 3:
            prompt, extra, outputs = ([*item[2:], None, None, None])[:3]
            number = item[0] if isinstance(item[0], (int, float)) and not math.isnan(item[0]) else 0
            yield QueueItem(
                number,
                words(item[1]),
                prompt if isinstance(prompt, dict) else {},
                extra if isinstance(extra, dict) else {},
                tuple(map(words, outputs)) if isinstance(outputs, list) else (),
            )


@dataclass(frozen=True)
class HistoryStatus:
    """How a prompt ended, as the history tells it.

    Attributes
    ----------
    status_str : str or None, default None
        "success" or "error"; "error" of an interrupted prompt too.
    completed : bool or None, default None
        Whether all of it ran.
    messages : tuple of Event, default ()
        The messages about the run that the server kept, oldest first.

    Examples
    --------
    >>> HistoryEntry.parse("a1", {"status": {"status_str": "success", "completed": True}}).status
    HistoryStatus(status_str='success', completed=True, messages=())
    """

    status_str: str | None = None
    completed: bool | None = None
    messages: tuple[Event, ...] = ()


@dataclass(frozen=True)
class HistoryEntry:
    """What the server remembers of a finished prompt.

    Attributes
    ----------
    prompt_id : str
        Its id.
    number : float, default 0
        The place that it had in the queue's order.
    prompt : dict, default {}
        The API prompt after the server's own conversions.
    extra_data : dict, default {}
        What was sent along: the client id, the editor's form.
    outputs_to_execute : tuple of str, default ()
        Ids of the output nodes that ran.
    outputs : dict, default {}
        ``{node id: {key: list}}``; also filled for a failed or cancelled prompt, with what came before its end.
    status : HistoryStatus
        How it ended; empty by default.
    meta : dict, default {}
        For each node with output: its id, and the node that shows it in the editor.
    extra : dict, default {}
        All other fields of the body.

    Examples
    --------
    >>> job = client.submit(example(), width=64, height=64, steps=1).wait()
    >>> entry = client.history(job.prompt_id)
    >>> entry.outcome, len(entry.files)
    ('completed', 1)
    """

    prompt_id: str
    number: float = 0
    prompt: Mapping[str, Any] = field(default_factory=dict, repr=False)
    extra_data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    outputs_to_execute: tuple[str, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    status: HistoryStatus = field(default_factory=HistoryStatus)
    meta: Mapping[str, Any] = field(default_factory=dict, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, prompt_id: str, body: Mapping[str, Any]) -> HistoryEntry:
        """Read one value of the ``/history`` object.

        Parameters
        ----------
        prompt_id : str
            Its key there.
        body : dict
            The value.

        Returns
        -------
        HistoryEntry
            What the body lacks stays empty.

        Examples
        --------
        >>> entry = HistoryEntry.parse("a1", {"outputs": {"9": {"images": [{"filename": "a.png"}]}}})
        >>> [file.filename for file in entry.files]
        ['a.png']
        """
        items = list(_queue_items([body.get("prompt")]))
        item = items[0] if items else QueueItem(0, prompt_id, {}, {})
        status, outputs, meta = body.get("status"), body.get("outputs"), body.get("meta")
        return cls(
            prompt_id,
            item.number,
            item.prompt,
            item.extra_data,
            item.outputs_to_execute,
            outputs if isinstance(outputs, dict) else {},
            _history_status(status if isinstance(status, dict) else {}),
            meta if isinstance(meta, dict) else {},
            _rest(body, "prompt", "outputs", "status", "meta"),
        )

    @property
    def files(self) -> tuple[File, ...]:
        """All files that the prompt wrote, each once."""
        return files_of(self.outputs)

    @property
    def texts(self) -> tuple[str, ...]:
        """All text that output nodes gave."""
        return texts_of(self.outputs)

    @property
    def error(self) -> ExecutionError | None:
        """What went wrong, where a node failed."""
        for event in self.status.messages:
            if isinstance(event, ExecutionError) and not event.blocked:
                return event
        return None

    @property
    def outcome(self) -> Outcome:
        """How it ended; the messages decide, since an interrupted prompt has ``status_str`` "error" too."""
        for event in reversed(self.status.messages):
            if isinstance(event, ExecutionInterrupted):
                return "cancelled"
            if isinstance(event, ExecutionError) and not event.blocked:
                return "failed"
            if isinstance(event, ExecutionSuccess):
                return "completed"
        return "failed" if self.status.status_str == "error" else "completed"


def _history_status(status: Mapping[str, Any]) -> HistoryStatus:
    messages, text, completed = status.get("messages"), status.get("status_str"), status.get("completed")
    return HistoryStatus(
        text if isinstance(text, str) else None,
        completed if isinstance(completed, bool) else None,
        tuple(event_from_history(message) for message in messages) if isinstance(messages, list) else (),
    )


@dataclass(frozen=True)
class System:
    """The ``system`` part of ``/system_stats``; what the server does not say is None.

    Attributes
    ----------
    os : str or None, default None
        Such as "posix".
    ram_total, ram_free : int or None, default None
        Memory in bytes.
    comfyui_version, python_version, pytorch_version : str or None, default None
        As the server writes them.
    embedded_python : bool or None, default None
        Whether it is the Windows package that brings its own Python.
    argv : list of str or None, default None
        The command line of the server.
    extra : dict, default {}
        All other fields.

    Examples
    --------
    >>> SystemStats.parse({"system": {"comfyui_version": "0.33.0", "ram_total": 68719476736}}).system.ram_total / 2**30
    64.0
    """

    os: str | None = None
    ram_total: int | None = None
    ram_free: int | None = None
    comfyui_version: str | None = None
    python_version: str | None = None
    pytorch_version: str | None = None
    embedded_python: bool | None = None
    argv: list[str] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Device:
    """One compute device of ``/system_stats``; what the server does not say is None.

    Attributes
    ----------
    name : str or None, default None
        Such as "cuda:0 NVIDIA GeForce RTX 4090".
    type : str or None, default None
        "cuda", "cpu", "mps", ...
    index : int or None, default None
        Its number.
    vram_total, vram_free : int or None, default None
        Memory of the device in bytes.
    torch_vram_total, torch_vram_free : int or None, default None
        The part that PyTorch holds, in bytes.
    extra : dict, default {}
        All other fields.

    Examples
    --------
    >>> device = Device("cuda:0", "cuda", 0, vram_total=25757220864, vram_free=12878610432)
    >>> device.vram_free / device.vram_total
    0.5
    """

    name: str | None = None
    type: str | None = None
    index: int | None = None
    vram_total: int | None = None
    vram_free: int | None = None
    torch_vram_total: int | None = None
    torch_vram_free: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SystemStats:
    """``GET /system_stats``: the machine, its versions and devices, under ComfyUI's own names.

    Attributes
    ----------
    system : System
        The machine and the versions; empty by default.
    devices : tuple of Device, default ()
        The compute devices.

    Examples
    --------
    >>> stats = client.system_stats()
    >>> [device.type for device in stats.devices]
    ['cpu']
    """

    system: System = field(default_factory=System)
    devices: tuple[Device, ...] = ()

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> SystemStats:
        """Read the JSON body.

        Parameters
        ----------
        body : dict
            Of ``GET /system_stats``.

        Returns
        -------
        SystemStats
            What the body lacks stays empty.

        Examples
        --------
        >>> SystemStats.parse({"devices": [{"name": "cpu", "type": "cpu"}]}).devices[0].name
        'cpu'
        """
        system, devices = body.get("system"), body.get("devices")
        return cls(
            _pick(System, system if isinstance(system, dict) else {}),
            tuple(_pick(Device, item) for item in devices if isinstance(item, dict))
            if isinstance(devices, list)
            else (),
        )


_T = TypeVar("_T", System, Device)


def _pick(cls: type[_T], body: Mapping[str, Any]) -> _T:
    names = [item.name for item in fields(cls) if item.name != "extra"]
    return cls(**{name: body.get(name) for name in names}, extra=_rest(body, *names))


def _rest(body: Mapping[str, Any], *known: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in known}
