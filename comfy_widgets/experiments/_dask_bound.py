"""Tasks that only some workers of a Dask cluster may run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable

logger = logging.getLogger(__name__)

_EVERY = 1.0


class BoundTasks:
    """Notices when all workers that may run a task are gone, for which Dask itself would wait for ever.

    A worker that was started again has another address, so this happens whenever a worker dies whose server alone has
    what a prompt needs.

    Parameters
    ----------
    present : callable
        Returns the addresses of the workers that are there; called each second, so that those that come are noticed
        although no prompt is submitted.
    orphaned : callable
        Called with the id of a task whose workers are gone, each second while that is so. It calls `add` or `discard`
        once there is another place for it.
    """

    def __init__(self, present: Callable[[], Collection[str]], orphaned: Callable[[str], object]) -> None:
        self._present = present
        self._orphaned = orphaned
        self._workers: dict[str, frozenset[str]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def add(self, task: str, workers: Iterable[str]) -> None:
        """Watch a task that only these workers may run."""
        with self._changed:
            self._workers[task] = frozenset(workers)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._watch, name="comfy-widgets-dask", daemon=True)
                self._thread.start()

    def discard(self, task: str) -> None:
        """Watch a task no more."""
        with self._changed:
            self._workers.pop(task, None)
            self._changed.notify_all()

    def close(self) -> None:
        """Watch nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _watch(self) -> None:
        while self._wait():
            try:
                present = set(self._present())
                for task, workers in list(self._workers.items()):
                    if not workers & present:
                        self._orphaned(task)
            except Exception as error:
                # The scheduler may be away for a moment.
                logger.info("the workers of the Dask cluster cannot be looked up: %s", error)

    def _wait(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._workers, _EVERY)
            if self._closed or not self._workers:
                self._thread = None
                return False
            return True
