"""The threads of the widgets: the pump, which tells browsers what is new, the worker, which does slow work, and the
asker, which waits for servers.

The browser needs the newest state of a job, and no more of it than it can paint. So whatever a server sends, no more
than `MAX_RATE` messages of a kind leave each widget in a second; the first leaves at once, and the last one always
does. Each thread is there only while it has something to do.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol
from weakref import WeakKeyDictionary

logger = logging.getLogger(__name__)

MAX_RATE = 15.0
"""Flushes a second. A browser paints a 512-pixel preview in about 30 ms; more than these pile up in its queue."""


class Source(Protocol):
    """A widget that has something to tell."""

    @property
    def ending(self) -> bool:
        """Whether what it tells of has ended, and only has to be told."""

    def flush(self) -> float | None:
        """Tell the browser what is new; return in how many seconds to call again unasked, None for never."""


class Pump:
    """Flushes sources when they are woken, each at most `rate` times a second.

    Parameters
    ----------
    rate : float
        Flushes of one source in a second.
    """

    def __init__(self, rate: float = MAX_RATE) -> None:
        self._period = 1 / rate
        self._changed = threading.Condition()
        self._due: dict[Source, float] = {}
        self._last: WeakKeyDictionary[Source, float] = WeakKeyDictionary()
        self._flushing: Source | None = None
        self._dropped = False
        self._thread: threading.Thread | None = None

    def wake(self, source: Source) -> None:
        """Flush a source as soon as its rate allows. From any thread, and cheap."""
        with self._changed:
            due = self._last.get(source, -self._period) + self._period
            known = self._due.get(source)
            if known is not None and known <= due:
                return
            self._due[source] = due
            self._changed.notify_all()
            if self._thread is not None:
                return
            self._thread = thread = threading.Thread(target=self._work, name="comfy-widgets-pump", daemon=True)
        # Not under the lock: the collector may run in the new thread before it is started, and come back here.
        thread.start()

    def drop(self, source: Source) -> None:
        """Flush a source no more. When this returns, no flush of it is going on, unless it is that flush that calls."""
        with self._changed:
            self._due.pop(source, None)
            if self._flushing is source:
                self._dropped = True
            # The thread may be asleep until this source would have been due.
            self._changed.notify_all()
            if threading.current_thread() is not self._thread:
                self._changed.wait_for(lambda: self._flushing is not source, timeout=10)

    def drain(self, timeout: float) -> bool:
        """Wait until all that has ended is told; False if that took too long. What still runs is not waited for."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._is_ending(), timeout)

    def _is_ending(self) -> bool:
        busy = [*self._due] if self._flushing is None else [*self._due, self._flushing]
        return any(source.ending for source in busy)

    @property
    def running(self) -> bool:
        """Whether the thread is there."""
        return self._thread is not None

    def stop(self) -> None:
        """Forget all sources, and wait for the thread to end."""
        with self._changed:
            self._due.clear()
            # A flush that is going on must not ask for the next.
            self._dropped = True
            thread = self._thread
            self._changed.notify_all()
        if thread is not None and thread.is_alive() and thread is not threading.current_thread():
            thread.join(timeout=10)

    def _work(self) -> None:
        while self._flush_next():
            pass

    def _flush_next(self) -> bool:
        """Wait for the source that is due next, and flush it; False when there is none any more."""
        # A method of its own: its names must not hold a closed widget while the thread sleeps.
        with self._changed:
            source = self._next()
            if source is None:
                self._thread = None
                return False
            del self._due[source]
            self._last[source] = time.monotonic()
            self._flushing, self._dropped = source, False
        again: float | None = None
        try:
            again = source.flush()
        except Exception:
            # One broken widget must not silence the others.
            logger.exception("a widget could not be brought up to date")
        with self._changed:
            self._flushing = None
            if again is not None and not self._dropped:
                due = time.monotonic() + max(again, self._period)
                self._due[source] = min(due, self._due.get(source, due))
            self._changed.notify_all()
        return True

    def _next(self) -> Source | None:
        while self._due:
            left = min(self._due.values()) - time.monotonic()
            if left <= 0:
                return min(self._due, key=self._due.__getitem__)
            self._changed.wait(left)
        return None


class Worker:
    """Does tasks one after the other in a thread of its own: making images small, calling observers.

    Parameters
    ----------
    name : str
        Of its thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._tasks: deque[Callable[[], object]] = deque()
        self._thread: threading.Thread | None = None

    def submit(self, task: Callable[[], object]) -> None:
        """Do a task after those that wait already. From any thread."""
        with self._changed:
            self._tasks.append(task)
            if self._thread is not None:
                return
            self._thread = thread = threading.Thread(target=self._work, name=f"comfy-widgets-{self._name}", daemon=True)
        thread.start()

    @property
    def is_here(self) -> bool:
        """Whether this is the worker's own thread, which cannot wait for itself."""
        with self._changed:
            return self._thread is threading.current_thread()

    def wait(self, timeout: float = 10.0) -> bool:
        """Wait until the tasks that are there now are done; False if that took too long."""
        with self._changed:
            if self._thread is None or self._thread is threading.current_thread():
                return True
            done = threading.Event()
            self._tasks.append(done.set)
        return done.wait(timeout)

    def _work(self) -> None:
        while self._do_next():
            pass

    def _do_next(self) -> bool:
        with self._changed:
            if not self._tasks:
                self._thread = None
                return False
            task = self._tasks.popleft()
        try:
            task()
        except Exception:
            logger.exception("a task of the widgets failed")
        return True


pump = Pump()
worker = Worker("worker")
asker = Worker("asker")
"""Asks servers for lists: where that takes long, no image waits for it."""
atexit.register(pump.stop)
