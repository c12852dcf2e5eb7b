"""The servers of a fleet as those see them who give them work: what each has, does, and did."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ..protocol import ComfyError, WorkflowError
from ._catalogs import Catalogs, in_words
from ._members import Member
from ._schedule import Line, Place, Scheduler, Work
from ._task import Stint, Task
from ._timings import megapixels, model_of

logger = logging.getLogger(__name__)

_REMEMBERED = 5000


class Roster:
    """The servers of a fleet.

    Parameters
    ----------
    window : int
        Prompts on a server at a time.

    Attributes
    ----------
    members : dict of Member
        By address.
    scheduler : Scheduler
        Decides who gets what; used with the lock held.
    stints : deque of Stint
        Who did what and when.
    """

    def __init__(self, window: int) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.members: dict[str, Member] = {}
        self.scheduler: Scheduler = Scheduler()
        self.catalogs: Catalogs = Catalogs({})
        self.stints: deque[Stint] = deque(maxlen=_REMEMBERED)
        self._window = window
        self._listeners: list[Callable[[], object]] = []

    def join(self, member: Member) -> None:
        """Take a server in."""
        with self.lock:
            self.members[member.name] = member
            self.scheduler.places[member.name] = Place(
                member.name, window=self._window, up=member.definitions is not None
            )
            self.compare()

    def compare(self) -> None:
        """What each server can run follows from what all of them have."""
        known = {name: m.definitions for name, m in self.members.items() if m.definitions is not None}
        self.catalogs = Catalogs(known)
        uploads: set[str] = set().union(*(member.uploads for member in self.members.values()))
        for name, place in self.scheduler.places.items():
            missing = uploads - self.members[name].uploads
            place.lacks = self.catalogs.lacks(name) | {("uploaded image", image) for image in missing}

    def uploaded(self, name: str, members: Sequence[Member]) -> None:
        """Take note that these servers have an image, and the others have not."""
        with self.lock:
            for member in members:
                member.uploads.add(name)
            self.compare()

    def refresh(self) -> None:
        """Ask all servers again what they have."""
        for member in list(self.members.values()):
            with suppress(ComfyError):
                member.look()
        with self.lock:
            self.compare()

    # What they can run

    def check(self, prompt: Mapping[str, Any]) -> None:
        """Make sure that some server can run a prompt.

        Raises
        ------
        WorkflowError
            None can; it says what each one lacks.
        """
        for node_id, node in prompt.items() if isinstance(prompt, Mapping) else [("", None)]:
            if not isinstance(node, Mapping) or not isinstance(node.get("inputs"), Mapping) or "class_type" not in node:
                where = f"node {node_id!r}" if node_id else "it"
                raise WorkflowError(f"This is no prompt in API format: {where} lacks class_type or inputs.")
        with self.lock:
            unknown = self.catalogs.unknown(prompt)
            if unknown is not None:
                raise WorkflowError(f"No server of the fleet has the node class {unknown!r}.", class_type=unknown)
            work = self.work(Line(), prompt)
            if not self.scheduler.able(work):
                raise WorkflowError(f"No server of the fleet can run this: {self.obstacles(work)}.")

    def work(self, line: Line, prompt: Mapping[str, Any]) -> Work:
        """Return what the scheduler has to know of a prompt."""
        needs = self.catalogs.needs(prompt)
        uploads: set[str] = set().union(*(member.uploads for member in self.members.values()))
        if uploads:
            values = {value for node in prompt.values() for value in node["inputs"].values() if isinstance(value, str)}
            needs |= {("uploaded image", image) for image in uploads & values}
        return Work(line, needs, model_of(prompt), megapixels(prompt))

    def obstacles(self, work: Work) -> str:
        """Say why no server can run it."""
        said = []
        for place in self.scheduler.places.values():
            lacking = sorted(work.needs & place.lacks)
            if self.members[place.name].definitions is None:
                said.append(f"{place.name} does not answer")
            elif lacking:
                said.append(f"{place.name} lacks {' and '.join(in_words(need) for need in lacking[:3])}")
            elif not place.able(work):
                said.append(f"the memory of {place.name} does not suffice for {work.model or 'it'} at this size")
        return "; ".join(said) or "there is none"

    # What they did

    def timeline(self) -> list[Stint]:
        """Return who did what and when, and what runs now."""
        now = time.time()
        with self.lock:
            running = [work for place in self.scheduler.places.values() for work in place.out if work.running]
            tasks: list[Task] = [work.payload for work in running]
            open_stints = [Stint(t.work.server, t.label, t.sent_at, now, "running") for t in tasks]
            return [*self.stints, *open_stints]

    def note(self, task: Task, server: str, outcome: str) -> None:
        """Take note of what a server did."""
        now, member = time.time(), self.members.get(server)
        if not server or not task.sent_at:
            return
        self.stints.append(Stint(server, task.label, task.sent_at, now, outcome))
        if member is not None and outcome == "completed":
            member.completed += 1
            member.seconds += now - task.sent_at
        elif member is not None and outcome == "failed":
            member.failed += 1

    def on_change(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Call ``listener`` when something has changed; return what takes it away again."""
        self._listeners = [*self._listeners, listener]

        def stop() -> None:
            self._listeners = [known for known in self._listeners if known is not listener]

        return stop

    def changed(self) -> None:
        """Tell the listeners."""
        for listener in self._listeners:
            try:
                listener()
            except Exception:
                logger.exception("a listener of the fleet failed")
