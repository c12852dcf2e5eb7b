"""What a ComfyUI server remembers while it runs: the queue, the history, the files."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ._catalog import Prompt

Item = dict[str, str]
"""One file as ComfyUI names it: filename, subfolder, type."""


@dataclass
class Queued:
    """One prompt in the queue."""

    number: float
    prompt_id: str
    prompt: Prompt
    extra_data: dict[str, Any]
    outputs: list[str]
    script: Callable[[Any], None]
    stopped: threading.Event
    interrupted: threading.Event = field(default_factory=threading.Event)

    @property
    def client_id(self) -> str | None:
        """Who hears of the run."""
        client_id = self.extra_data.get("client_id")
        return client_id if isinstance(client_id, str) else None

    def as_list(self) -> list[Any]:
        """Item as ``/queue`` and history tell it."""
        return [self.number, self.prompt_id, self.prompt, self.extra_data, self.outputs]


class State:
    """Queue and history of one life of the server; a restarted server begins with a new one."""

    def __init__(self) -> None:
        self.stopped: threading.Event = threading.Event()
        self.pending: list[Queued] = []
        self.running: Queued | None = None
        self.executing: str | None = None
        self.history: dict[str, dict[str, Any]] = {}
        self._number = 0
        self._changed = threading.Condition(threading.RLock())

    def next_number(self, number: float | None, front: bool) -> float:
        """Number of a prompt: counted up, even when the prompt is refused."""
        with self._changed:
            counted = self._number
            self._number += 1
        if number is not None:
            return number
        return -counted if front else counted

    def enqueue(self, item: Queued) -> None:
        """Put a prompt into the queue."""
        with self._changed:
            self.pending.append(item)
            self._changed.notify_all()

    def take(self) -> Queued | None:
        """Wait for the next prompt and make it the running one; None when the server stops."""
        with self._changed:
            while not self.pending and not self.stopped.is_set():
                self._changed.wait()
            if self.stopped.is_set():
                return None
            item = min(self.pending, key=lambda item: (item.number, item.prompt_id))
            self.pending.remove(item)
            self.running, self.executing = item, None
            return item

    def finished(self, item: Queued, entry: dict[str, Any] | None) -> None:
        """Move the running prompt into history, or out of it all when there is no entry."""
        with self._changed:
            self.running = self.executing = None
            if entry is not None:
                self.history[item.prompt_id] = entry
            self._changed.notify_all()

    def delete(self, wanted: Callable[[Queued], bool]) -> bool:
        """Drop pending prompts; says whether there were any."""
        with self._changed:
            kept = [item for item in self.pending if not wanted(item)]
            dropped = len(kept) < len(self.pending)
            self.pending = kept
            return dropped

    def interrupt(self, prompt_id: str | None) -> bool:
        """Interrupt the running prompt, if it is this one; says whether it was."""
        with self._changed:
            hit = self.running is not None and prompt_id in (None, self.running.prompt_id)
            if hit and self.running is not None:
                self.running.interrupted.set()
            return hit

    def snapshot(self) -> tuple[list[Queued], list[Queued]]:
        """Running and pending prompts at one moment."""
        with self._changed:
            return [] if self.running is None else [self.running], list(self.pending)

    @property
    def remaining(self) -> int:
        """Prompts that are pending or running."""
        running, pending = self.snapshot()
        return len(running) + len(pending)

    def stop(self) -> None:
        """End this life."""
        with self._changed:
            self.stopped.set()
            self._changed.notify_all()


class Files:
    """The files of the server: ``input``, ``output`` and ``temp``."""

    def __init__(self) -> None:
        self._content: dict[tuple[str, str, str], bytes] = {}

    def add(self, prefix: str, content: bytes, folder: str = "output") -> Item:
        """Store under the next free name that begins with `prefix`, as SaveImage does."""
        subfolder, _, stem = prefix.rpartition("/")
        count = 1
        while (folder, subfolder, f"{stem}_{count:05}_.png") in self._content:
            count += 1
        return self.put(f"{stem}_{count:05}_.png", content, subfolder, folder)

    def put(self, filename: str, content: bytes, subfolder: str = "", folder: str = "input") -> Item:
        """Store under this very name."""
        self._content[folder, subfolder, filename] = content
        return {"filename": filename, "subfolder": subfolder, "type": folder}

    def get(self, filename: str, subfolder: str = "", folder: str = "output") -> bytes | None:
        """Content of a file; None when there is none."""
        return self._content.get((folder, subfolder, filename))

    def delete(self, filename: str, subfolder: str = "", folder: str = "output") -> None:
        """Delete a file, if it is there."""
        self._content.pop((folder, subfolder, filename), None)

    def wipe_temp(self) -> None:
        """Delete what a restart deletes."""
        for key in [key for key in self._content if key[0] == "temp"]:
            del self._content[key]
