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
    number : float
        Place in the queue's order; the lowest runs first.
    node_errors : dict
        Not empty although the prompt was accepted: output nodes that the server left out.
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

        Returns
        -------
        PromptReply
            What the body lacks stays empty.
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
    """A prompt that waits or runs."""

    number: float
    prompt_id: str
    prompt: Mapping[str, Any] = field(repr=False)
    extra_data: Mapping[str, Any] = field(repr=False)
    outputs_to_execute: tuple[str, ...] = ()


@dataclass(frozen=True)
class Queue:
    """``GET /queue``, the pending prompts in the order in which they will run (the server sends a heap)."""

    queue_running: tuple[QueueItem, ...] = ()
    queue_pending: tuple[QueueItem, ...] = ()

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Queue:
        """Read the JSON body.

        Parameters
        ----------
        body : dict

        Returns
        -------
        Queue
            Items that are no queue items are left out.
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

        Returns
        -------
        int or None
            0 when it runs now, None when it is not in the queue.
        """
        return self._ranked[prompt_id][0] if prompt_id in self._ranked else None

    def find(self, prompt_id: str) -> QueueItem | None:
        """The prompt with this id, waiting or running.

        Parameters
        ----------
        prompt_id : str

        Returns
        -------
        QueueItem or None
        """
        return self._ranked[prompt_id][1] if prompt_id in self._ranked else None

    def running(self, prompt_id: str) -> bool:
        """Whether a prompt runs now.

        Parameters
        ----------
        prompt_id : str

        Returns
        -------
        bool
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
    """How a prompt ended: ``messages`` are the state messages that the server kept."""

    status_str: str | None = None
    completed: bool | None = None
    messages: tuple[Event, ...] = ()


@dataclass(frozen=True)
class HistoryEntry:
    """What the server remembers of a finished prompt.

    Attributes
    ----------
    prompt_id : str
    number : float
    prompt : dict
        The API prompt after the server's own conversions.
    extra_data : dict
    outputs_to_execute : tuple of str
    outputs : dict
        ``{node id: {key: list}}``; also filled for a failed or cancelled prompt, with what came before its end.
    status : HistoryStatus
    meta : dict
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

        Returns
        -------
        HistoryEntry
            What the body lacks stays empty.
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
    """The ``system`` part of ``/system_stats``; sizes in bytes."""

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
    """One compute device of ``/system_stats``; sizes in bytes."""

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
    """``GET /system_stats``: the machine, its versions and devices, under ComfyUI's own names."""

    system: System = field(default_factory=System)
    devices: tuple[Device, ...] = ()

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> SystemStats:
        """Read the JSON body.

        Parameters
        ----------
        body : dict

        Returns
        -------
        SystemStats
            What the body lacks stays empty.
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
