"""Total deadlines: an exchange that drips a byte a second ends too, whatever its sockets' own timeouts say.

A socket's timeout counts from byte to byte. Here one thread looks at all exchanges that are under way and shuts the
sockets of those whose time is up, and of all when the client is closed; whoever waits for them then gets an error.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

_IDLE = 5.0
"""Seconds after which the thread ends when nothing is under way; the next exchange starts it again."""


class Endable(Protocol):
    """A socket, or what has one."""

    def shutdown(self, how: int, /) -> None:
        """Shut it."""
        ...


class Limit:
    """The time that one exchange may take.

    Attributes
    ----------
    expired : bool
        Whether its time was up.
    cut : bool
        Whether its sockets were shut, by the deadline or because the client was closed.
    """

    def __init__(self, seconds: float, bytes_per_second: float | None) -> None:
        self.deadline = time.monotonic() + seconds
        self.expired = False
        self.cut = False
        self._bytes_per_second = bytes_per_second
        self._sockets: list[Endable] = []
        self._lock = threading.Lock()

    @property
    def seconds_left(self) -> float:
        """Until its time is up; never below 0."""
        return max(0.0, self.deadline - time.monotonic())

    def attach(self, sock: Endable) -> None:
        """The exchange goes over this socket from now on."""
        with self._lock:
            self._sockets.append(sock)
            if not self.cut:
                return
        _shut(sock)

    def moved(self, count: int) -> None:
        """So many bytes went over the wire; a large file may take longer than a short answer."""
        if self._bytes_per_second is not None:
            self.deadline += count / self._bytes_per_second

    def end(self, *, expired: bool) -> None:
        """Shut its sockets."""
        with self._lock:
            self.cut, self.expired = True, self.expired or expired
            sockets = list(self._sockets)
        for sock in sockets:
            _shut(sock)


class Deadlines:
    """The exchanges of one client that are under way."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way: set[Limit] = set()
        self._thread: threading.Thread | None = None
        self._next_look = 0.0
        self._closed = False

    @contextmanager
    def limit(self, seconds: float, bytes_per_second: float | None = None) -> Iterator[Limit]:
        """The limit of an exchange, for as long as the block runs.

        Parameters
        ----------
        seconds : float
            For all of it together.
        bytes_per_second : float, optional
            The least rate at which a file must come; the time grows with each byte that does.
        """
        limit = Limit(seconds, bytes_per_second)
        with self._changed:
            self._under_way.add(limit)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="comfy-deadlines", daemon=True)
                self._thread.start()
            elif limit.deadline < self._next_look:
                self._changed.notify()
        try:
            yield limit
        finally:
            with self._changed:
                self._under_way.discard(limit)
                if self._closed and not self._under_way:
                    self._changed.notify()

    def cut_all(self) -> None:
        """End all exchanges that are under way, and the thread as soon as there are none."""
        with self._changed:
            self._closed = True
            under_way = list(self._under_way)
            self._changed.notify()
        for limit in under_way:
            limit.end(expired=False)

    def _run(self) -> None:
        idle_since = time.monotonic()
        while True:
            with self._changed:
                now = time.monotonic()
                due = [limit for limit in self._under_way if limit.deadline <= now]
                later = [limit.deadline for limit in self._under_way if limit.deadline > now]
                if not self._under_way and (self._closed or now - idle_since >= _IDLE):
                    self._thread = None
                    return
                if self._under_way:
                    idle_since = now
                if not due:
                    self._next_look = min(later, default=now + _IDLE)
                    self._changed.wait(self._next_look - now)
                    continue
                # Ended once: who waits for it takes it away.
                self._under_way.difference_update(due)
            for limit in due:
                limit.end(expired=True)


def _shut(sock: Endable) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
