"""The queue of prompts and the history of those that ended."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from .graph import Prompt

HISTORY_LIMIT = 10_000
SECRETS = ("auth_token_comfy_org", "api_key_comfy_org")
"""Keys of extra_data that go to no one: not into /queue, not into /history."""


@dataclass(order=True)
class Item:
    """One queued prompt; sorts by number, then id, then order of arrival."""

    number: float
    prompt_id: str
    arrival: int
    prompt: Prompt = field(compare=False)
    extra_data: dict[str, Any] = field(compare=False)
    outputs: list[str] = field(compare=False)

    @property
    def client_id(self) -> str | None:
        """Whose socket hears about this run; None: everybody hears a part of it."""
        client = self.extra_data.get("client_id")
        return None if client is None else str(client)

    def wire(self) -> list[Any]:
        """Return the five elements that /queue and /history show."""
        public = {key: value for key, value in self.extra_data.items() if key not in SECRETS}
        return [self.number, self.prompt_id, self.prompt, public, self.outputs]


class PromptQueue:
    """Pending prompts, the running one, and history; changes are atomic: a prompt is always in exactly one place."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pending: list[Item] = []
        self._running: Item | None = None
        self._history: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._arrivals = itertools.count()
        self._interrupt = False
        self._closed = False
        self._free: set[str] = set()

    # The queue

    def put(
        self, number: float, prompt_id: str, prompt: Prompt, extra_data: dict[str, Any], outputs: list[str]
    ) -> None:
        """Add a prompt."""
        with self._changed:
            heapq.heappush(self._pending, Item(number, prompt_id, next(self._arrivals), prompt, extra_data, outputs))
            self._changed.notify_all()

    def take(self) -> Item | None:
        """Wait for work and make it the running prompt; None when only `free` was asked for, or on `close`."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._free or self._closed)
            if self._closed or not self._pending:
                return None
            self._interrupt = False
            self._running = heapq.heappop(self._pending)
            return self._running

    def finish(self, item: Item, entry: dict[str, Any]) -> None:
        """Move the running prompt to the history."""
        with self._changed:
            self._running = None
            self._history.pop(item.prompt_id, None)
            self._history[item.prompt_id] = entry
            while len(self._history) > HISTORY_LIMIT:
                self._history.popitem(last=False)

    def close(self) -> None:
        """Let `take` return None from now on and interrupt what runs."""
        with self._changed:
            self._closed = True
            self._interrupt = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def remaining(self) -> int:
        """Return how many prompts are pending or running."""
        with self._changed:
            return len(self._pending) + (self._running is not None)

    def snapshot(self) -> tuple[list[Item], list[Item]]:
        """Return (running, pending); pending is in heap order, as ComfyUI shows it."""
        with self._changed:
            return ([self._running] if self._running else []), list(self._pending)

    def delete(self, prompt_id: str) -> bool:
        """Remove one pending prompt of that id; tell whether there was one."""
        with self._changed:
            for index, item in enumerate(self._pending):
                if item.prompt_id == prompt_id:
                    del self._pending[index]
                    heapq.heapify(self._pending)
                    return True
            return False

    def clear(self) -> None:
        """Remove all pending prompts."""
        with self._changed:
            self._pending.clear()

    # Interrupting, freeing

    def interrupt(self, prompt_id: str | None = None) -> bool:
        """Interrupt the running prompt (only if it has the id, when one is given); tell whether one was hit."""
        with self._changed:
            if self._running is None or (prompt_id is not None and self._running.prompt_id != prompt_id):
                return False
            self._interrupt = True
            return True

    @property
    def interrupted(self) -> bool:
        """Whether the running prompt shall stop."""
        return self._interrupt

    def free(self, what: set[str]) -> None:
        """Ask the worker to free "models" and/or "memory" after the current prompt."""
        with self._changed:
            self._free |= what
            self._changed.notify_all()

    def take_free(self) -> set[str]:
        """Return what is to be freed, and forget the wish."""
        with self._changed:
            wanted, self._free = self._free, set()
            return wanted

    # History

    def history(self, max_items: int | None = None, offset: int = -1) -> dict[str, dict[str, Any]]:
        """Return entries by prompt id, oldest first; `max_items` alone means the newest ones."""
        with self._changed:
            entries = list(self._history.items())
        if offset < 0 and max_items is not None:
            offset = max(0, len(entries) - max_items) if max_items >= 0 else len(entries)
        start = max(0, offset)
        stop = len(entries) if max_items is None else max(start, start + max_items)
        return dict(entries[start:stop])

    def entry(self, prompt_id: str) -> dict[str, Any] | None:
        """Return one history entry, or None."""
        with self._changed:
            return self._history.get(prompt_id)

    def forget(self, prompt_id: str) -> None:
        """Delete one history entry if there is one."""
        with self._changed:
            self._history.pop(prompt_id, None)

    def forget_all(self) -> None:
        """Delete the history."""
        with self._changed:
            self._history.clear()

    def find(self, prompt_id: str) -> tuple[str, Item | dict[str, Any]] | None:
        """Look a prompt up in one step: ("in_progress" | "pending", item) or ("history", entry), or None."""
        with self._changed:
            if self._running is not None and self._running.prompt_id == prompt_id:
                return "in_progress", self._running
            for item in self._pending:
                if item.prompt_id == prompt_id:
                    return "pending", item
            entry = self._history.get(prompt_id)
            return None if entry is None else ("history", entry)
