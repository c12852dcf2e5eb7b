"""The one thread that runs prompts."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from .._nodes.registry import Registry
from .cache import Cache
from .execute import Execution
from .promptqueue import Item, PromptQueue
from .report import Hub, Report
from .steps import StepStore
from .wire import Wire

_log = logging.getLogger(__name__)


class StatusHub(Hub, Protocol):
    """A hub that can tell everybody how long the queue is."""

    def send_status(self) -> None: ...


class Worker:
    """Takes prompts from the queue and runs them, one after the other, until the queue is closed.

    Parameters
    ----------
    registry, queue, hub : Registry, PromptQueue, StatusHub
        The node classes, where prompts come from, where messages go.
    free_models : callable
        Called when a client asks to unload models.
    steps : StepStore
        Where samplers keep their steps.
    wire : Wire
        Which ComfyUI to tell runs like.
    preview_method : str
        What samplers do where a prompt does not say.
    """

    def __init__(
        self,
        registry: Registry,
        queue: PromptQueue,
        hub: StatusHub,
        free_models: Callable[[], None],
        steps: StepStore,
        wire: Wire,
        preview_method: str = "none",
    ) -> None:
        self._registry = registry
        self._queue = queue
        self._hub = hub
        self._free_models = free_models
        self._steps = steps
        self._wire = wire
        self._preview_method = preview_method
        self._cache = Cache()
        self._thread = threading.Thread(target=self._loop, name="prompt worker", daemon=True)
        self.report: Report | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def _loop(self) -> None:
        while not self._queue.closed:
            item = self._queue.take()
            if item is not None:
                self._run(item)
            wanted = self._queue.take_free()
            if "memory" in wanted:
                self._cache.clear()
                self._steps.clear()
            if "models" in wanted:
                self._free_models()

    def _run(self, item: Item) -> None:
        started = time.monotonic()
        report = self.report = Report(self._hub, item, self._wire, self._preview_method)
        self._hub.send_status()
        execution = Execution(self._registry, self._cache, item, report, lambda: self._queue.interrupted, self._steps)
        try:
            entry = execution.run()
        except BaseException:
            # Execution.run turns everything a node can do into an entry; this line keeps a mistake of our own from
            # stopping the thread, which would leave every later prompt waiting for ever.
            _log.exception("The engine itself failed while running prompt %s", item.prompt_id)
            entry = {
                "prompt": item.wire(),
                "outputs": {},
                "status": {"status_str": "error", "completed": False, "messages": []},
                "meta": {},
            }
        self._queue.finish(item, entry)
        self.report = None
        self._hub.send_status()
        report.end()
        outcome = entry["status"]["status_str"]
        _log.info("Prompt %s: %s, %.2f s", item.prompt_id, outcome, time.monotonic() - started)
