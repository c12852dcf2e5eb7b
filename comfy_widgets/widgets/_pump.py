"""The one thread of the widgets: it reads what jobs say and tells the page, a dozen times a second.

Jobs are read, never subscribed to: a page needs the newest state and no more of it than it can paint. So whatever a
server sends, no more than `RATE` messages a second leave for each widget, and the last one always does.

The thread is there only while something runs.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from typing import Protocol

logger = logging.getLogger("comfy_widgets")

RATE = 13.0
"""Beats a second. A page paints a 512-pixel preview in about 30 ms; more than 15 a second pile up in its queue."""


class Source(Protocol):
    """A widget that has something to tell."""

    @property
    def ending(self) -> bool:
        """Whether what it tells of has ended, and only has to be told."""

    def beat(self) -> bool:
        """Tell the page what is new; return whether there will be more."""


class Pump:
    """Beats its sources until each of them says that it has no more to tell."""

    def __init__(self, rate: float = RATE) -> None:
        self._period = 1 / rate
        self._changed = threading.Condition()
        self._sources: dict[Source, bool] = {}
        self._urgent = False
        self._beating = False
        self._thread: threading.Thread | None = None

    def wake(self, source: Source) -> None:
        """Beat a source from now on, the first time at once. From any thread, and cheap."""
        with self._changed:
            # Marked anew: a source that is just being beaten for the last time is beaten once more.
            self._sources[source] = True
            self._urgent = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="comfy-widgets-pump", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def drop(self, source: Source) -> None:
        """Beat a source no more. When this returns, no beat of it is going on, unless it is that beat that calls."""
        with self._changed:
            self._sources.pop(source, None)
            if threading.current_thread() is not self._thread:
                self._changed.wait_for(lambda: not self._beating, timeout=10)

    def settle(self, timeout: float) -> bool:
        """Wait until all that has ended is told; False if that took too long. What still runs is not waited for."""
        with self._changed:
            return self._changed.wait_for(lambda: not any(source.ending for source in self._sources), timeout)

    @property
    def running(self) -> bool:
        """Whether the thread is there."""
        return self._thread is not None

    def stop(self) -> None:
        """Forget all sources, and wait for the thread to end."""
        with self._changed:
            self._sources.clear()
            thread = self._thread
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=10)

    def _run(self) -> None:
        while True:
            started = time.monotonic()
            self._round()
            with self._changed:
                self._beating = False
                self._changed.notify_all()
                if not self._sources:
                    self._thread = None
                    return
                left = self._period - (time.monotonic() - started)
                self._changed.wait_for(lambda: self._urgent or not self._sources, timeout=max(0.0, left))

    def _round(self) -> None:
        # A method of its own: its names must not hold a closed widget while the thread sleeps.
        with self._changed:
            self._urgent = False
            self._beating = bool(self._sources)
            self._sources = dict.fromkeys(self._sources, False)
            sources = list(self._sources)
        for source in sources:
            self._beat(source)

    def _beat(self, source: Source) -> None:
        if source not in self._sources:
            return
        try:
            more = source.beat()
        except Exception:
            # One broken widget must not silence the others.
            logger.exception("a widget could not be brought up to date")
            more = False
        with self._changed:
            if not more and not self._sources.get(source, True):
                del self._sources[source]


pump = Pump()
atexit.register(pump.stop)
