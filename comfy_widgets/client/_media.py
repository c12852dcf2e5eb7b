"""The bytes of a job's files: fetched once, in parallel, as the server has them, in a bounded amount of memory."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import partial
from pathlib import Path

from ..protocol import File
from ._pool import Pool

logger = logging.getLogger(__name__)
_AT_ONCE = 6
"""Files of one job that are fetched at once, as long as each takes a while."""
_AT_ONCE_NEAR = 2
"""The same while they come quickly: more threads would only wait for each other."""
_QUICKLY = 0.008
"""Seconds."""


class Memory:
    """How many bytes of results a client keeps in memory; more go to temporary files.

    Parameters
    ----------
    budget : int
        Bytes.
    """

    def __init__(self, budget: int = 1 << 30) -> None:
        self._budget = budget
        self._used = 0
        self._lock = threading.Lock()
        # The collector may call `forget` at any moment, also in a thread that holds the lock: hence no lock there.
        self._freed: deque[int] = deque()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._spilled = 0

    def keep(self, content: bytes) -> bytes | Path:
        """The content itself, or the file it was spilled to."""
        with self._lock:
            while self._freed:
                self._used -= self._freed.popleft()
            if self._used + len(content) <= self._budget:
                self._used += len(content)
                return content
            try:
                if self._folder is None:
                    self._folder = tempfile.TemporaryDirectory(prefix="comfy_widgets-", ignore_cleanup_errors=True)
            except OSError:
                return self._held(content)
            self._spilled += 1
            path = Path(self._folder.name) / str(self._spilled)
        try:
            path.write_bytes(content)
        except OSError as error:
            logger.info("a file cannot be spilled to disk: %s", error)
            path.unlink(missing_ok=True)
            with self._lock:
                return self._held(content)
        return path

    def _held(self, content: bytes) -> bytes:
        # A full disk must not cost anybody an image: the budget is exceeded instead.
        self._used += len(content)
        return content

    def forget(self, held: bytes | Path) -> None:
        """Give back what `keep` returned."""
        if isinstance(held, Path):
            with suppress(OSError):
                held.unlink(missing_ok=True)
        else:
            self._freed.append(len(held))


class _Countdown:
    """Calls ``then`` after so many calls, and lets go of it: a future keeps its callbacks for as long as it lives."""

    def __init__(self, left: int, then: Callable[[], None]) -> None:
        self._left = left
        self._then: Callable[[], None] | None = then
        self._lock = threading.Lock()
        if not left:
            then()

    def __call__(self, _: object) -> None:
        with self._lock:
            self._left -= 1
            then = self._then if not self._left else None
            if then is not None:
                self._then = None
        if then is not None:
            then()


class Media:
    """The files of one job.

    Parameters
    ----------
    fetch : callable
        Takes a `File` and gives its bytes, or raises.
    pool : Pool
        Where fetches run.
    memory : Memory
        Shared by all jobs of a client.
    """

    def __init__(self, fetch: Callable[[File], bytes], pool: Pool, memory: Memory) -> None:
        self._fetch = fetch
        self._pool = pool
        self._memory = memory
        self._lock = threading.Lock()
        self._held: dict[File, Future[bytes | Path]] = {}
        self._waiting: deque[tuple[File, Future[bytes | Path]]] = deque()
        self._under_way = 0
        self._is_near = False

    def prefetch(self, file: File) -> Future[bytes | Path]:
        """Begin to fetch a file, once, when it is its turn."""
        with self._lock:
            future = self._held.get(file)
            if future is None:
                future = self._held[file] = Future()
                self._waiting.append((file, future))
        self._begin()
        return future

    def _begin(self) -> None:
        """Fetch what waits; not too many at once, so that the slow files of one job hold up no other job."""
        while True:
            with self._lock:
                if not self._waiting or self._under_way >= (_AT_ONCE_NEAR if self._is_near else _AT_ONCE):
                    return
                file, future = self._waiting.popleft()
                self._under_way += 1
            try:
                self._pool.submit(partial(self._fill, future), file).add_done_callback(partial(self._fetched, future))
            except RuntimeError:
                self._fetched(future)

    def _fill(self, future: Future[bytes | Path], file: File) -> None:
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(self._load(file))
            except BaseException as error:
                future.set_exception(error)

    def _fetched(self, future: Future[bytes | Path], _: object = None) -> None:
        # Where the client was closed before its turn came.
        if future.cancel():
            future.set_running_or_notify_cancel()
        with self._lock:
            self._under_way -= 1
        self._begin()

    def when_fetched(self, files: Iterable[File], then: Callable[[], None]) -> None:
        """Call ``then`` once every file is here or could not be fetched."""
        futures = [self.prefetch(file) for file in files]
        countdown = _Countdown(len(futures), then)
        for future in futures:
            future.add_done_callback(countdown)

    def content(self, file: File) -> bytes:
        """The bytes of a file; waits for them, and tries again where the first try failed.

        Raises
        ------
        FileGone, ServerError
            The server does not have it any more, or does not answer.
        """
        with self._lock:
            future = self._held.get(file)
            if future is None or (future.done() and (future.cancelled() or future.exception() is not None)):
                future = None
                self._held.pop(file, None)
        if future is None:
            # Fetched here and not in the pool: it also works after the client was closed to new work.
            future = Future()
            future.set_result(self._load(file))
            with self._lock:
                self._held[file] = future
        try:
            held = future.result()
        except CancelledError:
            # The client was closed while it waited for its turn.
            held = self._load(file)
        return held.read_bytes() if isinstance(held, Path) else held

    def _load(self, file: File) -> bytes | Path:
        started = time.monotonic()
        content = self._fetch(file)
        self._is_near = time.monotonic() - started < _QUICKLY
        return self._memory.keep(content)

    def __del__(self) -> None:
        for future in self._held.values():
            if future.done() and not future.cancelled() and future.exception() is None:
                self._memory.forget(future.result())
