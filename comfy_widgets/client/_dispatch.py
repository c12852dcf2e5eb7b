"""Calling listeners without ever stalling the one who reads the socket.

Each listener has its own queue, served by one thread per client. State messages are never dropped; of kinds where
only the newest matters (previews, progress) a slow listener gets the newest. Only what never waits, such as putting a
value into a queue, may be called directly.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)


class Subscription:
    """A listener that can be taken away again; calling the subscription does so too.

    Made by `Job.on` and `ComfyClient.connect`.

    Attributes
    ----------
    active : bool
        Whether the listener is still called.

    Examples
    --------
    >>> job = client.submit(example(), width=64, height=64, steps=1)
    >>> subscription = job.on("progress", print)
    >>> subscription.cancel()
    >>> subscription.active
    False
    """

    def __init__(self, dispatcher: Dispatcher | None, callback: Callable[[Any], object], latest: bool = False) -> None:
        self._dispatcher = dispatcher
        self._callback = callback
        self._waiting: deque[Any] = deque(maxlen=1 if latest else None)
        self.active: bool = True

    def put(self, value: object) -> bool:
        """Hand over a value for the listener, and return at once.

        Parameters
        ----------
        value : object
            What the listener is called with.

        Returns
        -------
        bool
            False where nobody will be called any more.

        Examples
        --------
        >>> subscription = client.submit(example(), width=64, height=64, steps=1).on("progress", print)
        >>> subscription.cancel()
        >>> subscription.put("late")
        False
        """
        if self.active and self._dispatcher is None:
            self._callback(value)
        elif self.active and self._dispatcher is not None:
            self._waiting.append(value)
            return self._dispatcher.ready(self)
        return self.active

    def cancel(self) -> None:
        """Call the listener no more; values that wait are dropped.

        Examples
        --------
        >>> subscription = client.submit(example(), width=64, height=64, steps=1).on("progress", print)
        >>> subscription.cancel()
        """
        self.active = False
        self._waiting.clear()

    __call__ = cancel

    def run(self) -> None:
        """Call the listener with what waits now; what comes meanwhile waits until the others had their turn.

        The client's own thread does this. What the listener raises is logged.

        Examples
        --------
        >>> subscription = client.submit(example(), width=64, height=64, steps=1).on("progress", print)
        >>> subscription.cancel()
        >>> subscription.run()  # nothing waits any more
        """
        for _ in range(len(self._waiting)):
            try:
                value = self._waiting.popleft()
            except IndexError:
                return
            try:
                self._callback(value)
            except Exception:
                logger.exception("a listener failed")


class Dispatcher:
    """The thread that calls listeners; it starts with the first value and ends with `close`."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._ready: dict[Subscription, None] = {}
        self._thread: threading.Thread | None = None
        self._closed = False

    def subscribe(self, callback: Callable[[Any], object], *, latest: bool = False) -> Subscription:
        """Add a listener; with ``latest`` only the newest value is kept for it while it is busy."""
        return Subscription(self, callback, latest)

    @staticmethod
    def direct(callback: Callable[[Any], object]) -> Subscription:
        """A listener that is called by whoever has a value; it must neither wait nor raise."""
        return Subscription(None, callback)

    def ready(self, subscription: Subscription) -> bool:
        """Tell that something waits for a listener; False where nobody will be called any more."""
        with self._condition:
            if self._closed:
                return False
            self._ready[subscription] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="comfy-callbacks", daemon=True)
                self._thread.start()
            self._condition.notify()
            return True

    def close(self) -> None:
        """End the thread once everything that waits was delivered."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=1.0)

    def _run(self) -> None:
        while self._wait():
            self._call()

    def _wait(self) -> bool:
        with self._condition:
            while not self._ready:
                if self._closed:
                    return False
                self._condition.wait()
            return True

    def _call(self) -> None:
        # A method of its own: its names must not hold a listener, and all that it knows, while the thread waits.
        with self._condition:
            batch, self._ready = self._ready, {}
        for subscription in batch:
            subscription.run()
