"""Daemon threads that work off calls; unlike those of `concurrent.futures` they never hold up the end of Python."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Pool:
    """Threads that are started when they are needed.

    Parameters
    ----------
    name : str
        Of the threads.
    limit : int
        How many there are at most.
    """

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._threads = 0
        self._idle = 0
        self._closed = False

    def submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call ``work`` in one of the threads.

        Raises
        ------
        RuntimeError
            The pool is closed.
        """
        future: Future[T] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("the pool is closed")
            self._waiting.append((future, lambda: work(*args, **kwargs)))
            if self._idle >= len(self._waiting) or self._threads >= self._limit:
                self._changed.notify()
            else:
                self._threads += 1
                threading.Thread(target=self._run, name=f"{self._name}-{self._threads}", daemon=True).start()
        return future

    def close(self, *, cancel: bool = False) -> None:
        """Take nothing more, and end the threads when the work is done; ``cancel`` drops what has not begun."""
        with self._changed:
            self._closed = True
            dropped = [future for future, _ in self._waiting] if cancel else []
            if cancel:
                self._waiting.clear()
            self._changed.notify_all()
        for future in dropped:
            future.cancel()
            future.set_running_or_notify_cancel()

    def join(self, timeout: float) -> bool:
        """After `close`, wait for the threads to end; False where they did not in so many seconds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._threads and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            return not self._threads

    def _run(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                while not self._waiting and not self._closed:
                    self._changed.wait()
                self._idle -= 1
                if not self._waiting:
                    self._threads -= 1
                    self._changed.notify_all()
                    return
                future, work = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                try:
                    result = work()
                except BaseException as error:
                    future.set_exception(error)
                else:
                    future.set_result(result)
            del future, work


class Lane:
    """Work that is done one piece after the other, as long as none takes too long.

    A piece that is not done after ``patience`` seconds goes on beside those after it.

    Parameters
    ----------
    name : str
        Of the threads.
    patience : float
        Seconds.
    """

    def __init__(self, name: str, patience: float) -> None:
        self._order = Pool(f"{name}-order", 1)
        self._pool = Pool(name, 32)
        self._patience = patience

    def submit(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Do this after all that was submitted before.

        Raises
        ------
        RuntimeError
            The lane is closed.
        """
        self._order.submit(self._begin, lambda: work(*args, **kwargs))

    def close(self) -> None:
        """Take nothing more, and drop what has not begun."""
        self._order.close(cancel=True)
        self._pool.close(cancel=True)

    def join(self, timeout: float) -> bool:
        """After `close`, wait for what has begun; False where it was not done in so many seconds."""
        return self._pool.join(timeout)

    def _begin(self, work: Callable[[], object]) -> None:
        with suppress(RuntimeError, FutureTimeoutError, CancelledError):
            self._pool.submit(work).result(self._patience)
